/** The rows that open the store and say how the jobs of a class run. */
import { optional, required } from "../../runtime/host.ts";
import { BODY_OPTIONS, COMMAND_OPTIONS, commandClass } from "./class-options.ts";
import { settled } from "./outcome.ts";
import { fn } from "./state.ts";

const CLASS = required("text", "Name of the class, such as img.resize. At most 200 bytes.");

/** Opening and defining. */
export const classRows = [
  fn({
    name: "OPEN%",
    doc:
      "Opens the store, a file that is made when it is not there, and gives 1. Without it the first call that needs one opens " +
      ".basil-obrien.db beside the script. A program has one store.",
    params: { path: optional("text", 'Path, relative to the script\'s directory; ":memory:" for a store without a file.') },
    waits: true,
    run: (state, { path }, task) =>
      settled(task, 0, async () => {
        await state.open(path);
        return 1;
      }),
  }),
  fn({
    name: "DEFINE%",
    doc:
      "Makes a SUB the body of a class of jobs and gives 1. Each job runs it in a process of its own, which has the script's " +
      "routines, TYPEs, DATA and literal CONSTs; top-level code does not run there, and a SUB that reads another global is " +
      "refused. RETURN gives the verdict: a DICT or the text of a JSON object, TRUE, FALSE, or nothing; a DICT without " +
      "success is a success. An uncaught error fails the job with its message and line.",
    params: {
      class: CLASS,
      sub: required("sub", "SUB that takes the payload, or nothing.", [0, 1]),
      options: optional("dict", `Any of ${BODY_OPTIONS}.`),
    },
    waits: true,
    run: (state, { class: name, sub, options }, task) =>
      settled(task, 0, async () => {
        await state.defineSub(name, sub, options);
        return 1;
      }),
  }),
  fn({
    name: "DEFINE_COMMAND%",
    doc:
      "Makes a program the body of a class of jobs and gives 1. It reads the payload on standard input; a JSON object at the " +
      "end of its standard output is the verdict. No shell is started unless asked for.",
    params: {
      class: CLASS,
      command: required("text", "Path of the program or its name in PATH; with shell a command line."),
      options: optional("dict", `Any of ${COMMAND_OPTIONS}.`),
    },
    waits: true,
    run: (state, { class: name, command, options }, task) =>
      settled(task, 0, async () => {
        await state.define(commandClass(name, command, options, state.options.directory));
        return 1;
      }),
  }),
];
