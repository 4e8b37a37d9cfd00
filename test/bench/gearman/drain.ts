/**
 * Drains a queue of the Gearman benchmark and prints the seconds it took for the jobs that count, to the last result sent.
 * Arguments: server, function, number of jobs that count, jobs held at most, jobs done before (a worker lives long: what
 * the engine does in its first moments is not what is measured).
 */
import { GearmanWorker } from "../../../src/core/gearman/index.ts";

const [server = "", name = "", count = "0", held = "1", before = "0"] = process.argv.slice(2);
const result = Buffer.from("ok");
const worker = new GearmanWorker({ servers: [server], concurrency: Number(held) });
let left = Number(count) + Number(before);
let start = performance.now();
const done = new Promise<void>((resolve) => {
  worker.add(name, () => {
    if (left-- === Number(count)) start = performance.now();
    if (left === 0) setImmediate(resolve);
    return result;
  });
});
worker.start();
await done;
process.stdout.write(`${((performance.now() - start) / 1000).toFixed(6)}\n`);
await worker.stop();
