/** Matches names against `*` and `?`, in time proportional to both lengths at worst. */

/** Whether a name matches a pattern: `*` is any characters, `?` one, everything else itself. */
export function matchesWildcards(name: string, pattern: string): boolean {
  const characters = [...name];
  const wanted = [...pattern];
  let at = 0;
  let next = 0;
  let star = -1;
  let starAt = 0;
  while (at < characters.length) {
    if (wanted[next] === "*") {
      star = next++;
      starAt = at;
    } else if (next < wanted.length && (wanted[next] === "?" || wanted[next] === characters[at])) {
      next += 1;
      at += 1;
    } else if (star >= 0) {
      next = star + 1;
      at = ++starAt;
    } else return false;
  }
  while (wanted[next] === "*") next += 1;
  return next === wanted.length;
}
