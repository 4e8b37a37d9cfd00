/** A Xeme for people: a tree with its verdicts, and the reasons they have. */
import type { Xeme, XemeMessage } from "../../../core/obrien/index.ts";
import { cutText, shownText } from "../gearman/table.ts";

/** A line of a tree, and what hangs below it. */
interface Branch {
  readonly text: string;
  readonly below: readonly Branch[];
}

/** The lists of reasons, and what one of each is called. */
const REASONS = { errors: "error", nulls: "null", warnings: "warning", notes: "note" } as const;

/** Fields that are told elsewhere: the verdict itself, and what `show` prints around the tree. */
const TOLD = ["success", "class", "meta", "io", "nested", ...Object.keys(REASONS)];

/** The same of one reason. */
const TOLD_OF_REASON = ["class", "message"];

/** The same of a child's `meta`, whose name stands at its verdict. */
const TOLD_OF_META = ["uuid", "name", "timestamp", "skipped"];

/** Longest value of a field that nobody knows, in columns. */
const MAX_VALUE_WIDTH = 200;

/** The tree, a line each, with a line end behind each. */
export function xemeText(xeme: Xeme): string {
  const { text, below } = branchOf(xeme, "");
  return `${text}\n${lines(below, "")}`;
}

function lines(branches: readonly Branch[], indent: string): string {
  return branches
    .map(({ text, below }, at) => {
      const isLast = at === branches.length - 1;
      return `${indent}${isLast ? "└─ " : "├─ "}${text}\n${lines(below, indent + (isLast ? "   " : "│  "))}`;
    })
    .join("");
}

/** What follows is written by workers: any field may be missing, or be of another kind. */
function branchOf(xeme: Xeme, name: string): Branch {
  const meta = objectOf(xeme.meta);
  const words = [verdictText(xeme, meta), name, xeme.class].filter((word) => typeof word === "string" && word !== "");
  return {
    text: shownText(words.join("  ")),
    below: [
      ...Object.entries(REASONS).flatMap(([field, title]) => listOf(xeme[field]).map((reason) => reasonBranch(title, reason))),
      ...fieldsOf(xeme, TOLD),
      ...(name === "" ? [] : [...fieldsOf(meta, TOLD_OF_META), ...outputOf(xeme)]),
      ...listOf(xeme.nested).map((child) => {
        const childName = objectOf(objectOf(child)["meta"])["name"];
        return branchOf(objectOf(child) as unknown as Xeme, typeof childName === "string" && childName !== "" ? childName : "-");
      }),
    ],
  };
}

function verdictText({ success }: Xeme, { skipped }: Record<string, unknown>): string {
  if (skipped === true) return "skipped";
  return success === true ? "success" : success === false ? "failure" : "no verdict";
}

function reasonBranch(title: string, reason: unknown): Branch {
  if (typeof reason !== "object" || reason === null) return { text: `${title}: ${valueText(reason)}`, below: [] };
  const { class: name, message } = reason as Partial<XemeMessage>;
  const words = [name, message].filter((word) => word !== undefined).map((word) => shownText(String(word)));
  return { text: `${title}: ${words.join(": ")}`, below: fieldsOf(reason, TOLD_OF_REASON) };
}

function fieldsOf(object: object, told: readonly string[]): Branch[] {
  return Object.entries(object).flatMap(([field, value]) =>
    told.includes(field) ? [] : [{ text: `${shownText(field)}: ${valueText(value)}`, below: [] }],
  );
}

/** The output of a child; that of the whole stands below the tree. */
function outputOf({ io }: Xeme): Branch[] {
  return fieldsOf(objectOf(io), []);
}

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return cutText(shownText(text.slice(0, 4 * MAX_VALUE_WIDTH)), MAX_VALUE_WIDTH, "end");
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}
