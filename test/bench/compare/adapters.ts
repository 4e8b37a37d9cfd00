/**
 * The npm packages that are compared, each behind the same two calls. Each is used as its own documentation shows,
 * with its default settings, and everything it can tell about a failure is listened to.
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** A client: both calls reject when the package says that the job failed. */
export interface PeerClient {
  submit(name: string, payload: Buffer): Promise<Buffer>;
  /** Resolves when the package says that the server took the job; left out when it never says so. */
  submitBackground?(name: string, payload: Buffer): Promise<unknown>;
}

/** A package as both ends of a job. `onError` hears of failures that belong to no job. */
export interface Adapter {
  client(port: number, onError: (error: Error) => void): PeerClient | Promise<PeerClient>;
  /** A worker that answers `echo` with what it got, and fails `fail` with the reason `no luck`. */
  work(port: number, onError: (error: Error) => void): void | Promise<void>;
}

/** What the packages have in common: things that emit events. */
interface Emitter {
  on(event: string, listener: (...values: never[]) => void): unknown;
}

const HOST = "127.0.0.1";
const REASON = "no luck";

/** The adapter of a package that lies in `directory`; for ours that is the directory of the built library. */
export function adapterOf(library: string, directory: string): Adapter {
  const make = ADAPTERS[library];
  if (!make) throw new Error(`no adapter for ${library}: there are ${Object.keys(ADAPTERS).join(", ")}`);
  return make(directory);
}

const ADAPTERS: Record<string, (directory: string) => Adapter> = {
  "basil-gearman": ours,
  gearmanode,
  "node-gearman": nodeGearman,
  gearman,
  abraxas,
  "gearman-node": gearmanNode,
};

/** A package by its name, as `directory` has it. */
function load<Package>(directory: string, name: string): Package {
  return createRequire(join(directory, "package.json"))(name) as Package;
}

function ours(directory: string): Adapter {
  const library = (): Promise<typeof import("../../../src/core/gearman/index.ts")> =>
    import(pathToFileURL(join(directory, "gearman.mjs")).href);
  return {
    async client(port) {
      const { GearmanClient } = await library();
      const client = new GearmanClient({ servers: [`${HOST}:${port}`] });
      return {
        submit: (name, payload) => client.submit({ name, payload }),
        submitBackground: (name, payload) => client.submitBackground({ name, payload }),
      };
    },
    async work(port) {
      const { GearmanWorker } = await library();
      const worker = new GearmanWorker({ servers: [`${HOST}:${port}`] });
      worker.add("echo", (job) => job.payload);
      worker.add("fail", () => {
        throw new Error(REASON);
      });
      worker.start();
    },
  };
}

interface GearmanodeJob extends Emitter {
  readonly payload: Buffer;
  readonly response: Buffer;
  workComplete(result: Buffer): void;
  reportWarning(text: string): void;
  reportError(): void;
}

interface Gearmanode {
  client(options: object): Emitter & { submitJob(name: string, payload: Buffer, options?: object): GearmanodeJob };
  worker(options: object): Emitter & { addFunction(name: string, run: (job: GearmanodeJob) => void): void };
}

function gearmanode(directory: string): Adapter {
  const library = load<Gearmanode>(directory, "gearmanode");
  return {
    client(port, onError) {
      const client = library.client({ host: HOST, port });
      client.on("error", onError);
      const submit = (done: string, name: string, payload: Buffer, options?: object) =>
        new Promise<Buffer>((resolve, reject) => {
          const job = client.submitJob(name, payload, options);
          const words = warningsOf(job, "warning");
          job.on(done, () => resolve(job.response));
          job.on("failed", () => reject(failure(words)));
          job.on("exception", (text: Buffer) => reject(new Error(String(text))));
          job.on("error", reject);
        });
      return {
        submit: (name, payload) => submit("complete", name, payload),
        submitBackground: (name, payload) => submit("created", name, payload, { background: true }),
      };
    },
    work(port, onError) {
      const worker = library.worker({ host: HOST, port });
      worker.on("error", onError);
      worker.addFunction("echo", (job) => job.workComplete(job.payload));
      worker.addFunction("fail", (job) => {
        job.reportWarning(REASON);
        job.reportError();
      });
    },
  };
}

interface NodeGearmanWork {
  end(result: Buffer): void;
  error(reason: Error): void;
}

interface NodeGearman extends Emitter {
  submitJob(name: string, payload: Buffer): Emitter;
  registerWorker(name: string, run: (payload: Buffer, work: NodeGearmanWork) => void): void;
}

function nodeGearman(directory: string): Adapter {
  const Gearman = load<new (host: string, port: number) => NodeGearman>(directory, "node-gearman");
  const connected = (port: number, onError: (error: Error) => void) => {
    const gearman = new Gearman(HOST, port);
    gearman.on("error", onError);
    return gearman;
  };
  return {
    client(port, onError) {
      const client = connected(port, onError);
      return {
        submit: (name, payload) =>
          new Promise((resolve, reject) => {
            const pieces: Buffer[] = [];
            const job = client.submitJob(name, payload);
            job.on("data", (piece: Buffer) => pieces.push(piece));
            job.on("end", () => resolve(Buffer.concat(pieces)));
            job.on("error", reject);
          }),
      };
    },
    work(port, onError) {
      const worker = connected(port, onError);
      worker.registerWorker("echo", (payload, work) => work.end(payload));
      worker.registerWorker("fail", (_, work) => work.error(new Error(REASON)));
    },
  };
}

interface LowLevelGearman extends Emitter {
  connect(connected: () => void): void;
  submitJob(name: string, payload: Buffer, options: object): void;
  addFunction(name: string): void;
  preSleep(): void;
  grabJob(): void;
  sendWorkComplete(handle: string, result: Buffer): void;
  sendWorkWarning(handle: string, text: string): void;
  sendWorkFail(handle: string): void;
}

