/** `basil gearman top`: the queues on a terminal, each interval anew, or one table for a pipe. */
import type { Readable, Writable } from "node:stream";
import { pause } from "../../../core/net/deadline.ts";
import { type CliContext, EXIT_CODES } from "../context.ts";
import { StopSignals } from "../signals.ts";
import { type AdminFlags, columnsOf, failureText, print, showAnswers } from "./answers.ts";
import { settingsFor } from "./job-settings.ts";
import { Sampler, sampleText, type TopRow } from "./top-samples.ts";

/** What stands on the command line. */
export interface TopFlags extends AdminFlags {
  /** Time between two looks, in seconds. */
  readonly interval: number;
  readonly once?: boolean;
}

/** What a terminal's streams have besides a pipe's. */
interface Terminal {
  readonly stdin: Readable & { setRawMode(isRaw: boolean): unknown };
  readonly stdout: Writable & { readonly rows: number };
}

/** Shows the queues until somebody ends it. */
export async function top(flags: TopFlags, context: CliContext): Promise<number> {
  const terminal = flags.once || flags.json ? null : terminalOf(context);
  const over = new AbortController();
  const sampler = new Sampler(await settingsFor(flags, context), over.signal);
  return terminal === null ? showOnce(sampler, flags, context) : watch(sampler, flags, context, terminal, over);
}

function terminalOf({ stdin, stdout, environment }: CliContext): Terminal | null {
  const isTerminal = (stream: object): boolean => "isTTY" in stream && stream.isTTY === true;
  if (!isTerminal(stdin) || !isTerminal(stdout) || environment["TERM"] === "dumb") return null;
  return { stdin, stdout } as Terminal;
}

/** Two looks, so that the change is known. */
async function showOnce(sampler: Sampler, flags: TopFlags, context: CliContext): Promise<number> {
  await sampler.take();
  await pause(flags.interval * 1000);
  const sample = await sampler.take();
  if (flags.json) {
    const json = (rows: readonly TopRow[]) => ({ functions: rows.map(({ server: _, ...row }) => row) });
    return showAnswers(sample.answers, { json, text: () => "" }, flags, context);
  }
  const reached = sample.answers.filter((answer) => "value" in answer);
  for (const answer of sample.answers) if ("error" in answer) context.stderr.write(failureText(answer.error));
  const size = { columns: columnsOf(flags, context), lines: Number.POSITIVE_INFINITY };
  if (reached.length > 0) await print(sampleText({ answers: reached }, size), context);
  return reached.length < sample.answers.length ? EXIT_CODES.error : EXIT_CODES.ok;
}

/** Control sequences every terminal of today knows. */
const SCREEN = {
  /** Another screen, so that what was there comes back; no cursor. */
  enter: "\x1b[?1049h\x1b[?25l",
  leave: "\x1b[?25h\x1b[?1049l",
  home: "\x1b[H",
  clearLine: "\x1b[K",
  clearBelow: "\x1b[J",
} as const;

/** Keys that end it: q, Q and Ctrl-C. */
const QUIT = /[qQ\x03]/;

/** Modes: *watching* → *left*, by a key, a signal, or the end of the input; the terminal is as before then. */
async function watch(
  sampler: Sampler,
  flags: TopFlags,
  context: CliContext,
  { stdin, stdout }: Terminal,
  over: AbortController,
): Promise<number> {
  const end = () => over.abort();
  const onKey = (bytes: Buffer) => QUIT.test(bytes.toString("latin1")) && end();
  const signals = new StopSignals(end);
  let draw = () => {};
  const onResize = () => draw();
  signals.arm();
  stdin.setRawMode(true);
  stdin.on("data", onKey).on("end", end);
  stdout.on("resize", onResize).on("error", end);
  stdout.write(SCREEN.enter);
  try {
    while (!over.signal.aborted) {
      const sample = await sampler.take();
      draw = () => {
        const text = sampleText(sample, { columns: columnsOf(flags, context), lines: stdout.rows - 1 });
        stdout.write(frame(text, flags.interval));
      };
      if (!over.signal.aborted) draw();
      await pause(flags.interval * 1000, over.signal);
    }
  } finally {
    stdout.write(SCREEN.leave);
    stdout.off("resize", onResize).off("error", end);
    stdin.off("data", onKey).off("end", end);
    stdin.setRawMode(false);
    stdin.pause();
    signals.close();
  }
  return signals.exitCode ?? EXIT_CODES.ok;
}

function frame(text: string, intervalSeconds: number): string {
  const head = `basil gearman top, every ${intervalSeconds} s, q ends it`;
  const lines = [head, ...text.trimEnd().split("\n")].map((line) => `${line}${SCREEN.clearLine}`);
  return `${SCREEN.home}${lines.join("\r\n")}${SCREEN.clearBelow}`;
}
