/** The module GEARMAN: programs submit jobs to Gearman servers, and their SUBs are workers. */
import { defineModule, type HostModule } from "../../runtime/host.ts";
import { adminRows } from "./admin-rows.ts";
import { clientRows } from "./client-rows.ts";
import type { GearmanOptions } from "./configuration.ts";
import { jobRows } from "./job-rows.ts";
import { argumentError } from "./outcome.ts";
import { reportRows } from "./report-rows.ts";
import { GearmanState } from "./state.ts";
import { taskRows } from "./task-rows.ts";
import { constantRows, propertyRows } from "./value-rows.ts";
import { workerRows } from "./worker-rows.ts";

export type { GearmanOptions } from "./configuration.ts";
export type { GearmanState } from "./state.ts";

/**
 * Everything scripts find as GEARMAN. Nothing is read and nothing connects before a script first needs it:
 * `gearman({ servers: "127.0.0.1:4730" })`.
 */
export const gearman = (options: GearmanOptions = {}): HostModule<GearmanState> =>
  defineModule<GearmanState>({
    name: "GEARMAN",
    doc: "Submits jobs to Gearman servers and works on them. ERR$, ERRCODE%, LAST_HANDLE$, LAST_RESULT$ and the current job belong to the task.",
    rows: [...clientRows, ...taskRows, ...workerRows, ...jobRows, ...adminRows, ...reportRows, ...propertyRows, ...constantRows],
    open: (context) => new GearmanState(context, options),
    drain: (state, signal) => state.drain(signal),
    close: (state) => state.close(),
    argumentError: (_, message, task) => argumentError(message, task),
  });
