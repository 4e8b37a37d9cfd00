/**
 * From source text to a compiled unit: parser and code generator in one place that is loaded only when there is
 * something to compile.
 */
import type { Dialect, Program } from "../../grammar/ast.ts";
import { type Complaint, complaints } from "../../grammar/complaints.ts";
import { parseExpression, parseProgram } from "../../grammar/parse.ts";
import type { SourceFile } from "../../grammar/source.ts";
import { decodeBytes } from "../bytes.ts";
import type { FileHost } from "../capabilities.ts";
import { BasilError } from "../errors.ts";
import type { Surface } from "../surface.ts";
import { type CompileEnvironment, compileProgram, NOTHING_OUTSIDE } from "./compile.ts";
import type { CompiledUnit, InnerCompiler } from "./compiled.ts";
import type { IncludeReader, Outside } from "./unit.ts";

/** A compilation: `unit` is null when there are errors among the complaints. */
export interface Compiled {
  readonly unit: CompiledUnit | null;
  readonly complaints: readonly Complaint[];
}

export interface CompileOptions {
  /** The program's name in messages; INCLUDE is relative to it. */
  readonly file: string;
  readonly dialect: Dialect | undefined;
  /** Main's loops give way to the host even when main never waits. */
  readonly mainGivesWay: boolean;
  /** Look for what is legal but suspicious, too; default false. */
  readonly lints?: boolean;
}

/** Compiles programs and the text inside them for one surface. */
export class Compiler {
  readonly #surface: Surface;
  readonly #files: FileHost | undefined;

  /** @param files where INCLUDE reads; without it every INCLUDE of a file is refused */
  constructor(surface: Surface, files: FileHost | undefined) {
    this.#surface = surface;
    this.#files = files;
  }

  program(source: string, { file, dialect, mainGivesWay, lints = false }: CompileOptions): Compiled {
    const parsed = parseProgram(source, { file, ...(dialect && { dialect }) });
    if (hasError(parsed.complaints)) return { unit: null, complaints: parsed.complaints };
    const compiled = compileWithin(parsed.program, {
      surface: this.#surface,
      readInclude: this.#readInclude,
      outside: NOTHING_OUTSIDE,
      mainGivesWay,
      lints,
    });
    const news = compiled.complaints.filter(isNews(parsed.complaints));
    return { unit: compiled.unit, complaints: inTextOrder(parsed.complaints.concat(news)) };
  }

  /** EVAL, EXEC and CLASS text, compiled for the program that runs it. */
  readonly inner: InnerCompiler = (text, how, dialect, space) => {
    const file = how === "expression" ? "EVAL" : how === "statements" ? "EXEC" : "CLASS";
    const parsed = how === "expression" ? expressionProgram(text, file, dialect) : parseProgram(text, { file, dialect });
    const outside: Outside =
      how === "class"
        ? { ...NOTHING_OUTSIDE, isOpen: true }
        : {
            isInner: true,
            isOpen: true,
            globals: new Set([...space.globals].filter(([, cell]) => cell.isStored).map(([key]) => key)),
            routines: space.routines,
          };
    const compiled = hasError(parsed.complaints)
      ? { unit: null, complaints: parsed.complaints }
      : compileWithin(parsed.program, {
          surface: this.#surface,
          readInclude: this.#readInclude,
          outside,
          mainGivesWay: true,
        });
    if (compiled.unit) return compiled.unit;
    const first = compiled.complaints.find((complaint) => complaint.severity === "error")!;
    throw new BasilError("SYNTAX_ERROR", first.message, { hint: first.hint });
  };

  readonly #readInclude: IncludeReader = (name, from, dialect) => {
    const files = this.#files;
    if (!files) return { reason: "this program may not read files" };
    const path = files.resolve(name, from);
    try {
      return parseProgram(decodeBytes(files.readFile(path)), { file: path, dialect });
    } catch (error) {
      return {
        reason: (error as NodeJS.ErrnoException).code === "ENOENT" ? "there is no such file" : (error as Error).message,
      };
    }
  };
}

/**
 * Compiles; an expression so long that it does not fit on the JavaScript stack (thousands of operators in a row) is a
 * complaint like too deep nesting.
 */
function compileWithin(
  program: Program,
  environment: CompileEnvironment,
): { unit: CompiledUnit | null; complaints: Complaint[] } {
  try {
    return compileProgram(program, environment);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return { unit: null, complaints: [tooLong(program.source)] };
  }
}

/** Complaints by their place in each text; the texts in the order in which the first complaint about them was found. */
function inTextOrder(complaints: readonly Complaint[]): Complaint[] {
  const sources = [...new Set(complaints.map(({ source }) => source))];
  const order = (a: Complaint, b: Complaint): number =>
    sources.indexOf(a.source) - sources.indexOf(b.source) || a.span.start - b.span.start;
  return [...complaints].sort(order);
}

/** Whether the parser has not complained about the same place of the text. */
const isNews =
  (said: readonly Complaint[]) =>
  ({ source, span }: Complaint): boolean =>
    !said.some((other) => other.source === source && other.span.start === span.start);

/** The complaint about code that does not fit on the stack, where there is no better place than the file. */
const tooLong = (source: SourceFile): Complaint => complaints.tooLong({ source, span: { start: 0, end: 1 } });

const hasError = (complaints: readonly Complaint[]): boolean => complaints.some((complaint) => complaint.severity === "error");

/** EVAL text as a program whose result is the expression's value. */
function expressionProgram(text: string, file: string, dialect: Dialect): { program: Program; complaints: readonly Complaint[] } {
  const { expression, source, complaints } = parseExpression(text, { file, dialect });
  const body = expression ? [{ kind: "result" as const, value: expression, span: expression.span }] : [];
  return { program: { source, dialect, body }, complaints };
}
