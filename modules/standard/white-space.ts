/** Unicode white space, which JavaScript's trim() does not follow: it leaves U+0085 and takes the byte order mark. */

const OTHER_SPACES = new Set([0x85, 0xa0, 0x1680, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000]);

/** Whether a UTF-16 unit has the Unicode property White_Space. */
export const isWhiteSpace = (unit: number): boolean =>
  unit <= 0x20 ? unit === 0x20 || (unit >= 0x09 && unit <= 0x0d) : (unit >= 0x2000 && unit <= 0x200a) || OTHER_SPACES.has(unit);

export function trimStart(text: string): string {
  let from = 0;
  while (from < text.length && isWhiteSpace(text.charCodeAt(from))) from += 1;
  return from === 0 ? text : text.slice(from);
}

export function trimEnd(text: string): string {
  let to = text.length;
  while (to > 0 && isWhiteSpace(text.charCodeAt(to - 1))) to -= 1;
  return to === text.length ? text : text.slice(0, to);
}
