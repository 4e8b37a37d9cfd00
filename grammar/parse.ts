/** The front door of the grammar: text in, syntax tree and complaints out. Nothing here throws on a user's mistake. */
import type { Dialect, Expression, Program } from "./ast.ts";
import { type Complaint, complaints } from "./complaints.ts";
import { layOut } from "./layout.ts";
import { tokenize } from "./lexer.ts";
import { theParser } from "./parser.ts";
import { checkPlacement } from "./placement.ts";
import { SourceFile } from "./source.ts";
import { suspectNames } from "./suspects.ts";
import * as t from "./tokens.ts";

export interface ParseOptions {
  /** Shown in complaints, such as `report.basil`. */
  readonly file: string;
  /** Used when the text itself does not choose; `classic` when missing. */
  readonly dialect?: Dialect;
}

const DIRECTIVE = /^[ \t]*#DIALECT(?![\w$%@&])[ \t]*(\S*)/i;
const isDialect = (name: string): name is Dialect => name === "classic" || name === "basil";

/** Parses a program. When a complaint is an error the tree is incomplete: show the complaints, do not run it. */
export function parseProgram(text: string, options: ParseOptions): { program: Program; complaints: Complaint[] } {
  const source = new SourceFile(options.file, withoutMark(text));
  const found: Complaint[] = [];
  const dialect = dialectOf(source, options.dialect ?? "classic", found);
  const lexed = tokenize(source);
  const laidOut = layOut(source, lexed.tokens, dialect);
  const parser = theParser();
  parser.start(source, laidOut.tokens, dialect);
  const body = parser.program();
  const isRaw = ({ span }: Complaint): boolean => laidOut.rawSpans.some((raw) => span.start >= raw.start && span.start < raw.end);
  const lexical = laidOut.rawSpans.length === 0 ? lexed.complaints : lexed.complaints.filter((complaint) => !isRaw(complaint));
  const program: Program = { source, dialect, body };
  const structural = laidOut.complaints.filter((complaint) => !parser.brokenAt.has(laidOut.doubtful.get(complaint) ?? -1));
  const all = found.concat(lexical, structural, parser.complaints, checkPlacement(program), suspectNames(program));
  return { program, complaints: inOrder(all) };
}

/** Parses one expression, as EVAL does. The expression is null when there is an error. */
export function parseExpression(
  text: string,
  options: ParseOptions,
): { expression: Expression | null; source: SourceFile; complaints: Complaint[] } {
  const source = new SourceFile(options.file, withoutMark(text));
  const lexed = tokenize(source);
  const laidOut = layOut(source, [t.makeToken(t.LeftParen, "", 0), ...lexed.tokens], options.dialect ?? "classic");
  const tokens = laidOut.tokens.slice(1);
  const parser = theParser();
  parser.start(source, tokens, options.dialect ?? "classic");
  const expression = parser.wholeExpression();
  const found = inOrder(lexed.complaints.concat(laidOut.complaints, parser.complaints));
  return { expression: found.some(({ severity }) => severity === "error") ? null : expression, source, complaints: found };
}

/** A byte order mark is no part of the text. */
const withoutMark = (text: string): string => (text.startsWith("\ufeff") ? text.slice(1) : text);

/** The dialect the first line asks for, or the given one. */
function dialectOf(source: SourceFile, given: Dialect, found: Complaint[]): Dialect {
  const match = DIRECTIVE.exec(source.text);
  if (match === null) return given;
  const name = match[1]!.toLowerCase();
  if (isDialect(name)) return name;
  const end = match[0].length;
  found.push(complaints.unknownDialect({ source, span: { start: end - match[1]!.length, end } }, match[1]!));
  return given;
}

/** Complaints in text order. */
const inOrder = (found: Complaint[]): Complaint[] => found.sort((a, b) => a.span.start - b.span.start);
