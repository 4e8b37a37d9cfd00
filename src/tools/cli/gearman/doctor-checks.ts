/** What commonly goes wrong with Gearman, a check a row: how it shows, how bad it is, and what to do. */
import type { GearmanError } from "../../../core/gearman/errors.ts";
import type { Answer } from "./answers.ts";
import { MANY_RETRIES, type ServerFacts } from "./doctor-facts.ts";
import { queuedOf } from "./lists.ts";
import { cutText, shownText } from "./table.ts";

/** How bad a finding is: `error` means that jobs do not run, `warning` that they may not, `note` that one should know. */
export type Severity = "error" | "warning" | "note";

/** One thing that is wrong. */
export interface Finding {
  /** Name of the check. */
  readonly check: string;
  readonly severity: Severity;
  /** The server it was found on. */
  readonly server: string;
  /** The function it is about, where it is about one. */
  readonly function?: string;
  /** What is wrong. */
  readonly text: string;
  /** What to do. */
  readonly advice: string;
}

/** What a check says of a server; the runner adds the rest. */
type Found = Pick<Finding, "text" | "advice" | "function"> & { readonly severity?: Severity };

/** A check of one server that answered. @param others the other servers that did */
interface Check {
  readonly severity: Severity;
  readonly find: (facts: ServerFacts, server: string, others: readonly ServerOf[]) => readonly Found[];
}

/** A server that answered, with its name. */
interface ServerOf {
  readonly server: string;
  readonly value: ServerFacts;
}

/** From here on, a count was below zero in the server: it wraps around at 4 294 967 296. */
const BELOW_ZERO = 0x8000_0000;
/** Jobs from which the hash table of gearmand is felt. */
const MANY_JOBS = 100_000;
/** An echo slower than this is told, in milliseconds. */
const SLOW_ECHO_MS = 100;

const isGearmand1 = ({ version }: ServerFacts): boolean => /^1\.[01]\./.test(version) && !version.includes("+basil");

const CHECKS: Readonly<Record<string, Check>> = {
  noWorkers: {
    severity: "error",
    find: ({ functions }, _, others) =>
      functions
        .filter((row) => row.workers === 0 && queuedOf(row) > 0)
        .map((row) => ({
          function: row.name,
          text: `${jobsText(queuedOf(row))} of ${shortened(row.name)} ${queuedOf(row) === 1 ? "waits" : "wait"}, and no worker is registered for it.`,
          advice: whereWorkersAre(row.name, others),
        })),
  },
  wrongCount: {
    severity: "error",
    find: ({ functions }) =>
      functions
        .filter(({ total, running, workers }) => Math.max(total, running, workers) >= BELOW_ZERO || running > total)
        .map(({ name, total, running, workers }) => ({
          function: name,
          text: `The counts of ${shortened(name)} are corrupt: total ${total}, running ${running}, workers ${workers}.`,
          advice:
            "A worker registered with a timeout (CAN_DO_TIMEOUT), whose timer gearmand fires for jobs that are over. Restart the server, and let workers bound the time themselves. The timeout is in milliseconds; some libraries document seconds.",
        })),
  },
  waiting: {
    severity: "warning",
    find: (facts) =>
      facts.stuck.map((name) => ({
        function: name,
        text: `Jobs of ${shortened(name)} wait although workers are registered, and none is running.`,
        advice: isGearmand1(facts)
          ? "Jobs for a later time wait rightly, but this version wakes no sleeping worker when they are due: workers must ask again by themselves, as those of basil do. Otherwise the workers hang or lost their connection: restart them."
          : "Jobs for a later time wait rightly. Otherwise the workers hang or lost their connection: restart them.",
      })),
  },
  ignoredJobs: {
    severity: "warning",
    find: ({ ignoredJobs }) =>
      ignoredJobs === 0
        ? []
        : [
            {
              text: `${jobsText(ignoredJobs)} ${ignoredJobs === 1 ? "is" : "are"} cancelled, or nobody waits for ${ignoredJobs === 1 ? "it" : "them"} any more.`,
              advice:
                "They are counted until a worker asks for the next job of their function. On gearmand a new job with the same unique key joins such a job and is lost with it: start a worker, or use other keys.",
            },
          ],
  },
  oftenRetried: {
    severity: "warning",
    find: ({ oftenRetried }) =>
      oftenRetried.length === 0
        ? []
        : [
            {
              text: `Workers were lost ${MANY_RETRIES} times or more over ${oftenRetried.join(", ")}.`,
              advice: "Their payload may end the worker's process. Look at its log, or cancel them: basil gearman cancel HANDLE.",
            },
          ],
  },
  registeredTwice: {
    severity: "warning",
    find: ({ connections }) =>
      connections
        .filter(({ functions }) => new Set(functions).size < functions.length)
        .map(({ clientId, address, functions }) => ({
          text: `The worker ${shortened(clientId)} at ${address} is registered more than once for ${listText(repeated(functions))}.`,
          advice:
            "Each registration counts as a worker, so the number of workers is too high. Let it register each function once.",
        })),
  },
  otherFunctions: {
    severity: "warning",
    find: ({ functions }, server, others) => {
      const here = new Set(functions.filter(({ workers }) => workers > 0).map(({ name }) => name));
      // Where jobs wait already, that is an error of its own.
      const waiting = new Set(functions.filter((row) => row.workers === 0 && queuedOf(row) > 0).map(({ name }) => name));
      return others.flatMap((other) => {
        const missing = other.value.functions
          .filter(({ name, workers }) => workers > 0 && !here.has(name) && !waiting.has(name))
          .map(({ name }) => name);
        if (missing.length === 0) return [];
        const text = `Workers of ${listText(missing)} are registered on ${other.server}, but not on ${server}.`;
        return [{ text, advice: "Clients spread jobs over all their servers: let each worker connect to all of them." }];
      });
    },
  },
  slowEcho: {
    severity: "warning",
    find: ({ roundTripMs }) =>
      roundTripMs < SLOW_ECHO_MS
        ? []
        : [
            {
              text: `An echo took ${roundTripMs} ms.`,
              advice: "Each job needs several of these ways. Look at the network and at the load of the server's machine.",
            },
          ],
  },
  deepQueue: {
    severity: "note",
    find: (facts) =>
      facts.jobs <= MANY_JOBS || facts.version.includes("+basil")
        ? []
        : [
            {
              text: `${facts.jobs} jobs are queued; gearmand slows down with that many, because its hash tables have 991 places unless told otherwise.`,
              advice: "Start it with --hashtable-buckets 1000003, or with about as many places as there will be jobs.",
            },
          ],
  },
  epochWakeUp: {
    severity: "note",
    find: (facts) =>
      isGearmand1(facts)
        ? [
            {
              text: `gearmand ${facts.version} wakes no sleeping worker when a job for a later time is due.`,
              advice:
                "Workers of basil ask again by themselves. If others do such jobs, let them ask again at times, or use gearmand 2.",
            },
          ]
        : [],
  },
};

