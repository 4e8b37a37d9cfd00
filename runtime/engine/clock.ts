/** The clock for limits and turns. `performance` would do as well, but the first look at it loads a part of node that few programs need. */

/** Milliseconds since some moment in the past; never runs backwards. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}
