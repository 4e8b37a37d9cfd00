/** Floating-point arithmetic: how long the points of the Mandelbrot set's neighbourhood stay near zero. */
const SIZE = 400;

function steps(cr, ci) {
  let r = 0;
  let i = 0;
  let n = 0;
  while (n < 50) {
    const r2 = r * r;
    const i2 = i * i;
    if (r2 + i2 > 4) return n;
    i = 2 * r * i + ci;
    r = r2 - i2 + cr;
    n++;
  }
  return n;
}

export function run(rounds) {
  let total = 0;
  for (let round = 1; round <= rounds; round++) {
    for (let y = 0; y < SIZE; y++) {
      for (let x = 0; x < SIZE; x++) total += steps((3 * x) / SIZE - 2, (2 * y) / SIZE - 1);
    }
  }
  return total;
}
