/** Runs a program of test/fixtures/gearman as a process of its own, which talks to the test and may be killed. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { projectDirectory } from "../../../src/tools/build.ts";

/** A process that sends messages. */
export interface Fixture {
  /** The next message. Fails when the process ends first, with what it wrote. */
  message(): Promise<unknown>;
  /** Ends it with SIGKILL; resolves when it is gone. May be called again. */
  kill(): Promise<void>;
}

/** Starts a program with these arguments. */
export function runFixture(file: string, args: readonly string[]): Fixture {
  const child = fork(join(projectDirectory, "test/fixtures/gearman", file), args, {
    cwd: projectDirectory,
    execArgv: ["--import", "tsx"],
    silent: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text: string) => (output += text));
  const messages: unknown[] = [];
  const waiting: (() => void)[] = [];
  const look = () => {
    for (const wake of waiting.splice(0)) wake();
  };
  child.on("message", (message) => {
    messages.push(message);
    look();
  });
  const closed = once(child, "close").then(look);
  return {
    async message() {
      while (messages.length === 0) {
        if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${file} ended without a message: ${output}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
      return messages.shift();
    },
    async kill() {
      child.kill("SIGKILL");
      await closed;
    },
  };
}
