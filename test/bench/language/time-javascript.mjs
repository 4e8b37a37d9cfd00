/** Runs one JavaScript program and prints its result and the seconds it took: `node time-javascript.mjs PROGRAM ROUNDS`. */
import { pathToFileURL } from "node:url";

const [program, rounds] = process.argv.slice(2);
const { run } = await import(pathToFileURL(program).href);
const start = performance.now();
const result = run(Number(rounds));
const seconds = (performance.now() - start) / 1000;
process.stdout.write(`${result} ${seconds}\n`);
