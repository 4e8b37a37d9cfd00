/**
 * The abstract syntax tree: what a Basil program means, free of how it was spelled. Every node carries the span of
 * its text; names keep the spelling of the program (compare them with `nameKey`).
 */
import type { SourceFile, Span } from "./source.ts";

/** Which of the two dialects a text is written in; they differ in PRINT, one-line IF and INSTR only. */
export type Dialect = "classic" | "basil";

/** The form of a name that comparisons use: case does not matter in BASIC. */
export const nameKey = (name: string): string => name.toUpperCase();

/** One parsed text: a file, or the argument of EXEC. */
export interface Program {
  readonly source: SourceFile;
  readonly dialect: Dialect;
  readonly body: readonly Statement[];
}

interface Node<K extends string> {
  readonly kind: K;
  readonly span: Span;
}

// ── Expressions ────────────────────────────────────────────────────────────────────────────────────────────────

export interface NumberLiteral extends Node<"number"> {
  readonly value: number;
}
export interface StringLiteral extends Node<"string"> {
  readonly value: string;
}
/** `"a #{x} b"`: texts and expressions in order; texts may be empty. */
export interface Interpolation extends Node<"interpolation"> {
  readonly parts: readonly (string | Expression)[];
}
export interface BooleanLiteral extends Node<"boolean"> {
  readonly value: boolean;
}
export interface NullLiteral extends Node<"null"> {}
export interface Name extends Node<"name"> {
  readonly name: string;
}
/** `target(arguments)`: an array element, a built-in, a routine, a method; `a()` has no arguments. */
export interface Call extends Node<"call"> {
  readonly target: Expression;
  readonly arguments: readonly Expression[];
}
/** `target[index]`: a list element or dictionary entry. */
export interface Index extends Node<"index"> {
  readonly target: Expression;
  readonly index: Expression;
}
/** `target.name`; without target it belongs to the innermost WITH. */
export interface Member extends Node<"member"> {
  readonly target: Expression | null;
  readonly name: string;
  /** Where the member name itself stands. */
  readonly nameSpan: Span;
}
export interface Unary extends Node<"unary"> {
  readonly operator: "-" | "NOT";
  readonly operand: Expression;
}
/** `==` is written `=` here, `!=` is `<>`. */
export type BinaryOperator = "OR" | "AND" | "=" | "<>" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "\\" | "MOD" | "^";
export interface Binary extends Node<"binary"> {
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  /** Where the operator stands: run-time errors point here. */
  readonly operatorSpan: Span;
}
export interface ListLiteral extends Node<"list"> {
  readonly items: readonly Expression[];
}
export interface DictLiteral extends Node<"dict"> {
  readonly entries: readonly { readonly key: string; readonly value: Expression }[];
}
/** `NEW TYPE(arguments)`: a module object. */
export interface NewObject extends Node<"new"> {
  readonly type: string;
  readonly arguments: readonly Expression[];
}
/** `CLASS(file)`. */
export interface ClassInstance extends Node<"class"> {
  readonly file: Expression;
}
/** `EVAL(code)`. */
export interface EvalExpression extends Node<"eval"> {
  readonly code: Expression;
}
/** `SHELL(command)` as an expression: the exit code. */
export interface ShellExpression extends Node<"shellCode"> {
  readonly command: Expression;
}

export type Expression =
  | NumberLiteral
  | StringLiteral
  | Interpolation
  | BooleanLiteral
  | NullLiteral
  | Name
  | Call
  | Index
  | Member
  | Unary
  | Binary
  | ListLiteral
  | DictLiteral
  | NewObject
  | ClassInstance
  | EvalExpression
  | ShellExpression;

/** What may stand left of `=`: a name, an element, an entry, a member, at the end of any chain. */
export type Place = Name | Call | Index | Member;

// ── Statements ─────────────────────────────────────────────────────────────────────────────────────────────────

/** One thing a PRINT list prints: a value, or the TAB of a comma. `;` leaves nothing. */
export type PrintItem = { readonly kind: "value"; readonly value: Expression } | { readonly kind: "tab" };

