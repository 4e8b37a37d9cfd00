/** Built-ins for waiting and for the clock, which is the host's (language.md §12). */
import { optional, required } from "../../runtime/host.ts";
import { displayNumber } from "../../runtime/values.ts";
import { fail, fn, type StandardState } from "./state.ts";

const MILLISECONDS = optional("number", "Milliseconds since 1970 UTC; now when left out.");

/** A moment in the time zone of the process. */
function localTime(state: StandardState, builtin: string, milliseconds: number | undefined): Date {
  const date = new Date(milliseconds ?? state.host.now());
  if (Number.isNaN(date.getTime())) {
    throw fail(
      "ARGUMENT_ERROR",
      `${builtin}: ${displayNumber(milliseconds ?? Number.NaN)} is not a number of milliseconds since 1970`,
    );
  }
  return date;
}

const two = (value: number): string => String(value).padStart(2, "0");

export const timeRows = [
  fn({
    name: "SLEEP",
    doc: "Waits so many milliseconds while other tasks run. Gives 0.",
    params: { milliseconds: required("number", "How long; 0 or less only lets other tasks run.") },
    waits: true,
    async run({ host }, { milliseconds }, task) {
      await task.flush();
      await host.sleep(Math.max(milliseconds, 0), task.signal);
      return 0;
    },
  }),
  fn({
    name: "TIMER",
    doc: "Seconds since local midnight, with fraction.",
    params: {},
    yields: true,
    niladic: true,
    run(state) {
      const date = localTime(state, "TIMER", undefined);
      const seconds = (date.getHours() * 60 + date.getMinutes()) * 60 + date.getSeconds();
      return (seconds * 1000 + date.getMilliseconds()) / 1000;
    },
  }),
  fn({
    name: "NOW%",
    doc: "Milliseconds since 1970 UTC.",
    params: {},
    yields: true,
    isInteger: true,
    niladic: true,
    run: ({ host }) => Math.trunc(host.now()),
  }),
  fn({
    name: "DATE$",
    doc: "The local date as YYYY-MM-DD.",
    params: { milliseconds: MILLISECONDS },
    yields: true,
    niladic: true,
    run(state, { milliseconds }) {
      const date = localTime(state, "DATE$", milliseconds);
      return `${String(date.getFullYear()).padStart(4, "0")}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    },
  }),
  fn({
    name: "TIME$",
    doc: "The local time as HH:MM:SS.",
    params: { milliseconds: MILLISECONDS },
    yields: true,
    niladic: true,
    run(state, { milliseconds }) {
      const date = localTime(state, "TIME$", milliseconds);
      return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
    },
  }),
] as const;
