/** Runs programs that use GEARMAN in an interpreter of their own, with all they write, and servers to run them on. */

import { type GearmanOptions, gearman } from "../../../modules/gearman/index.ts";
import { json } from "../../../modules/json/index.ts";
import { standard } from "../../../modules/standard/index.ts";
import { decodeBytes } from "../../../runtime/bytes.ts";
import type { Host } from "../../../runtime/capabilities.ts";
import type { Limits } from "../../../runtime/engine/engine.ts";
import { createInterpreter, type Interpreter, type Outcome } from "../../../runtime/interpreter.ts";
import { GearmanServer } from "../../../src/core/gearman/server/server.ts";
import { pause } from "../../../src/core/net/deadline.ts";
import { bareHost } from "../../helpers/call-row.ts";

/** How long a condition may take to come true, in milliseconds. */
const PATIENCE_MS = 20_000;

/** A program and what it has written so far. */
export interface Program {
  readonly interpreter: Interpreter;
  /** Whether a module said that a stop should be graceful, as often as it said so. */
  readonly holds: readonly boolean[];
  output(): string;
  errors(): string;
  run(source: string, signal?: AbortSignal): Promise<Outcome>;
  /** Resolves when the program has printed this. */
  printed(text: string): Promise<void>;
}

/** A program on its own; `close` its interpreter at the end. */
export function program(options: GearmanOptions, limits: Limits = {}): Program {
  let output = "";
  let errors = "";
  const holds: boolean[] = [];
  const host: Host = {
    ...bareHost,
    now: () => Date.now(),
    sleep: (milliseconds, signal) => pause(milliseconds, signal),
    write: (bytes) => {
      output += decodeBytes(bytes);
    },
    writeError: (text) => {
      errors += text;
    },
  };
  const interpreter = createInterpreter({
    modules: [standard(), json(), gearman(options)],
    host,
    limits,
    onGracefulStop: (isNeeded) => holds.push(isNeeded),
  });
  return {
    interpreter,
    holds,
    output: () => output,
    errors: () => errors,
    run: (source, signal) => interpreter.run(source, { file: "test.basil", ...(signal && { signal }) }),
    printed: (text) => eventually(() => output.includes(text), `the program prints ${JSON.stringify(text)}, not ${output}`),
  };
}

/** Runs a program to its end and closes everything; an outcome other than `ended` is told with its message. */
export async function outputOf(source: string, options: GearmanOptions, limits: Limits = {}): Promise<string> {
  const { interpreter, run, output } = program(options, limits);
  try {
    return output() + told(await run(source), output);
  } finally {
    await interpreter.close();
  }
}

const told = (outcome: Outcome, output: () => string): string => {
  if (outcome.kind === "failed") return `${output()}failed: ${outcome.error.message}\n`;
  if (outcome.kind === "rejected") return outcome.complaints.map(({ message }) => message).join("\n");
  return output();
};

/** Looks until a condition is true. */
export async function eventually(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endsAt = Date.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (Date.now() > endsAt) throw new Error(`waited in vain until ${what}`);
    await pause(5);
  }
}

/** Gives a server of its own to a test. */
export async function withServer<T>(use: (server: string, port: number) => Promise<T>, port = 0): Promise<T> {
  const server = new GearmanServer({ port });
  const address = await server.listen();
  try {
    return await use(`127.0.0.1:${address.port}`, address.port);
  } finally {
    await server.close();
  }
}
