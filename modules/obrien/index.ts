/** The module OBRIEN: a queue of jobs on this machine, each run once in a process of its own. */
import { defineModule, type HostModule } from "../../runtime/host.ts";
import { classRows } from "./class-rows.ts";
import { jobRows } from "./job-rows.ts";
import { argumentError } from "./outcome.ts";
import { type ObrienOptions, ObrienState } from "./state.ts";
import { constantRows, propertyRows } from "./value-rows.ts";
import { workRows } from "./work-rows.ts";

export type { SubWorker } from "./body-class.ts";
export type { ObrienOptions, ObrienState } from "./state.ts";

/** Everything scripts find as OBRIEN. No store is opened, and no process started, before a script first needs it. */
export const obrien = (options: ObrienOptions): HostModule<ObrienState> =>
  defineModule<ObrienState>({
    name: "OBRIEN",
    doc: "A queue of jobs on this machine: each runs once in a process of its own, and each ends. ERR$ and ERRCODE% belong to the task.",
    rows: [...classRows, ...jobRows, ...workRows, ...propertyRows, ...constantRows],
    open: (context) => new ObrienState(context, options),
    drain: (state, signal) => state.drain(signal),
    close: (state) => state.close(),
    argumentError: (_, message, task) => argumentError(message, task),
  });
