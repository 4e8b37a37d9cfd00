/** Guesses what a misspelt word was meant to be. */
import { RESERVED_WORDS, SOFT_WORDS } from "./tokens.ts";

/** Longer words are not compared: nobody misspells them by a letter or two and is helped by a guess. */
const MAX_LENGTH = 64;

/** How many edits a word of this length may be away: 1 up to 4 characters, 2 up to 8, then 3. */
const allowedDistance = (length: number): number => (length <= 4 ? 1 : length <= 8 ? 2 : 3);

/**
 * Damerau–Levenshtein distance: insertions, deletions, substitutions and swaps of neighbours. `WHLIE` and `WHILE` are 1 apart.
 * @param limit gives up, returning `limit + 1`, as soon as the distance is sure to be larger
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    let best = row;
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let distance = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        distance = Math.min(distance, older[column - 2]! + 1);
      current.push(distance);
      best = Math.min(best, distance);
    }
    if (best > limit) return limit + 1;
    older = previous;
    previous = current;
  }
  return previous[b.length]!;
}

/** The candidate most like a name, ignoring case; undefined when none is close. The name itself is no candidate. */
export function closest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toUpperCase();
  if (wanted.length < 2 || wanted.length > MAX_LENGTH) return undefined;
  let found: string | undefined;
  let limit = allowedDistance(wanted.length);
  for (const candidate of candidates) {
    const upper = candidate.toUpperCase();
    if (upper === wanted || upper.length < 2 || upper.length > MAX_LENGTH) continue;
    const distance = editDistance(wanted, upper, Math.min(limit, allowedDistance(upper.length)));
    if (distance > Math.min(limit, allowedDistance(upper.length))) continue;
    found = candidate;
    limit = distance - 1;
    if (limit < 1) break;
  }
  return found;
}

/** The keyword a name may have been meant to be: `PRNT` → `PRINT`, `ENDIFF` → `ENDIF`. */
export function misspeltKeyword(name: string): string | undefined {
  const keywords = [...Object.keys(RESERVED_WORDS), ...Object.keys(SOFT_WORDS)];
  if (keywords.includes(name.toUpperCase())) return undefined;
  return closest(
    name,
    keywords.filter((word) => word.length > 2),
  );
}
