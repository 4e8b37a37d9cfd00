/**
 * The worker of the Gearman benchmark, in a process of its own.
 * Arguments: server, jobs held at most, functions with commas between.
 */
import { GearmanWorker } from "../../../src/core/gearman/index.ts";

const [server = "127.0.0.1:4730", held = "64", functions = ""] = process.argv.slice(2);
const result = Buffer.from("ok");
const worker = new GearmanWorker({ servers: [server], concurrency: Number(held) });
for (const name of functions.split(",")) worker.add(name, () => result);
worker.start();
await worker.ready();
process.send?.("ready");
await new Promise((resolve) => process.once("message", resolve));
await worker.stop();
process.disconnect?.();
