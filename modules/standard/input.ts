/** Built-ins that read what the user types (language.md §12). The INPUT statements are the compiler's. */
import { encodeText } from "../../runtime/bytes.ts";
import { optional, type TaskContext } from "../../runtime/host.ts";
import { fn, part, type StandardState } from "./state.ts";

const PROMPT = optional("display", "Shown first, as it is.");

async function readLine(state: StandardState, task: TaskContext, builtin: string, prompt: string | undefined): Promise<string> {
  const input = part(state, "input", builtin);
  await task.flush();
  if (prompt) await state.host.write(encodeText(prompt));
  return (await input.readLine(task.signal)) ?? "";
}

export const inputRows = [
  fn({
    name: "INPUT$",
    doc: "Reads one line, without its line end; an empty string at the end of input.",
    params: { prompt: PROMPT },
    waits: true,
    run: (state, { prompt }, task) => readLine(state, task, "INPUT$", prompt),
  }),
  fn({
    name: "INPUT",
    doc: "Reads one line, without its line end; an empty string at the end of input.",
    params: { prompt: PROMPT },
    waits: true,
    run: (state, { prompt }, task) => readLine(state, task, "INPUT", prompt),
  }),
  fn({
    name: "INKEY$",
    doc: "A key already pressed on the terminal, or an empty string.",
    params: {},
    waits: true,
    run: (state) => part(state, "input", "INKEY$").pressedKey(),
  }),
  fn({
    name: "INKEY%",
    doc: "The code point of a key already pressed on the terminal, or 0.",
    params: {},
    waits: true,
    run: (state) => part(state, "input", "INKEY%").pressedKey().codePointAt(0) ?? 0,
  }),
  fn({
    name: "INPUTC$",
    doc: "Waits for the next character: a key on a terminal, without Enter. An empty string at the end of input.",
    params: {},
    waits: true,
    async run(state, _, task) {
      const input = part(state, "input", "INPUTC$");
      await task.flush();
      return (await input.readCharacter(task.signal)) ?? "";
    },
  }),
] as const;
