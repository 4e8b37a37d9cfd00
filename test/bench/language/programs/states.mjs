/** GOTO: a scanner as a state machine over 100,000 pseudo-random symbols a round, as a `switch` in a loop. */
const BETWEEN = 0;
const NUMBER = 1;
const WORD = 2;
const COMMENT = 3;
const DONE = 4;

export function run(rounds) {
  let seed = 42;
  let numbers = 0;
  let words = 0;
  let comments = 0;
  let marks = 0;
  for (let round = 1; round <= rounds; round++) {
    let left = 100_000;
    let state = BETWEEN;
    while (state !== DONE) {
      let symbol = -1;
      if (left > 0) {
        left--;
        seed = (seed * 16807) % 2147483647;
        symbol = seed % 8;
      }
      switch (state) {
        case BETWEEN:
          if (symbol < 0) state = DONE;
          else if (symbol < 2) state = NUMBER;
          else if (symbol < 5) state = WORD;
          else if (symbol === 5) state = COMMENT;
          else if (symbol === 6) marks++;
          break;
        case NUMBER:
          if (symbol >= 0 && symbol < 2) break;
          if (symbol >= 2 && symbol < 5) {
            state = WORD;
          } else {
            numbers++;
            state = BETWEEN;
          }
          break;
        case WORD:
          if (symbol < 0 || symbol >= 5) {
            words++;
            state = BETWEEN;
          }
          break;
        case COMMENT:
          if (symbol < 0 || symbol === 7) {
            comments++;
            state = BETWEEN;
          }
          break;
      }
    }
  }
  return numbers + 3 * words + 5 * comments + 7 * marks;
}