/** What is told of a job of `gearman`, which leaves it to its user to find the job that an event is about. */
interface LowLevelEvent {
  readonly handle: string;
  readonly payload: Buffer;
  readonly warning?: string;
}

interface Waiting {
  readonly resolve: (result: Buffer) => void;
  readonly reject: (error: Error) => void;
  readonly words: string[];
  readonly background: boolean;
}

function gearman(directory: string): Adapter {
  const open = load<(host: string, port: number) => LowLevelGearman>(directory, "gearman");
  return {
    client: (port, onError) => lowLevelClient(open(HOST, port), onError),
    work(port, onError) {
      const worker = open(HOST, port);
      worker.on("error", onError);
      worker.on("JOB_ASSIGN", ({ handle, func_name, payload }: LowLevelEvent & { func_name: string }) => {
        if (func_name === "echo") worker.sendWorkComplete(handle, payload);
        else {
          worker.sendWorkWarning(handle, REASON);
          worker.sendWorkFail(handle);
        }
        worker.grabJob();
      });
      worker.on("NO_JOB", () => worker.preSleep());
      worker.on("NOOP", () => worker.grabJob());
      worker.connect(() => {
        for (const name of ["echo", "fail"]) worker.addFunction(name);
        worker.preSleep();
      });
    },
  };
}

async function lowLevelClient(client: LowLevelGearman, onError: (error: Error) => void): Promise<PeerClient> {
  const submitted: Waiting[] = [];
  const running = new Map<string, Waiting>();
  const over = (handle: string): Waiting | undefined => {
    const job = running.get(handle);
    running.delete(handle);
    return job;
  };
  client.on("error", onError);
  client.on("JOB_CREATED", (handle: string) => {
    const job = submitted.shift()!;
    if (job.background) job.resolve(Buffer.alloc(0));
    else running.set(handle, job);
  });
  client.on("WORK_WARNING", ({ handle, warning }: LowLevelEvent) => running.get(handle)?.words.push(String(warning)));
  client.on("WORK_COMPLETE", ({ handle, payload }: LowLevelEvent) => over(handle)?.resolve(payload));
  client.on("WORK_FAIL", ({ handle }: LowLevelEvent) => {
    const job = over(handle);
    job?.reject(failure(job.words));
  });
  const submit = (name: string, payload: Buffer, background: boolean) =>
    new Promise<Buffer>((resolve, reject) => {
      submitted.push({ resolve, reject, words: [], background });
      client.submitJob(name, payload, { background });
    });
  // Nothing but an `error` event says that connecting failed, and `onError` hears that.
  await new Promise<void>((resolve) => client.connect(resolve));
  return {
    submit: (name, payload) => submit(name, payload, false),
    submitBackground: (name, payload) => submit(name, payload, true),
  };
}

type AbraxasTask = Emitter & PromiseLike<Buffer>;

interface AbraxasClient extends Emitter {
  submitJob(name: string, payload: Buffer): AbraxasTask;
  submitJobBg(name: string, payload: Buffer): PromiseLike<unknown>;
  registerWorker(name: string, run: (task: { payload: Buffer }) => Buffer): void;
}

function abraxas(directory: string): Adapter {
  const library = load<{ Client: { connect(options: object): AbraxasClient } }>(directory, "abraxas");
  const connected = (port: number, onError: (error: Error) => void) => {
    const client = library.Client.connect({ host: HOST, port });
    client.on("error", onError);
    client.on("connection-error", onError);
    return client;
  };
  return {
    client(port, onError) {
      const client = connected(port, onError);
      return {
        async submit(name, payload) {
          const task = client.submitJob(name, payload);
          const words = warningsOf(task, "warn");
          try {
            return await task;
          } catch (error) {
            throw new Error([String(error), ...words].join(": "), { cause: error });
          }
        },
        submitBackground: async (name, payload) => client.submitJobBg(name, payload),
      };
    },
    work(port, onError) {
      const worker = connected(port, onError);
      worker.registerWorker("echo", (task) => task.payload);
      worker.registerWorker("fail", () => {
        throw new Error(REASON);
      });
    },
  };
}

interface GearmanNodeWork {
  complete(result: Buffer): void;
  error(reason: string): void;
}

interface GearmanNode {
  readonly Client: new (options: object) => Emitter & { submitJob(name: string, payload: Buffer): Emitter };
  readonly Worker: new (name: string, run: (payload: Buffer, work: GearmanNodeWork) => void, options: object) => Emitter;
}

function gearmanNode(directory: string): Adapter {
  const { Client, Worker } = load<GearmanNode>(directory, "gearman-node");
  return {
    client(port, onError) {
      const client = new Client({ host: HOST, port });
      client.on("error", onError);
      return {
        submit: (name, payload) =>
          new Promise((resolve, reject) => {
            const job = client.submitJob(name, payload);
            const words = warningsOf(job, "warning", 1);
            job.on("complete", (_handle: string, result: Buffer) => resolve(result));
            job.on("fail", () => reject(failure(words)));
          }),
      };
    },
    work(port, onError) {
      const options = { host: HOST, port };
      new Worker("echo", (payload, work) => work.complete(payload), options).on("error", onError);
      new Worker("fail", (_, work) => work.error(REASON), options).on("error", onError);
    },
  };
}

/** The warnings of a job, as they come: where a package has no other way, they are the reason of a failure. */
function warningsOf(job: Emitter, event: string, at = 0): string[] {
  const words: string[] = [];
  job.on(event, (...values: unknown[] & never[]) => words.push(String(values[at])));
  return words;
}

function failure(words: readonly string[]): Error {
  return new Error(["the job failed", ...words].join(": "));
}
