/** Two-dimensional arrays: the product of two 200 by 200 matrices, once a round. */
const N = 200;

function fill(a, n, seed) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) a[i * n + j] = (i * seed + j) % 7;
  }
}

function multiply(a, b, c, n) {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
      c[i * n + j] = sum;
    }
  }
}

export function run(rounds) {
  const a = new Float64Array(N * N);
  const b = new Float64Array(N * N);
  const c = new Float64Array(N * N);
  let total = 0;
  fill(a, N, 7);
  for (let round = 1; round <= rounds; round++) {
    fill(b, N, round);
    multiply(a, b, c, N);
    total += c[(round % N) * N + 17];
  }
  return total;
}
