/** What a SUB finds around it in the process of its job: a sandbox, and what its class adds. */
import { hostname } from "node:os";
import { json } from "../../../modules/json/index.ts";
import type { ClassHeader, ModuleSettings } from "../../../modules/obrien/frame.ts";
import { standard } from "../../../modules/standard/index.ts";
import type { Host } from "../../../runtime/capabilities.ts";
import type { AnyModule } from "../../../runtime/host.ts";
import { sleep } from "../host/sleep.ts";
import { type Output, writeAll } from "./descriptors.ts";

const STANDARD_ERROR = 2;

/** The modules every SUB has. */
export const ownModules = (): AnyModule[] => [standard(), json()];

/** The modules that a class may name, loaded on use. OBRIEN is none of them: a job asks for others with its verdict. */
const NAMED_MODULES: Readonly<Record<string, (settings: ModuleSettings, directory: string) => Promise<AnyModule>>> = {
  async GEARMAN(settings, directory) {
    const { gearman } = await import("../../../modules/gearman/index.ts");
    return gearman({ ...settings, directory, homeDirectory: process.env["HOME"] ?? "/", environment: process.env });
  },
};

/** The modules of a class. */
export async function namedModules({ modules, directory }: ClassHeader): Promise<AnyModule[]> {
  const named = Object.entries(modules).map(([name, settings]) => NAMED_MODULES[name]?.(settings, directory));
  return (await Promise.all(named)).filter((module) => module !== undefined);
}

/** The host of one job. */
export async function hostOf({ allow, directory }: ClassHeader, output: Output): Promise<Host> {
  return {
    write: (bytes) => output.write(bytes),
    writeError: (text) => writeAll(STANDARD_ERROR, Buffer.from(text)),
    now: () => Date.now(),
    randomSeed: () => Math.floor(Math.random() * 2 ** 48),
    sleep,
    uuid: () => globalThis.crypto.randomUUID(),
    hostName: () => hostname(),
    arguments: [],
    ...(allow.length > 0 && (await allowed(allow, directory))),
  };
}

async function allowed(allow: ClassHeader["allow"], directory: string): Promise<Partial<Host>> {
  const [{ NodeEnvironment }, { NodeFiles }, { NodeShell }] = await Promise.all([
    import("../host/environment.ts"),
    import("../host/files.ts"),
    import("../host/shell.ts"),
  ]);
  const environment = new NodeEnvironment(process.env);
  const { stdin, stdout, stderr } = process;
  return {
    ...(allow.includes("environment") && { environment }),
    ...(allow.includes("files") && { files: new NodeFiles(directory) }),
    ...(allow.includes("shell") && { shell: new NodeShell({ directory, stdin, stdout, stderr }, environment) }),
  };
}
