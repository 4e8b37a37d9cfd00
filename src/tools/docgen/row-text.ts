/** What a row says to people, in words that the Markdown pages and `basil doc` share. */
import type { FunctionRow, HostModule, Param, ParamType, Row } from "../../../runtime/host.ts";

/** What documentation needs of a module; every module fits, whatever its state. */
export type DocumentedModule = Pick<HostModule<never>, "name" | "doc" | "rows">;

/** What an argument of each kind may be. */
export const PARAM_TEXT: Record<ParamType, string> = {
  text: "text",
  bytes: "text, sent byte for byte",
  number: "number",
  integer: "whole number; fractions are cut off",
  truth: "any value, taken as true or false",
  display: "any value, as PRINT shows it",
  any: "any value",
  list: "list",
  dict: "dictionary",
  array: "array",
  sub: "name of a SUB, or the SUB itself",
};

/** The order of a module's rows on a page. */
export const SECTIONS = {
  function: "Functions",
  property: "Properties",
  constant: "Constants",
  basilForm: "Other meanings in the basil dialect",
} as const;

/** The section a row stands in: another spelling of a function stands among the functions. */
export function sectionOf(row: Row<never>): keyof typeof SECTIONS {
  if (row.kind === "function" && row.basilFormOf !== undefined) return "basilForm";
  return row.kind === "alias" ? "function" : row.kind;
}

/** `text. Name a worker registered, such as img.resize.`, with what is special about it. */
export function paramText(param: Param): string {
  const arity = param.arity ? ` with ${param.arity.join(" or ")} parameter${param.arity.at(-1) === 1 ? "" : "s"}` : "";
  const extra = param.rest ? `, any number${param.least ? `, at least ${param.least}` : ""}` : param.optional ? ", optional" : "";
  return `${PARAM_TEXT[param.type]}${arity}${extra}. ${param.doc}`;
}

/** What a call gives, by the suffix of the name. */
export function resultText(row: FunctionRow<never>): string {
  if (row.name.endsWith("$")) return "a string";
  if (row.name.endsWith("%") || row.name.endsWith("&") || row.isInteger) return "an integer";
  return "a value";
}
