/** Workers for tests: small programs in sh and node, and what the system says of processes. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { textOf } from "../../../src/core/obrien/capture.ts";
import type { WorkerEnd } from "../../../src/core/obrien/worker-end.ts";
import { type RunningWorker, startWorker, type WorkerOptions } from "../../../src/core/obrien/worker-process.ts";

type Options = Omit<WorkerOptions, "command">;

/** A worker that runs a script of sh, which begins at once unless its input is undefined. */
export function sh(script: string, options: Options = { input: [] }): RunningWorker {
  return startWorker({ command: { program: "sh", args: ["-c", script] }, ...options });
}

/** A worker that runs JavaScript. */
export function node(code: string, options: Options = { input: [] }): RunningWorker {
  return startWorker({ command: { program: process.execPath, args: ["-e", code] }, ...options });
}

/** What a worker printed. */
export const out = (end: WorkerEnd): string => textOf(end.stdout);
export const err = (end: WorkerEnd): string => textOf(end.stderr);

/** Whether a process runs; one that only waits to be collected by its parent does not. */
export function isRunning(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}

/** Waits until a process is gone: it is not ours, so nothing tells. */
export async function gone(pid: number): Promise<void> {
  await vi.waitFor(
    () => {
      if (isRunning(pid)) throw new Error(`process ${pid} still runs`);
    },
    { timeout: 10_000, interval: 10 },
  );
}

/** A directory for one test, and a wait for the files that workers make in it. */
export function scratch(): { path: string; made: (name: string) => Promise<string>; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "obrien-worker-"));
  const made = (name: string): Promise<string> =>
    vi.waitFor(
      () => {
        const text = existsSync(join(path, name)) ? readFileSync(join(path, name), "utf8") : "";
        if (text === "") throw new Error(`no ${name} yet`);
        return text;
      },
      { timeout: 20_000, interval: 10 },
    );
  return { path, made, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
