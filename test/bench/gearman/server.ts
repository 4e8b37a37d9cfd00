/** The embedded server of the Gearman benchmark, in a process of its own; it says on which port it listens. */
import { GearmanServer } from "../../../src/core/gearman/index.ts";

const server = new GearmanServer();
const { port } = await server.listen();
process.send?.(port);
await new Promise((resolve) => process.once("message", resolve));
await server.close();
process.disconnect?.();
