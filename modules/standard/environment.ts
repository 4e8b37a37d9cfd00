/** Built-ins that tell where and how the program runs: environment, arguments, host, the last error (language.md §11, §12). */
import { decodeBytes } from "../../runtime/bytes.ts";
import { optional, required } from "../../runtime/host.ts";
import { fn, part } from "./state.ts";

const ASSIGNMENT = /^(?:export\s+)?([A-Za-z_][A-Za-z0-9_.]*)\s*=\s*(.*)$/;

/** The assignments of a `.env` file; comments, blank lines and lines that assign nothing are left out. */
export function parseEnvironmentFile(text: string): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (const line of text.replace(/^\ufeff/, "").split("\n")) {
    const match = ASSIGNMENT.exec(line.trim());
    if (match) found.push([match[1]!, environmentValue(match[2]!)]);
  }
  return found;
}

/** `"…"` with \n, \t, \" and \\, `'…'` as it is, else the text up to a blank and `#`. */
function environmentValue(text: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text);
  if (quoted)
    return quoted[1]!.replace(/\\(.)/g, (_, character: string) => ({ n: "\n", r: "\r", t: "\t" })[character] ?? character);
  const plain = /^'([^']*)'/.exec(text);
  if (plain) return plain[1]!;
  const comment = text.search(/\s#/);
  return (comment < 0 ? text : text.slice(0, comment)).trimEnd();
}

const placeRows = [
  fn({
    name: "ENV$",
    doc: "An environment variable; an empty string when it is not set.",
    params: { name: required("text", "Its name.") },
    run: (state, { name }) => part(state, "environment", "ENV$").get(name) ?? "",
  }),
  fn({
    name: "LOADENV%",
    doc: "Sets environment variables from a file of NAME=value lines, for the script and what it starts: 1, or 0 when the file cannot be read.",
    params: { file: optional("text", "The file; .env when left out.") },
    run(state, { file = ".env" }) {
      const files = part(state, "files", "LOADENV%");
      const environment = part(state, "environment", "LOADENV%");
      let text: string;
      try {
        text = decodeBytes(files.readFile(file));
      } catch {
        return 0;
      }
      for (const [name, value] of parseEnvironmentFile(text)) environment.set(name, value, true);
      return 1;
    },
  }),
  fn({
    name: "ARGS",
    doc: "A new LIST of what follows the script on the command line.",
    params: {},
    yields: true,
    niladic: true,
    run: ({ host }) => [...host.arguments],
  }),
  fn({
    name: "HOST$",
    doc: "The name of the machine.",
    params: {},
    yields: true,
    niladic: true,
    run: ({ host }) => host.hostName(),
  }),
  fn({
    name: "UUID$",
    doc: "A new random identifier (UUID version 4) in lower case.",
    params: {},
    yields: true,
    niladic: true,
    run: ({ host }) => host.uuid(),
  }),
];

const errorRows = [
  fn({
    name: "ERR%",
    doc: "The code of the error that CATCH caught last in this task; 0 before any.",
    params: {},
    yields: true,
    isInteger: true,
    niladic: true,
    run: (_state, _args, task) => task.lastError.code,
  }),
  fn({
    name: "ERRLINE%",
    doc: "The line where the error that CATCH caught last was raised; 0 before any.",
    params: {},
    yields: true,
    isInteger: true,
    niladic: true,
    run: (_state, _args, task) => task.lastError.line,
  }),
  fn({
    name: "ERRNAME$",
    doc: "The name of the error that CATCH caught last, such as INDEX_ERROR; empty before any.",
    params: {},
    yields: true,
    niladic: true,
    run: (_state, _args, task) => task.lastError.name,
  }),
];

export const environmentRows = [...placeRows, ...errorRows] as const;
