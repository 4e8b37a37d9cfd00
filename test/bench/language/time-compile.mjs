/** Compiles one program again and again and prints the seconds of each: `node time-compile.mjs DIST/index.mjs PROGRAM REPEATS`. */
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [library, program, repeats] = process.argv.slice(2);
const { createInterpreter, createHost, standard, json } = await import(pathToFileURL(library).href);
const interpreter = createInterpreter({ modules: [standard(), json()], host: createHost() });
const source = readFileSync(program, "utf8");
for (let repeat = 0; repeat < Number(repeats); repeat++) {
  const start = performance.now();
  const complaints = await interpreter.check(source, { file: program });
  const seconds = (performance.now() - start) / 1000;
  // Warnings of what fails at run time do not matter here, anything that keeps the program from being compiled does.
  const error = complaints.find(({ severity }) => severity === "error");
  if (error) throw new Error(`${error.code} ${error.message}`);
  process.stdout.write(`${seconds}\n`);
}
await interpreter.close();