/** What every check finds, errors first. */
export function findingsOf(answers: readonly Answer<ServerFacts>[]): Finding[] {
  const reached = answers.filter((answer): answer is ServerOf => "value" in answer);
  const findings = answers.flatMap((answer): Finding[] => {
    if ("error" in answer) return [unreachable(answer.server, answer.error)];
    const { server, value } = answer;
    const others = reached.filter((other) => other.server !== server);
    return Object.entries(CHECKS).flatMap(([check, { severity, find }]) =>
      find(value, server, others).map((found) => ({ check, severity, server, ...found })),
    );
  });
  const order: readonly Severity[] = ["error", "warning", "note"];
  return findings.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
}

/** What to do about a server that could not be asked, by the kind of the error and what its text says. */
const UNREACHABLE: readonly { readonly pattern: RegExp; readonly advice: string }[] = [
  {
    pattern: /certificate|handshake|TLS/,
    advice: "Compare what the server is set up for with tls, ca, cert, key and server_name in the configuration.",
  },
  {
    pattern: /connection refused/,
    advice:
      "Nothing listens there. Start gearmand, or basil gearman serve for one machine; if it runs, compare its address and port with the configuration.",
  },
  {
    pattern: /unknown host name|name lookup failed/,
    advice: "The name has no address. Check its spelling, and the DNS or /etc/hosts of this machine.",
  },
  { pattern: /no Gearman server/, advice: "Something else listens on that port. Check the port; Gearman's is 4730." },
  {
    pattern: /closed the connection|connection (?:closed|reset)/,
    advice:
      "Something ends the connection: perhaps the server wants TLS, written tls://host, or has too many connections. See its log.",
  },
  {
    pattern: /within|timed out|unreachable/,
    advice:
      "Either the network or a firewall drops what is sent, or the server hangs: see on its machine whether gearmand runs and how busy it is. CAN_DO_TIMEOUT is known to hang gearmand 1.1.",
  },
];

function unreachable(server: string, { message }: GearmanError): Finding {
  const known = UNREACHABLE.find(({ pattern }) => pattern.test(message));
  const advice = known?.advice ?? "Look at the server's log, and whether its machine can be reached from here.";
  return { check: "unreachable", severity: "error", server, text: `${message}.`, advice };
}

function whereWorkersAre(name: string, others: readonly ServerOf[]): string {
  const elsewhere = others.filter(({ value }) => value.functions.some((row) => row.name === name && row.workers > 0));
  if (elsewhere.length > 0) {
    const servers = elsewhere.map(({ server }) => server).join(", ");
    return `Its workers are registered on ${servers} only: let them connect to this server too.`;
  }
  return "Start a worker for it, or compare how clients and workers spell the name: case counts.";
}

/** Longest name in a sentence, in columns. */
const NAME_COLUMNS = 48;

const shortened = (name: string): string => cutText(shownText(name), NAME_COLUMNS, "middle");

const jobsText = (count: number): string => `${count} job${count === 1 ? "" : "s"}`;

const repeated = (names: readonly string[]): string[] => [...new Set(names.filter((name, at) => names.indexOf(name) !== at))];

/** Most names in a sentence. */
const MAX_NAMES = 5;

const listText = (names: readonly string[]): string =>
  names.slice(0, MAX_NAMES).map(shortened).join(", ") + (names.length > MAX_NAMES ? ` and ${names.length - MAX_NAMES} more` : "");
