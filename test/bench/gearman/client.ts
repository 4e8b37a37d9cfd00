/** The client of the Gearman benchmark that BASIC's is compared with. Arguments: server, function, number of jobs. Prints the seconds they took. */
import { GearmanClient } from "../../../src/core/gearman/index.ts";

const [server = "", name = "", count = "0"] = process.argv.slice(2);
const client = new GearmanClient({ servers: [server] });
const payload = "p".repeat(100);
for (let i = 0; i < 200; i++) await client.submit({ name, payload });
const start = performance.now();
for (let i = 0; i < Number(count); i++) (await client.submit({ name, payload })).toString();
process.stdout.write(`${((performance.now() - start) / 1000).toFixed(6)}\n`);
await client.close();