/** PRINT and PRINTLN of both dialects: the dialect's rules are already applied. */
export interface Print extends Node<"print"> {
  readonly items: readonly PrintItem[];
  readonly newline: boolean;
}
export interface Describe extends Node<"describe"> {
  readonly value: Expression;
}
export interface Assign extends Node<"assign"> {
  readonly target: Place;
  readonly value: Expression;
}
export interface Const extends Node<"const"> {
  readonly entries: readonly { readonly name: Name; readonly value: Expression }[];
}
export interface Swap extends Node<"swap"> {
  readonly left: Place;
  readonly right: Place;
}

/** One item of a DIM (language.md 5.1). */
export type DimItem =
  /** `a(n, m)`; `bounds` are the upper bounds. With `type`: an array of structs. */
  | { readonly kind: "array"; readonly name: Name; readonly bounds: readonly Expression[]; readonly type: string | null }
  /** `s$[N]`, `s$ AS STRING * N`; without N a plain string. */
  | { readonly kind: "fixedString"; readonly name: Name; readonly bytes: Expression | null }
  /** `x AS T`, `o AS MODULETYPE(args)`: which of the two, the resolver knows. */
  | { readonly kind: "typed"; readonly name: Name; readonly type: string; readonly arguments: readonly Expression[] | null }
  /** `x AS CLASS("file")`. */
  | { readonly kind: "class"; readonly name: Name; readonly file: Expression }
  /** `x = e`. */
  | { readonly kind: "value"; readonly name: Name; readonly value: Expression }
  /** bare `x`. */
  | { readonly kind: "bare"; readonly name: Name };
export interface Dim extends Node<"dim"> {
  readonly items: readonly DimItem[];
}

/** An expression whose value is dropped; `f(args)` and `o.m(args)` as statements are this. */
export interface ExpressionStatement extends Node<"expression"> {
  readonly value: Expression;
}
/** `CALL f`, `CALL f(args)`, `f a, b`, `o.m a, b`, a bare `f` or `o.m`. */
export interface CallStatement extends Node<"callStatement"> {
  readonly target: Expression;
  readonly arguments: readonly Expression[];
  /** `bare` = only a name (or `o.m`) stands there: it may also be a variable, and then does nothing. */
  readonly form: "call" | "arguments" | "bare";
}
export interface If extends Node<"if"> {
  readonly arms: readonly { readonly condition: Expression; readonly body: readonly Statement[] }[];
  readonly otherwise: readonly Statement[] | null;
}
export interface While extends Node<"while"> {
  readonly condition: Expression;
  readonly body: readonly Statement[];
}
export interface LoopTest {
  readonly kind: "WHILE" | "UNTIL";
  readonly condition: Expression;
}
export interface Do extends Node<"do"> {
  readonly before: LoopTest | null;
  readonly body: readonly Statement[];
  readonly after: LoopTest | null;
}
export interface For extends Node<"for"> {
  readonly variable: Name;
  readonly from: Expression;
  readonly to: Expression;
  readonly step: Expression | null;
  readonly body: readonly Statement[];
}
export interface ForEach extends Node<"forEach"> {
  readonly variable: Name;
  readonly collection: Expression;
  readonly body: readonly Statement[];
}
export type CaseTest =
  | { readonly kind: "equal"; readonly value: Expression }
  | { readonly kind: "range"; readonly low: Expression; readonly high: Expression }
  | { readonly kind: "is"; readonly operator: "=" | "<>" | "<" | "<=" | ">" | ">="; readonly value: Expression };
