/** Starts real gearmand processes for tests, on free ports of this machine, and stops them by their pid. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How a test wants its gearmand. */
export interface GearmandOptions {
  /** Listen on this port, for example one a stopped server had. Default: a free one. */
  readonly port?: number;
  /** Further command-line arguments, such as `["--threads", "0"]`. */
  readonly args?: readonly string[];
}

/** A running gearmand. */
export interface Gearmand {
  readonly port: number;
  /** `127.0.0.1:port`. */
  readonly server: string;
  readonly pid: number;
  /** Ends it with SIGTERM; resolves when it is gone. May be called again. */
  stop(): Promise<void>;
  /** Ends it with SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** How long a gearmand may take to start or stop, in milliseconds. */
const DEADLINE_MS = 15_000;

/** Whether gearmand is installed: tests that need it are skipped without it. */
export function hasGearmand(): boolean {
  return canRun("gearmand");
}

/** Whether a program is installed and answers `--version` or `-V`. */
export function canRun(program: string): boolean {
  try {
    execFileSync(program, [program === "gearman" ? "-V" : "--version"], { stdio: "ignore" });
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ENOENT");
  }
}

/** A port nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

/** Starts gearmand and resolves when it accepts connections. Another process may take the free port first, so a few are tried. */
export async function startGearmand(options: GearmandOptions = {}): Promise<Gearmand> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options.port ?? (await freePort()), options.args ?? []);
    } catch (error) {
      if (options.port !== undefined || attempt === 3) throw error;
    }
  }
}

async function startOnce(port: number, args: readonly string[]): Promise<Gearmand> {
  const directory = mkdtempSync(join(tmpdir(), "gearmand-"));
  const log = join(directory, "log");
  const child = spawn("gearmand", ["--listen", "127.0.0.1", "--port", String(port), "--log-file", log, ...args], {
    stdio: "ignore",
  });
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await Promise.race([exited, sleep(DEADLINE_MS, undefined, { ref: false }).then(() => child.kill("SIGKILL"))]);
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await accepts(port, child);
  } catch (error) {
    const details = readLog(log);
    await end("SIGKILL");
    throw new Error(`gearmand did not start on port ${port}: ${details}`, { cause: error });
  }
  return { port, server: `127.0.0.1:${port}`, pid: child.pid ?? 0, stop: () => end("SIGTERM"), kill: () => end("SIGKILL") };
}

async function accepts(port: number, child: ChildProcess): Promise<void> {
  const endsAt = Date.now() + DEADLINE_MS;
  while (!(await canConnect(port))) {
    if (child.exitCode !== null || child.pid === undefined) throw new Error(`it ended with code ${child.exitCode}`);
    if (Date.now() > endsAt) throw new Error(`it did not accept connections within ${DEADLINE_MS} ms`);
    await sleep(10);
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const answer = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => answer(true));
    socket.once("error", () => answer(false));
  });
}

function readLog(path: string): string {
  try {
    return readFileSync(path, "utf8").trim() || "nothing logged";
  } catch {
    return "no log";
  }
}
