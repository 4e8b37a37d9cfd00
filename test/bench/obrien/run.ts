/**
 * Measures O'Brien next to its limits: bare inserts and commits on the same file system, processes that are only started
 * and waited for, an empty script in node. Both sides take turns; the tables show medians. `../obrien.ts` starts it.
 * Options: `--quick`, `--rounds=N`, `--only=part of a title`, `--directory=where the stores lie`.
 */
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { STACK_KB } from "../../../src/tools/cli/big-stack.ts";
import { type Compared, type Comparison, compare, isMet, table } from "../measure.ts";
import { bareInserts, claims, filledQueue, inDirectory, ourEnqueues } from "./stores.ts";
import { bareProcesses, commandJobs, emptyNode, subClass, subJob, warmManager, warmSubJob } from "./workers.ts";

const option = (name: string): string | undefined =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const isQuick = process.argv.includes("--quick");
const only = option("only");
const place = option("directory") ?? tmpdir();
const ROUNDS = Number(option("rounds") ?? (isQuick ? 3 : 11));
const SHARE = isQuick ? 0.1 : 1;
const sized = (count: number): number => Math.max(1, Math.round(count * SHARE));

const MANY = sized(1_000_000);
const FEW = 1_000;

const WARM_TITLE = "SUB, warm, input to verdict";
/** Longest median time of it. */
const WARM_MS = 15;

const storeCases = (): Comparison[] => [
  {
    title: "enqueue, 1,000 jobs a transaction",
    yardstick: "bare inserts",
    bar: 0.5,
    ours: () => ourEnqueues(place, sized(20), 1000),
    theirs: () => bareInserts(place, sized(20), 1000),
  },
  {
    title: "enqueue, one job a transaction",
    yardstick: "bare commits",
    bar: 0.5,
    ours: () => ourEnqueues(place, sized(500), 1),
    theirs: () => bareInserts(place, sized(500), 1),
  },
];

const commandCases = (): Comparison[] =>
  [2, 8].flatMap((concurrency) => {
    const ours = () => commandJobs(place, sized(200), concurrency);
    const bare = (stdio: "ignore" | "pipe") => () => bareProcesses(sized(200), concurrency, stdio);
    const title = `/bin/true, ${concurrency} at once, claim to recorded verdict`;
    return [
      { title, yardstick: "spawn and wait, output read", bar: 0.6, ours, theirs: bare("pipe") },
      { title, yardstick: "spawn and wait, output ignored", ours, theirs: bare("ignore") },
    ];
  });

const worker = {
  command: { program: process.execPath, args: [join(dirname(fileURLToPath(import.meta.url)), "../obrien-worker.js")] },
  deepStackFlag: `--stack-size=${STACK_KB}`,
  modules: {},
};

const results: Compared[] = [];

async function measure(comparisons: readonly Comparison[], rounds: number): Promise<void> {
  for (const comparison of comparisons) {
    if (only !== undefined && !comparison.title.includes(only)) continue;
    results.push(await compare(comparison, rounds));
    if (process.stderr.isTTY) process.stderr.write(`${comparison.title}: ${results.at(-1)!.ratio.toFixed(2)}\n`);
  }
}

const claimTitle = `claims, of ${MANY.toLocaleString("en")} pending jobs`;

async function measureClaims(directory: string): Promise<void> {
  if (only !== undefined && !claimTitle.includes(only)) return;
  const [many, few] = [await filledQueue(join(directory, "many.db"), MANY), await filledQueue(join(directory, "few.db"), FEW)];
  const cases = [1, 50].map((jobs): Comparison => {
    const turns = jobs === 1 ? 200 : 10;
    return {
      title: `${claimTitle}, ${jobs} at a time`,
      yardstick: `the same of ${FEW.toLocaleString("en")}`,
      bar: 0.9,
      ours: () => claims(many, turns, jobs),
      theirs: () => claims(few, turns, jobs),
    };
  });
  await measure(cases, ROUNDS);
  many.close();
  few.close();
}

/** Latencies: each round is one job, so there are more of them. */
async function measureSubs(directory: string): Promise<void> {
  const jobClass = await subClass(directory, worker);
  const common = { yardstick: "node, empty script", theirs: emptyNode(directory) };
  const manager = await warmManager(join(directory, "warm.db"), jobClass);
  const cases: Comparison[] = [
    { title: "SUB, process start to verdict", bar: 1 / 1.5, ours: () => subJob(jobClass), ...common },
    { title: WARM_TITLE, ours: () => warmSubJob(jobClass), ...common },
    { title: "SUB, warm, enqueue to recorded verdict", ours: manager.run, ...common },
  ];
  await measure(cases, isQuick ? 5 : 3 * ROUNDS);
  await manager.close();
}

await measure(storeCases(), ROUNDS);
await measure(commandCases(), ROUNDS);
await inDirectory(place, measureSubs);
await inDirectory(place, measureClaims);

process.stdout.write(table(results));
for (const { comparison, ours, theirs } of results.filter(({ comparison: { title } }) => title.startsWith("SUB")))
  process.stdout.write(
    `${comparison.title}: ${(1000 / ours).toFixed(1)} ms, ${comparison.yardstick}: ${(1000 / theirs).toFixed(1)} ms\n`,
  );
const warm = results.find(({ comparison }) => comparison.title === WARM_TITLE);
const isWarmMet = warm === undefined || 1000 / warm.ours <= WARM_MS;
if (warm) process.stdout.write(`${WARM_TITLE}, at most ${WARM_MS} ms: ${isWarmMet ? "met" : "MISSED"}\n`);
const misses = results.filter((result) => !isMet(result)).length + (isWarmMet ? 0 : 1);
const verdict = isQuick ? "too quick to judge the bars" : misses === 0 ? "every bar is met" : `${misses} missed`;
process.stdout.write(`${verdict} (${ROUNDS} rounds, medians; stores in ${place})\n`);
