/** String building: lines of a report put together from parts, and lines turned round character by character. */
function reversed(text) {
  let result = "";
  for (let i = text.length - 1; i >= 0; i--) result += text[i];
  return result;
}

function report(round) {
  let text = "";
  for (let n = 1; n <= 1000; n++) {
    let line = "item " + n + ": ";
    for (let c = 0; c < 8; c++) line += String.fromCharCode(65 + ((n * c + round) % 26));
    text += line.slice(0, 2).toUpperCase() + reversed(line) + "\n";
  }
  return text;
}

export function run(rounds) {
  let total = 0;
  for (let round = 1; round <= rounds; round++) {
    const text = report(round);
    total += text.length + text.charCodeAt(round % 5000);
  }
  return total;
}
