/** Fits text to a terminal's 80 columns. */

const COLUMNS = 79;

/**
 * Breaks the lines of each paragraph anew; paragraphs are divided by empty lines, and indented lines stay as they are.
 * @param indent stands in front of every line
 */
export function wrap(text: string, indent = ""): string {
  return text
    .split("\n\n")
    .map((paragraph) => (paragraph.startsWith("    ") ? paragraph : fill(paragraph.split(/\s+/), indent)))
    .join("\n\n");
}

function fill(words: readonly string[], indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of words) {
    if (line !== indent && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = indent;
    }
    line += (line === indent ? "" : " ") + word;
  }
  return [...lines, line].join("\n");
}
