/** Calls the program's SUBs when something happens to its connections and jobs, in order, one call at a time for each SUB. */
import { LimitError, ProgramEnd } from "../../runtime/errors.ts";
import type { ModuleContext, SubHandle } from "../../runtime/host.ts";
import { Dict, type Value } from "../../runtime/values.ts";
import { GearmanError } from "../../src/core/gearman/errors.ts";

/** The events a program can ask for, and when they come. */
export const EVENTS = {
  connected: "a server was reached for the first time",
  lost: "the connection to a server broke",
  reconnected: "a server that was lost is there again",
  unreachable: "an attempt to connect failed",
  refused: "a server refused a request of the worker",
  job_failed: "a job ended with an error, one submitted or one of a handler",
  stopped: "the worker has stopped",
} as const;

/** Name of an event. */
export type EventName = keyof typeof EVENTS;

/** What a SUB is told: `side` is `client` or `worker`. */
export type EventDetails = Readonly<Record<string, Value>> & { readonly side: "client" | "worker" };

/** Events kept for a SUB that is slower than they come; more are dropped, and counted in the next one told. */
const MAX_WAITING = 1000;

/** One SUB and the events it has not seen. */
class Listener {
  readonly handler: SubHandle;
  readonly #context: ModuleContext;
  readonly #waiting: Dict[] = [];
  #dropped = 0;
  #isBusy = false;

  constructor(handler: SubHandle, context: ModuleContext) {
    this.handler = handler;
    this.#context = context;
  }

  tell(details: Dict): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) details.set("dropped", this.#dropped);
    this.#dropped = 0;
    this.#waiting.push(details);
    if (!this.#isBusy) void this.#work();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let details = this.#waiting.shift(); details !== undefined; details = this.#waiting.shift()) {
      try {
        await this.handler.call([details]);
      } catch (error) {
        // The program is over: nobody is left to be told.
        if (error instanceof ProgramEnd || error instanceof LimitError) this.#waiting.length = 0;
        else this.#context.report(error, `${this.handler.name}, called for an event`);
      }
    }
    this.#isBusy = false;
  }
}

/** The SUBs that ON_EVENT% named. */
export class ProgramEvents {
  readonly #context: ModuleContext;
  readonly #listeners = new Map<EventName, Listener>();

  constructor(context: ModuleContext) {
    this.#context = context;
  }

  /** Names the SUB for an event, or none. The name `*` stands for all events. */
  on(name: string, handler: SubHandle | undefined): void {
    const wanted = name.toLowerCase();
    const names = Object.keys(EVENTS) as EventName[];
    const found = wanted === "*" ? names : names.filter((known) => known === wanted);
    if (found.length === 0)
      throw new GearmanError(
        "ARGUMENT",
        `ON_EVENT%: there is no event ${JSON.stringify(name)}; there are ${names.join(", ")} and *`,
      );
    // One listener for all its names, so that it hears of everything in order.
    const listener = handler && new Listener(handler, this.#context);
    for (const known of found) {
      if (listener) this.#listeners.set(known, listener);
      else this.#listeners.delete(known);
    }
  }

  /** Something happened. */
  emit(event: EventName, details: EventDetails): void {
    this.#listeners.get(event)?.tell(new Dict(Object.entries({ event, ...details })));
  }
}
