/** Array stores: the sieve of Eratosthenes. */
const LIMIT = 1_000_000;

export function run(rounds) {
  const flags = new Uint8Array(LIMIT + 1);
  let total = 0;
  for (let round = 1; round <= rounds; round++) {
    for (let i = 2; i <= LIMIT; i++) flags[i] = 1;
    for (let i = 2; i <= LIMIT; i++) {
      if (flags[i] === 1) {
        total++;
        for (let k = i * i; k <= LIMIT; k += i) flags[k] = 0;
      }
    }
  }
  return total;
}
