/** Medians, means and tables: what the parts of the language benchmark print their figures with. */

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

/** Prints rows in columns, the first to the left, the others to the right; the first row is the heading. */
export function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    const cells = row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)));
    print(cells.join("  ").trimEnd());
  }
}

export const print = (line = ""): void => void process.stdout.write(`${line}\n`);

/** Figures beside what they must reach, and whether all did. */
export class Verdicts {
  readonly isQuick: boolean;
  readonly #missed: string[] = [];

  /** @param isQuick a run too short to judge by */
  constructor(isQuick: boolean) {
    this.isQuick = isQuick;
  }

  /** Prints `what`, its figure, its bar and whether it is met. */
  atMost(what: string, figure: number, bar: number, unit: string): void {
    this.#say(what, `${figure.toFixed(2)}${unit}`, `at most ${bar}${unit}`, figure <= bar);
  }

  atLeast(what: string, figure: number, bar: number, unit: string): void {
    const shown = figure >= 1000 ? Math.round(figure).toLocaleString("en") : figure.toFixed(2);
    this.#say(what, `${shown}${unit}`, `at least ${bar.toLocaleString("en")}${unit}`, figure >= bar);
  }

  /** A result that is wrong, however short the run. */
  wrong(what: string): void {
    this.#missed.push(what);
    print(`WRONG: ${what}`);
  }

  #say(what: string, figure: string, bar: string, isMet: boolean): void {
    if (!isMet && !this.isQuick) this.#missed.push(what);
    print(`${what}: ${figure} (${bar})${isMet ? " met" : this.isQuick ? " not met, but this was a quick run" : " MISSED"}`);
  }

  /** Says what was missed, and gives the exit code. */
  summary(): number {
    print();
    if (this.#missed.length > 0) print(`missed: ${this.#missed.join("; ")}`);
    else print(this.isQuick ? "quick run: too short to judge the bars" : "every bar is met");
    return this.#missed.length > 0 ? 1 : 0;
  }
}
