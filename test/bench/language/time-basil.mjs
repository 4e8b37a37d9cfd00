/**
 * Runs one Basil program and prints what it printed, the seconds the run took and the seconds compiling took:
 * `node time-basil.mjs DIST/index.mjs PROGRAM ROUNDS`. The program is compiled beforehand: a first run ends at its first
 * step and leaves the compiled program in a cache, the second is measured.
 */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [library, program, rounds] = process.argv.slice(2);
const { createInterpreter, createHost, standard, json } = await import(pathToFileURL(library).href);
const source = readFileSync(program, "utf8");
const kept = new Map();
const chunks = [];

function interpreter(limits) {
  return createInterpreter({
    modules: [standard(), json()],
    host: createHost({ arguments: [rounds] }, { write: (bytes) => void chunks.push(Buffer.from(bytes)) }),
    limits,
    cache: { read: (key) => kept.get(key), write: (key, text) => void kept.set(key, text) },
  });
}

async function seconds(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}

const first = interpreter({ steps: 1 });
const compileSeconds = await seconds(() => first.run(source, { file: program }));
if (kept.size !== 1) throw new Error(`${program} was not kept compiled: ${JSON.stringify(await first.check(source))}`);
chunks.length = 0;

const measured = interpreter({});
let outcome;
const runSeconds = await seconds(async () => {
  outcome = await measured.run(source, { file: program });
});
if (outcome.kind !== "ended") throw new Error(`${program} ${outcome.kind}: ${outcome.error?.message}`);
process.stdout.write(`${Buffer.concat(chunks).toString().trim()} ${runSeconds} ${compileSeconds}\n`);
await measured.close();
