/** Second part of the language benchmark: how long `basil run` takes as a whole process, beside the bare `node -e 0`. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { median, print, printTable, type Verdicts } from "./figures.ts";

/** Most that a whole run may take of the time of `node -e 0`: when the program ran before, and when it is compiled. */
const CACHED_BAR = 1.6;
const COLD_BAR = 2.5;

export interface StartUpOptions {
  readonly repeats: number;
  readonly distDirectory: string;
  /** An empty directory for the script and the cache of compiled programs. */
  readonly workDirectory: string;
}

export function measureStartUp({ repeats, distDirectory, workDirectory }: StartUpOptions, verdicts: Verdicts): void {
  const script = join(workDirectory, "hello.basil");
  writeFileSync(script, 'PRINT "hello"\n');
  const basil = ["--stack-size=7000", join(distDirectory, "cli.js"), "run"];
  const cases = {
    node: { args: ["-e", "0"], output: "", ms: [] as number[] },
    cached: { args: [...basil, script], output: "hello\n", ms: [] as number[] },
    cold: { args: [...basil, "--no-cache", script], output: "hello\n", ms: [] as number[] },
  };
  const all = Object.values(cases);
  for (let repeat = -1; repeat < repeats; repeat++) {
    for (const one of repeat % 2 === 0 ? all : [...all].reverse()) {
      const ms = processMs(one.args, one.output, workDirectory);
      // The round before the first fills the cache, and the machine's memory with the files.
      if (repeat >= 0) one.ms.push(ms);
    }
  }
  const ratioOf = ({ ms }: { ms: readonly number[] }): number => median(ms.map((time, repeat) => time / cases.node.ms[repeat]!));
  const row = (title: string, one: { ms: readonly number[] }, bar: string): string[] => [
    title,
    median(one.ms).toFixed(1),
    ratioOf(one).toFixed(2),
    bar,
  ];
  printTable([
    ["whole process", "ms", "ratio", "bar"],
    row("node -e 0", cases.node, "–"),
    row("basil run, ran before", cases.cached, `${CACHED_BAR}`),
    row("basil run --no-cache", cases.cold, `${COLD_BAR}`),
  ]);
  print();
  verdicts.atMost("start of a program that ran before", ratioOf(cases.cached), CACHED_BAR, "×");
  verdicts.atMost("start of a program that must be compiled", ratioOf(cases.cold), COLD_BAR, "×");
}

function processMs(args: readonly string[], output: string, workDirectory: string): number {
  const env = { ...process.env, XDG_CACHE_HOME: join(workDirectory, "cache") };
  const start = performance.now();
  const ended = spawnSync(process.execPath, args, { encoding: "utf8", env, timeout: 60_000 });
  const ms = performance.now() - start;
  if (ended.status !== 0 || ended.stdout !== output) {
    throw new Error(`node ${args.join(" ")} gave ${JSON.stringify(ended.stdout)}: ${ended.stderr}`);
  }
  return ms;
}
