/** Measures two sides in turn and compares them: medians of interleaved rounds, so that a noisy machine disturbs both alike. */

/** One measured run: operations per second, and the processor time of this process where it counts. */
export interface Measured {
  readonly perSecond: number;
  /** Processor time of the measuring process for one operation, in microseconds. */
  readonly cpuMicros?: number;
}

/** What is compared. */
export interface Comparison {
  readonly title: string;
  /** What theirs is, for the table. */
  readonly yardstick: string;
  /** Bytes of one operation, where the throughput is of interest. */
  readonly bytes?: number;
  /** Least ratio of our rate to theirs, where one is promised. */
  readonly bar?: number;
  /** Most processor time of this process for one of our operations, in microseconds, where a limit is promised. */
  readonly maxCpuMicros?: number;
  readonly ours: () => Promise<Measured>;
  readonly theirs: () => Promise<Measured>;
}

/** The result of one comparison. */
export interface Compared {
  readonly comparison: Comparison;
  readonly ours: number;
  readonly theirs: number;
  /** Median of the rounds' ratios. */
  readonly ratio: number;
  readonly cpuMicros: number | null;
}

/** Times an asynchronous run of `count` operations. */
export async function timed(count: number, run: () => Promise<unknown>): Promise<Measured> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await run();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: count / seconds, cpuMicros: (user + system) / count };
}

/** Runs both sides `rounds` times in turn, after a round that does not count; who is first changes each round. */
export async function compare(comparison: Comparison, rounds: number): Promise<Compared> {
  const ours: Measured[] = [];
  const theirs: Measured[] = [];
  for (let round = -1; round < rounds; round++) {
    const sides = [
      { into: ours, run: comparison.ours },
      { into: theirs, run: comparison.theirs },
    ];
    if (round % 2 === 0) sides.reverse();
    for (const { into, run } of sides) {
      const measured = await run();
      if (round >= 0) into.push(measured);
    }
  }
  const cpu = ours.flatMap(({ cpuMicros }) => (cpuMicros === undefined ? [] : [cpuMicros]));
  return {
    comparison,
    ours: median(ours.map(({ perSecond }) => perSecond)),
    theirs: median(theirs.map(({ perSecond }) => perSecond)),
    ratio: median(ours.map(({ perSecond }, round) => perSecond / theirs[round]!.perSecond)),
    cpuMicros: cpu.length === 0 ? null : median(cpu),
  };
}

/** Whether a comparison keeps what it promises. */
export function isMet({ comparison: { bar = 0, maxCpuMicros = Number.POSITIVE_INFINITY }, ratio, cpuMicros }: Compared): boolean {
  return ratio >= bar && (cpuMicros ?? 0) <= maxCpuMicros;
}

/** The results as an aligned table. */
export function table(results: readonly Compared[]): string {
  const head = ["case", "ours/s", "theirs/s", "MB/s", "ratio", "bar", "µs CPU", "", "measured against"];
  const rows = results.map((result) => {
    const { title, bytes, bar, maxCpuMicros, yardstick } = result.comparison;
    const hasBar = bar !== undefined || maxCpuMicros !== undefined;
    return [
      title,
      result.ours.toFixed(0),
      result.theirs.toFixed(0),
      bytes === undefined ? "" : ((result.ours * bytes) / 1e6).toFixed(1),
      result.ratio.toFixed(2),
      bar?.toFixed(2) ?? "–",
      maxCpuMicros === undefined ? "" : `${result.cpuMicros?.toFixed(1)} of ${maxCpuMicros}`,
      hasBar ? (isMet(result) ? "met" : "MISSED") : "",
      yardstick,
    ];
  });
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((row) => row[column]!.length)));
  const isText = (column: number) => column === 0 || column === head.length - 1;
  return lines
    .map((row) => row.map((cell, column) => (isText(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))))
    .map((cells) => `${cells.join("  ").trimEnd()}\n`)
    .join("");
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
