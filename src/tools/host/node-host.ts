/** The world as the `basil` command gives it to a program: this process's streams, files, environment and shell. */
import { hostname } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { Host } from "../../../runtime/capabilities.ts";
import { NodeEnvironment } from "./environment.ts";
import { NodeFiles } from "./files.ts";
import { OutputStream } from "./output.ts";
import { NodeShell } from "./shell.ts";
import { sleep } from "./sleep.ts";
import { StandardInput } from "./standard-input.ts";

export interface NodeHostOptions {
  /** Where relative paths start: the script's directory. */
  readonly directory: string;
  /** What the program finds in ARGS. */
  readonly arguments: readonly string[];
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Copied; `process.env` unless given. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Output is dropped when its reader is gone; else that ends the program. */
  readonly outlivesReader?: boolean;
  /** Leaves out files, environment and shell. */
  readonly sandbox?: boolean;
}

/** A host that gives back what it took from the process. */
export interface NodeHost extends Host {
  /** Stops reading the terminal and gives its normal mode back. */
  close(): void;
}

/** Makes the host of one program. */
export function createNodeHost(options: NodeHostOptions): NodeHost {
  const output = new OutputStream(options.stdout, options.outlivesReader);
  let input: StandardInput | undefined;
  const environment = new NodeEnvironment(options.environment ?? process.env);
  return {
    write: (bytes) => output.write(bytes),
    writeError: (text) => void options.stderr.write(text),
    now: () => Date.now(),
    randomSeed: () => Math.floor(Math.random() * 2 ** 48),
    sleep,
    uuid: () => globalThis.crypto.randomUUID(),
    hostName: () => hostname(),
    arguments: options.arguments,
    get input() {
      input ??= new StandardInput(options.stdin); // on first use: few programs read any
      return input;
    },
    ...(!options.sandbox && {
      environment,
      files: new NodeFiles(options.directory),
      shell: new NodeShell(options, environment),
    }),
    close() {
      input?.close();
      output.close();
    },
  };
}
