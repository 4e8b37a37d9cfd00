/** The worker of the Gearman benchmark, in a process of its own: it serves both sides and drains the background queue. */
import { GearmanWorker } from "../../src/core/gearman/index.ts";

const result = Buffer.from("ok");
const worker = new GearmanWorker({ servers: [process.argv[2] ?? "127.0.0.1:4730"], concurrency: 64 });
worker.add("bench.run", () => result);
worker.add("bench.drain", () => result);
worker.start();
await worker.ready();
process.send?.("ready");
await new Promise((resolve) => process.once("message", resolve));
await worker.stop();
process.disconnect?.();
