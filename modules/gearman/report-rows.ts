/** The rows for operation: events and figures. */
import { optional, required } from "../../runtime/host.ts";
import { Dict, type Value } from "../../runtime/values.ts";
import { EVENTS } from "./events.ts";
import { settled } from "./outcome.ts";
import { fn } from "./state.ts";

const EVENT_LIST = Object.entries(EVENTS)
  .map(([name, when]) => `${name} (${when})`)
  .join(", ");

/** Figures as a DICT; those of each server stand in a DICT of their own. */
const dictOf = (values: object): Dict =>
  new Dict(
    Object.entries(values).map(([name, value]): [string, Value] => [
      name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      typeof value === "object" && value !== null
        ? new Dict(Object.entries(value).map(([key, inner]) => [key, dictOf(inner as object)]))
        : (value as number),
    ]),
  );

/** Events and figures. */
export const reportRows = [
  fn({
    name: "ON_EVENT%",
    doc: `Names the SUB that is called when something happens: ${EVENT_LIST}; * for all of them. Without a SUB nobody is told any more. Gives 1.`,
    params: {
      name: required("text", "Name of the event, in any case."),
      handler: optional(
        "sub",
        "SUB that takes a DICT: event, side (client or worker), and what fits of server, message, retry_ms, function, handle.",
        [1],
      ),
    },
    waits: true,
    run: (state, { name, handler }, task) =>
      settled(state, task, 0, () => {
        state.events.on(name, handler);
        return 1;
      }),
  }),
  fn({
    name: "METRICS",
    doc: "Figures since the program began, as a DICT: client and worker, each a DICT of counts, with one for each server in servers.",
    params: {},
    waits: true,
    run: (state, _, task) =>
      settled<Value>(state, task, null, () => {
        const client = state.presentClient?.metrics();
        const worker = state.presentWorker?.metrics();
        return new Dict([
          ["client", client ? dictOf(client) : new Dict()],
          ["worker", worker ? dictOf(worker) : new Dict()],
        ]);
      }),
  }),
  fn({
    name: "METRICS_TEXT$",
    doc: "The same figures as text that Prometheus scrapes.",
    params: {},
    waits: true,
    run: (state, _, task) =>
      settled(state, task, "", async () => {
        const { clientMetricsText, workerMetricsText } = await import("../../src/core/gearman/index.ts");
        const client = state.presentClient?.metrics();
        const worker = state.presentWorker?.metrics();
        return (client ? clientMetricsText(client) : "") + (worker ? workerMetricsText(worker) : "");
      }),
  }),
];
