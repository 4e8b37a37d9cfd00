/** `basil gearman doctor`: asks all servers, judges, and says what to do. */
import { type CliContext, EXIT_CODES } from "../context.ts";
import { wrap } from "../wrap.ts";
import { type AdminFlags, type Answer, askServers, entryOf, print, printJson } from "./answers.ts";
import { type Finding, findingsOf, type Severity } from "./doctor-checks.ts";
import { factsOf, type ServerFacts } from "./doctor-facts.ts";
import { shownText } from "./table.ts";

/** Shows what is wrong. 1 when something is that keeps jobs from running. */
export async function doctor(flags: AdminFlags, context: CliContext): Promise<number> {
  const answers = await askServers(flags, context, factsOf);
  const findings = findingsOf(answers);
  if (flags.json) await printJson({ servers: answers.map((answer) => entryOf(answer, factsEntry)), findings }, context);
  else await print(reportText(answers, findings), context);
  return findings.some(({ severity }) => severity === "error") ? EXIT_CODES.error : EXIT_CODES.ok;
}

const factsEntry = ({
  version,
  pid,
  connectMs,
  roundTripMs,
  functions,
  connections,
  jobs,
  ignoredJobs,
}: ServerFacts): object => ({
  version,
  pid,
  connectMs,
  roundTripMs,
  functions: functions.length,
  workers: connections.filter((connection) => connection.functions.length > 0).length,
  connections: connections.length,
  jobs,
  ignoredJobs,
});

function reportText(answers: readonly Answer<ServerFacts>[], findings: readonly Finding[]): string {
  const servers = answers.map((answer) => `${serverLine(answer)}\n`).join("");
  return `${servers}\n${findingsText(findings).join("\n")}${findings.length > 0 ? "\n" : ""}${verdict(findings)}\n`;
}

/** Findings of one check on one server that are shown in full; JSON has all. */
const MAX_ALIKE = 10;

function findingsText(findings: readonly Finding[]): string[] {
  const alike = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.check, finding.server]);
    const group = alike.get(key);
    if (group) group.push(finding);
    else alike.set(key, [finding]);
  }
  return [...alike.values()].flatMap((group) => {
    const texts = group.slice(0, MAX_ALIKE).map(findingText);
    const left = group.length - texts.length;
    return left > 0 ? [...texts, `${LABELS[group[0]!.severity]}: ${group[0]!.server}: ${left} more like these.\n`] : texts;
  });
}

function serverLine(answer: Answer<ServerFacts>): string {
  if ("error" in answer) return `${answer.server}  not reached`;
  const { version, functions, jobs, roundTripMs } = answer.value;
  const counts = `${countText(functions.length, "function")}, ${countText(jobs, "job")}`;
  return `${answer.server}  version ${shownText(version)}, ${counts}, echo ${roundTripMs} ms`;
}

const LABELS: Readonly<Record<Severity, string>> = { error: "ERROR", warning: "WARNING", note: "NOTE" };

function findingText({ severity, server, text, advice }: Finding): string {
  const place = text.includes(server) ? "" : `${server}: `;
  return `${wrap(`${LABELS[severity]}: ${place}${shownText(text)}`)}\n${wrap(shownText(advice), "  ")}\n`;
}

function verdict(findings: readonly Finding[]): string {
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count("error"), count("warning")];
  if (errors + warnings === 0) return "Nothing is wrong.";
  return `${countText(errors, "error")}, ${countText(warnings, "warning")}.`;
}

const countText = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
