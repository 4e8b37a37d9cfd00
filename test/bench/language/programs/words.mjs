/** A dictionary: how often each of 3,000 words stands in a text of 100,000, counted anew each round. */
function makeText() {
  const words = [];
  let seed = 42;
  for (let i = 0; i < 100_000; i++) {
    seed = (seed * 16807) % 2147483647;
    words.push("word" + (seed % 3000));
  }
  return words.join(" ");
}

function count(text) {
  const counts = new Map();
  for (const word of text.split(" ")) {
    if (counts.has(word)) counts.set(word, counts.get(word) + 1);
    else counts.set(word, 1);
  }
  return counts;
}

export function run(rounds) {
  const text = makeText();
  let total = 0;
  for (let round = 1; round <= rounds; round++) {
    const counts = count(text);
    total += counts.size + counts.get("word" + (round % 3000));
  }
  return total;
}
