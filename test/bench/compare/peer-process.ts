/** A peer as a process: what it tells, and what can be said about one that tells nothing: it hangs, or it ended. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Library } from "./libraries.ts";

/** Longest error text that goes into the report, in characters. */
const MAX_TEXT = 90;

/** A running peer. */
export interface Peer {
  /** The next result, or null when the peer ended, or told nothing within so many milliseconds. */
  next(deadlineMs: number): Promise<string | null>;
  /** How the process ended, with the error it printed; null while it runs. */
  ending(): string | null;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  /** Ends it with SIGKILL; resolves when it is gone. */
  stop(): Promise<void>;
}

/** Starts one end of a library. */
export function startPeer(library: Library, role: string, port: number, args: readonly (string | number)[] = []): Peer {
  const [program, ...own] = library.command;
  const child = spawn(program, [...own, role, port, ...args].map(String), { stdio: ["ignore", "pipe", "pipe"] });
  const told: string[] = [];
  let errors = "";
  let hasEnded = false;
  let wake = (): void => undefined;
  createInterface(child.stdout).on("line", (line) => {
    if (line.startsWith("RESULT ")) told.push(line.slice("RESULT ".length));
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-20_000);
  });
  const gone = once(child, "close").then(() => {
    hasEnded = true;
    wake();
  });
  return {
    gone,
    async next(deadlineMs) {
      const endsAt = performance.now() + deadlineMs;
      while (told.length === 0 && !hasEnded && performance.now() < endsAt) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, endsAt - performance.now());
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      return told.shift() ?? null;
    },
    ending: () => (hasEnded ? `process ended: ${errorIn(errors) || `code ${child.exitCode}`}` : null),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Runs a role that tells one result and ends. */
export async function runPeer(
  library: Library,
  role: string,
  port: number,
  args: readonly (string | number)[] = [],
  deadlineMs = 20_000,
): Promise<string> {
  const peer = startPeer(library, role, port, args);
  try {
    const told = await peer.next(deadlineMs);
    return shortened(told ?? peer.ending() ?? `no answer within ${deadlineMs / 1000} s`);
  } finally {
    await peer.stop();
  }
}

/** The line of a crash report that says what happened. */
function errorIn(text: string): string {
  // Logs begin with the logger's name in brackets.
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("["));
  const isCrash = (line: string) => /^(?:\w*Error\b|\w+ \[\w+\]:|PHP Fatal)/.test(line);
  return lines.find(isCrash) ?? lines.find((line) => /error/i.test(line)) ?? "";
}

/** A text that fits into a table: one line, no paths, no ports, not too long. */
export function shortened(text: string): string {
  const plain = text
    .replaceAll("|", "/")
    .replace(/(?:\/[\w.@-]+){2,}/g, "…")
    .replace(/:\d{4,5}\b/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return plain.length > MAX_TEXT ? `${plain.slice(0, MAX_TEXT)}…` : plain;
}
