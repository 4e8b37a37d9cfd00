/** One source text with its name, and the arithmetic from an offset in it to a line and column for people. */

/** A stretch of one source text: UTF-16 offsets, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A place for people: both counted from 1; the column counts UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A source text and where it came from. Line starts are found once, when first asked for. */
export class SourceFile {
  readonly name: string;
  readonly text: string;
  #lineStarts: number[] | undefined;

  /** @param name shown in messages, such as `report.basil` */
  constructor(name: string, text: string) {
    this.name = name;
    this.text = text;
  }

  /** The line and column of an offset, both from 1. Offsets outside the text are moved to its nearer end. */
  position(offset: number): Position {
    const starts = this.#starts();
    const at = Math.max(0, Math.min(offset, this.text.length));
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= at) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: at - starts[low]! + 1 };
  }

  /** The offset of a place: what `position` turned into a line and column. */
  offset(position: Position): number {
    return (this.#starts()[position.line - 1] ?? this.text.length) + position.column - 1;
  }

  /** The text of a line counted from 1, without its line end; "" when there is no such line. */
  line(number: number): string {
    const starts = this.#starts();
    const start = starts[number - 1];
    if (start === undefined) return "";
    const end = starts[number] ?? this.text.length + 1;
    return this.text.slice(start, end - 1).replace(/\r$/, "");
  }

  #starts(): number[] {
    if (this.#lineStarts) return this.#lineStarts;
    const starts = [0];
    for (let at = this.text.indexOf("\n"); at >= 0; at = this.text.indexOf("\n", at + 1)) starts.push(at + 1);
    this.#lineStarts = starts;
    return starts;
  }
}
