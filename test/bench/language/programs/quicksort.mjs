/** Recursion over an array: 200,000 pseudo-random numbers sorted, once a round. */
const COUNT = 200_000;

function quicksort(a, low, high) {
  let i = low;
  let j = high;
  const pivot = a[Math.trunc((low + high) / 2)];
  while (i <= j) {
    while (a[i] < pivot) i++;
    while (a[j] > pivot) j--;
    if (i <= j) {
      const held = a[i];
      a[i] = a[j];
      a[j] = held;
      i++;
      j--;
    }
  }
  if (low < j) quicksort(a, low, j);
  if (i < high) quicksort(a, i, high);
}

export function run(rounds) {
  const numbers = new Float64Array(COUNT);
  let seed = 42;
  let total = 0;
  for (let round = 1; round <= rounds; round++) {
    for (let n = 0; n < COUNT; n++) {
      seed = (seed * 16807) % 2147483647;
      numbers[n] = seed;
    }
    quicksort(numbers, 0, COUNT - 1);
    for (let n = 1; n < COUNT; n++) if (numbers[n - 1] > numbers[n]) throw new Error("not sorted");
    total += numbers[1000] % 1000003;
  }
  return total;
}
