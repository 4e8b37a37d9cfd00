/** Clients and workers of other languages as processes, and our own beside them: all do the same calls and offer the same functions. */
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { projectDirectory } from "../../../src/tools/build.ts";

const FIXTURES = join(projectDirectory, "test/fixtures/gearman");
const PEER_C = join(FIXTURES, "peer.c");

/** A client library and worker library, and what it cannot do. */
export interface ForeignPeer {
  readonly name: string;
  readonly isInstalled: boolean;
  /** Makes it ready to run, if need be in `directory`; the program and its first arguments. */
  readonly prepare: (directory: string) => readonly string[];
  /** Its client can send an empty payload. */
  readonly sendsEmpty: boolean;
  /** What its client makes of an exception when the program did not ask for exceptions; null when that ends badly with gearmand. */
  readonly hidden: { readonly embedded: string; readonly gearmand: string | null };
  /** Its worker can end a job with an empty result. */
  readonly returnsEmpty: { readonly embedded: boolean; readonly gearmand: boolean };
  /** Its worker learns a job's unique key. */
  readonly seesUnique: boolean;
}

/** What a peer printed: one text for each thing it tried. */
export type PeerReport = Readonly<Record<string, string>>;

/** A peer's runs take a second at most; this bounds what hangs, in milliseconds. */
const DEADLINE_MS = 20_000;

function succeeds(program: string, args: readonly string[]): boolean {
  try {
    execFileSync(program, args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** The peers that Debian has. Everybody else builds on these, or speaks the protocol as they do. */
export const FOREIGN_PEERS: readonly ForeignPeer[] = [
  {
    name: "libgearman",
    isInstalled: succeeds("gcc", ["-E", PEER_C]),
    prepare: (directory) => {
      const program = join(directory, "peer");
      execFileSync("gcc", ["-O1", "-o", program, PEER_C, "-lgearman"], { stdio: "ignore" });
      return [program];
    },
    sendsEmpty: false, // it refuses to
    hidden: { embedded: "failed", gearmand: null }, // it waits for ever: gearmand's WORK_FAIL has a NUL in the handle
    returnsEmpty: { embedded: true, gearmand: true },
    seesUnique: true,
  },
  {
    name: "PHP",
    isInstalled: succeeds("php", ["-r", "new GearmanClient; new GearmanWorker;"]),
    prepare: () => ["php", join(FIXTURES, "peer.php")],
    sendsEmpty: false, // libgearman refuses to
    hidden: { embedded: "exception", gearmand: "exception" }, // it always asks
    returnsEmpty: { embedded: true, gearmand: true },
    seesUnique: true,
  },
  {
    name: "Perl",
    isInstalled: succeeds("perl", ["-MGearman::Client", "-MGearman::Worker", "-e", "1"]),
    prepare: () => ["perl", join(FIXTURES, "peer.pl")],
    sendsEmpty: true,
    hidden: { embedded: "failed", gearmand: null }, // it dies of the NUL
    returnsEmpty: { embedded: true, gearmand: false }, // it leaves out the NUL after the handle, for which gearmand waits
    seesUnique: false, // it asks with GRAB_JOB
  },
];

/** Runs a peer's client; what it printed. */
export async function runPeer(command: readonly string[], port: number, mode: string): Promise<PeerReport> {
  const [program = "", ...args] = [...command, String(port), mode];
  const { stdout, stderr } = await promisify(execFile)(program, args, { timeout: DEADLINE_MS, killSignal: "SIGKILL" });
  if (stderr !== "") throw new Error(`${program}: ${stderr}`);
  return JSON.parse(stdout) as PeerReport;
}

/** Starts a peer's worker, which runs until it is killed. */
export function startPeerWorker(command: readonly string[], port: number): ChildProcess {
  const [program = "", ...args] = [...command, String(port), "work"];
  return spawn(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
