/** Tables in plain text: aligned, cut to a width where they must be, and safe to show whatever a name holds. */

/** One column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  /** Numbers stand at the right. Default `left`. */
  readonly align?: "left" | "right";
  /**
   * Where texts are cut when the table is too wide: names in the middle, because both ends tell them apart, lists at
   * the end. Default: they are not cut.
   */
  readonly cut?: "middle" | "end";
}

/** No column is cut to less, in columns. */
const LEAST_WIDTH = 12;

const GAP = "  ";

/** The table with its head, a line a row, each ending with a line end; `empty` when there is no row. */
export function tableText<Row>(rows: readonly Row[], columns: readonly Column<Row>[], width: number, empty: string): string {
  if (rows.length === 0) return `${empty}\n`;
  const cells = rows.map((row) => columns.map(({ text }) => shownText(text(row))));
  const natural = columns.map(({ title }, at) =>
    cells.reduce((widest, line) => Math.max(widest, widthOf(line[at]!)), widthOf(title)),
  );
  const widths = fitted(natural, columns, width);
  const lineOf = (texts: readonly string[]) =>
    columns
      .map(({ align, cut }, at) => padded(cutText(texts[at]!, widths[at]!, cut ?? "end"), widths[at]!, align))
      .join(GAP)
      .trimEnd();
  return [columns.map(({ title }) => title), ...cells].map((line) => `${lineOf(line)}\n`).join("");
}

/** Takes what is too much from the columns that may be cut, always from the widest of them. */
function fitted<Row>(natural: readonly number[], columns: readonly Column<Row>[], width: number): number[] {
  const widths = [...natural];
  const cuttable = widths.map((_, at) => at).filter((at) => columns[at]!.cut !== undefined);
  let excess = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width;
  while (excess > 0) {
    const widest = Math.max(...cuttable.map((at) => widths[at]!));
    const at = cuttable.find((one) => widths[one] === widest);
    if (at === undefined || widest <= LEAST_WIDTH) break;
    // Down to the next widest at once: a name may have thousands of characters.
    const next = Math.max(LEAST_WIDTH, ...cuttable.filter((one) => one !== at).map((one) => widths[one]!));
    const step = Math.max(1, Math.min(excess, widest - next));
    widths[at] = widest - step;
    excess -= step;
  }
  return widths;
}

/** `text` in at most `width` columns, with … where something is missing. */
export function cutText(text: string, width: number, where: "middle" | "end"): string {
  if (widthOf(text) <= width) return text;
  const characters = [...text];
  const tail = where === "end" ? 0 : Math.floor((width - 1) / 2);
  return `${taken(characters, width - 1 - tail)}…${taken(characters.toReversed(), tail, true)}`;
}

/** As many characters as fit. */
function taken(characters: readonly string[], width: number, isReversed = false): string {
  const parts: string[] = [];
  let room = width;
  for (const character of characters) {
    room -= widthOf(character);
    if (room < 0) break;
    parts.push(character);
  }
  return (isReversed ? parts.reverse() : parts).join("");
}

function padded(text: string, width: number, align: "left" | "right" = "left"): string {
  const blanks = " ".repeat(Math.max(0, width - widthOf(text)));
  return align === "right" ? blanks + text : text + blanks;
}

const WIDE = /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff00-\uff60]/u;
const COMBINING = /[\p{Mn}\p{Me}\u200b-\u200f]/u;

/** Columns a text takes on a terminal. */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += COMBINING.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** A text from a server with control characters written out, so that no name moves the cursor. */
export const shownText = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => ESCAPES[character] ?? codeOf(character));

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const codeOf = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`;