export interface Select extends Node<"select"> {
  readonly subject: Expression;
  readonly arms: readonly { readonly tests: readonly CaseTest[]; readonly body: readonly Statement[] }[];
  readonly otherwise: readonly Statement[] | null;
}
/** `BEGIN … END`, `{ … }`: groups without scope. */
export interface Block extends Node<"block"> {
  readonly body: readonly Statement[];
}
export interface With extends Node<"with"> {
  readonly target: Expression;
  readonly body: readonly Statement[];
}
export interface Try extends Node<"try"> {
  readonly body: readonly Statement[];
  readonly catchVariable: Name | null;
  readonly catchBody: readonly Statement[] | null;
  readonly finallyBody: readonly Statement[] | null;
}
/** `RAISE e`, or bare `RAISE` inside CATCH. */
export interface Raise extends Node<"raise"> {
  readonly value: Expression | null;
}
/** `FUNC`/`FUNCTION`/`SUB`: all three are one kind of routine; the word is kept for display. */
export interface Routine extends Node<"routine"> {
  readonly word: "FUNC" | "SUB";
  readonly name: Name;
  readonly parameters: readonly Name[];
  readonly body: readonly Statement[];
}
export interface Return extends Node<"return"> {
  readonly value: Expression | null;
}
export interface ReturnTo extends Node<"returnTo"> {
  readonly label: LabelName;
}
/** The text of a label, `again` or `100`, and where it stands. */
export interface LabelName {
  readonly name: string;
  readonly span: Span;
}
export interface Label extends Node<"label"> {
  readonly name: string;
}
export interface Goto extends Node<"goto"> {
  readonly label: LabelName;
}
export interface Gosub extends Node<"gosub"> {
  readonly label: LabelName;
}
export interface OnJump extends Node<"onJump"> {
  readonly selector: Expression;
  readonly isGosub: boolean;
  readonly labels: readonly LabelName[];
}
export interface Break extends Node<"break"> {}
export interface Continue extends Node<"continue"> {}
export interface ExitLoop extends Node<"exitLoop"> {
  readonly loop: "FOR" | "WHILE" | "DO";
}
/** `EXIT SUB`, `EXIT FUNC`, `EXIT FUNCTION`. */
export interface ExitRoutine extends Node<"exitRoutine"> {}
export interface Exit extends Node<"exit"> {
  readonly code: Expression | null;
}
export interface End extends Node<"end"> {}
export interface Stop extends Node<"stop"> {}
export interface Sleep extends Node<"sleep"> {
  readonly milliseconds: Expression;
}
export interface Randomize extends Node<"randomize"> {
  readonly seed: Expression | null;
}
export interface Input extends Node<"input"> {
  readonly prompt: Expression | null;
  /** Whether `? ` follows the prompt. */
  readonly hasQuestionMark: boolean;
  /** LINE INPUT: the whole line into one place. */
  readonly isLine: boolean;
  readonly targets: readonly Place[];
}
export interface Data extends Node<"data"> {
  readonly items: readonly { readonly text: string; readonly isQuoted: boolean }[];
}
export interface Read extends Node<"read"> {
  readonly targets: readonly Place[];
}
export interface Restore extends Node<"restore"> {
  readonly label: LabelName | null;
}
/** `SETENV NAME = e`, `EXPORTENV NAME = e`. */
export interface SetEnvironment extends Node<"setEnvironment"> {
  readonly name: string;
  readonly value: Expression;
  readonly isExported: boolean;
}
export interface Shell extends Node<"shell"> {
  readonly command: Expression;
}
export interface Exec extends Node<"exec"> {
  readonly code: Expression;
}
/** Ends the text with a value: what EVAL makes of its expression. No source text is parsed to this. */
export interface Result extends Node<"result"> {
  readonly value: Expression;
}
/** `INCLUDE "name"`: a module (`obj-…`) or a file. */
export interface Include extends Node<"include"> {
  readonly name: string;
}
/** `#USE A, B`. */
export interface Use extends Node<"use"> {
  readonly modules: readonly string[];
}
export interface TypeField {
  readonly name: Name;
  /** `plain`: by the name's suffix. `fixedString` without bytes: a plain string. */
  readonly type:
    | { readonly kind: "plain" }
    | { readonly kind: "fixedString"; readonly bytes: Expression | null }
    | { readonly kind: "struct"; readonly type: string };
}
export interface TypeDefinition extends Node<"type"> {
  readonly name: Name;
  readonly fields: readonly TypeField[];
}

export type Statement =
  | Print
  | Describe
  | Assign
  | Const
  | Swap
  | Dim
  | ExpressionStatement
  | CallStatement
  | If
  | While
  | Do
  | For
  | ForEach
  | Select
  | Block
  | With
  | Try
  | Raise
  | Routine
  | Return
  | ReturnTo
  | Label
  | Goto
  | Gosub
  | OnJump
  | Break
  | Continue
  | ExitLoop
  | ExitRoutine
  | Exit
  | End
  | Stop
  | Sleep
  | Randomize
  | Input
  | Data
  | Read
  | Restore
  | SetEnvironment
  | Shell
  | Exec
  | Result
  | Include
  | Use
  | TypeDefinition;
