/** What `basil gearman doctor` finds out about a server before it judges. */

import type { ServerAddress } from "../../../core/gearman/address.ts";
import type { GearmanAdmin } from "../../../core/gearman/admin.ts";
import type { ConnectionStatus, FunctionStatus } from "../../../core/gearman/admin-rows.ts";
import type { GearmanConfig } from "../../../core/gearman/config.ts";
import { pause } from "../../../core/net/deadline.ts";
import { echoTime } from "./echo.ts";

/** Time between two looks at the functions, in milliseconds: long enough for a waking worker to take a job. */
const BETWEEN_LOOKS_MS = 500;

/** Jobs a worker was lost over this often are named. */
export const MANY_RETRIES = 3;

/** A server that answered. */
export interface ServerFacts {
  readonly version: string;
  readonly pid: number;
  /** Connecting and the first echo, in milliseconds. */
  readonly connectMs: number;
  /** An echo on an open connection, in milliseconds. */
  readonly roundTripMs: number;
  readonly functions: readonly FunctionStatus[];
  /** Functions whose jobs all waited at both looks, though workers are registered: none was taken. */
  readonly stuck: readonly string[];
  readonly connections: readonly ConnectionStatus[];
  readonly jobs: number;
  /** Jobs that are cancelled, or that nobody waits for any more. */
  readonly ignoredJobs: number;
  /** Handles of jobs over which workers were lost again and again: the first few. */
  readonly oftenRetried: readonly string[];
}

/** Most handles that are named. */
const MAX_HANDLES = 5;

/** Asks a server for everything. Rejects when it cannot be asked. */
export async function factsOf(admin: GearmanAdmin, address: ServerAddress, config: GearmanConfig): Promise<ServerFacts> {
  const version = await admin.version();
  const [pid, times, connections, before] = [
    await admin.pid(),
    await echoTime("doctor", address, config),
    await admin.workers(),
    await admin.status(),
  ];
  const jobs = await jobFacts(admin);
  if (before.some(isWaiting)) await pause(BETWEEN_LOOKS_MS);
  const functions = before.some(isWaiting) ? await admin.status() : before;
  const totals = new Map(before.filter(isWaiting).map(({ name, total }) => [name, total]));
  const stuck = functions.filter((row) => isWaiting(row) && totals.get(row.name) === row.total).map(({ name }) => name);
  return { version, pid, ...times, functions, stuck, connections, ...jobs };
}

const isWaiting = ({ total, running, workers }: FunctionStatus): boolean => total > 0 && running === 0 && workers > 0;

async function jobFacts(admin: GearmanAdmin): Promise<Pick<ServerFacts, "jobs" | "ignoredJobs" | "oftenRetried">> {
  const oftenRetried: string[] = [];
  let jobs = 0;
  let ignoredJobs = 0;
  for await (const { handle, retries, isIgnored } of admin.jobRows()) {
    jobs++;
    if (isIgnored) ignoredJobs++;
    if (retries >= MANY_RETRIES && oftenRetried.length < MAX_HANDLES) oftenRetried.push(handle);
  }
  return { jobs, ignoredJobs, oftenRetried };
}
