/**
 * Drains a queue of the Gearman benchmark and prints the seconds it took, from the first grab to the last result sent.
 * Arguments: server, function, number of jobs, jobs held at most.
 */
import { GearmanWorker } from "../../../src/core/gearman/index.ts";

const [server = "", name = "", count = "0", held = "1"] = process.argv.slice(2);
const result = Buffer.from("ok");
const worker = new GearmanWorker({ servers: [server], concurrency: Number(held) });
let left = Number(count);
const done = new Promise<void>((resolve) => {
  worker.add(name, () => {
    if (--left === 0) setImmediate(resolve);
    return result;
  });
});
const start = performance.now();
worker.start();
await done;
process.stdout.write(`${((performance.now() - start) / 1000).toFixed(6)}\n`);
await worker.stop();
