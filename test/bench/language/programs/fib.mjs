/** Calls: the 30th Fibonacci number the slow way, once a round. */
function fib(n) {
  if (n < 2) return n;
  return fib(n - 1) + fib(n - 2);
}

export function run(rounds) {
  let total = 0;
  for (let round = 1; round <= rounds; round++) total += fib(30);
  return total;
}
