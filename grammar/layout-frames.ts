/** The stack of open constructs of the layout pass: what is open, and how it is closed, also when its closing word is missing. */
import type { IToken, TokenType } from "chevrotain";
import type { Dialect } from "./ast.ts";
import { type Complaint, type Construct, complaints } from "./complaints.ts";
import { closest } from "./did-you-mean.ts";
import { LineLayout } from "./layout-lines.ts";
import type { SourceFile } from "./source.ts";
import * as t from "./tokens.ts";

export type Kind = "if" | "while" | "do" | "for" | "select" | "block" | "with" | "try" | "routine" | "type";
/**
 * How a construct's body ends: `line` at the end of the line, `single` after one statement, `lines` at its closing word,
 * `begin` at END, `brace` at `}`.
 */
export type Form = "line" | "single" | "lines" | "begin" | "brace";

export interface Frame {
  readonly kind: Kind;
  form: Form;
  readonly opener: IToken;
  /** Block IF: the places of its THENs among the tokens, those of ELSE IF parts included. */
  readonly thens: number[];
  /** An IF with a part that starts with ELSEIF cannot be anything but a block. */
  hasElseIf: boolean;
  hasElse: boolean;
  /** FOR: the loop variable. */
  readonly variable?: string;
}

const k = t.keyword;
const CLOSERS: Readonly<Record<Kind, TokenType>> = {
  if: t.EndIf,
  while: t.EndWhile,
  do: k.LOOP,
  for: k.NEXT,
  select: t.EndSelect,
  block: t.EndBlock,
  with: t.EndWith,
  try: t.EndTry,
  routine: t.EndRoutine,
  type: t.EndType,
};

/** How many of the latest statements are looked at for a misspelt opening word. */
const MAX_SUSPECTS = 50;

/** Knows constructs by kind and form, but not how they start. */
export abstract class FrameLayout extends LineLayout {
  /** The THENs of IFs that turned out to have no END IF. */
  readonly singles = new Set<number>();
  protected readonly known: ReadonlySet<number> | undefined;
  protected readonly frames: Frame[] = [];
  /** Constructs closed with a complaint: one closing word of each may still come, and is no second mistake. */
  readonly #lost = new Map<Kind, number>();
  /** First words of statements that may be misspelt keywords. */
  protected readonly suspects: IToken[] = [];
  /** Complaints that do not count when the statement at an offset, which should have opened the construct, is broken. */
  protected readonly doubtful = new Map<Complaint, number>();

  /** @param known the THENs without END IF, when an earlier walk has found them */
  constructor(source: SourceFile, input: readonly IToken[], dialect: Dialect, known: ReadonlySet<number> | undefined) {
    super(source, input, dialect);
    this.known = known;
  }

  /** Ends the branches of one-line IFs where their line, or their one statement, ends. */
  protected abstract afterStatement(): void;

  protected override depth(): number {
    return this.frames.length;
  }

  protected override isInsideWith(): boolean {
    return this.find((frame) => frame.kind === "with", true) >= 0;
  }

  protected override closesSomething(softCloser: string): boolean {
    const kind = softCloser === "LOOP" ? "do" : softCloser === "WEND" ? "while" : "if";
    return this.find((frame) => frame.kind === kind && (frame.form === "lines" || frame.form === "begin"), true) >= 0;
  }

  /** The index of the innermost frame that fits; -1 when none does. */
  protected find(fits: (frame: Frame) => boolean, staysInRoutine: boolean): number {
    for (let index = this.frames.length - 1; index >= 0; index--) {
      const frame = this.frames[index]!;
      if (fits(frame)) return index;
      if (staysInRoutine && frame.kind === "routine") return -1;
    }
    return -1;
  }

  protected push(kind: Kind, form: Form, opener: IToken, variable?: string): Frame {
    const frame: Frame = {
      kind,
      form,
      opener,
      thens: [],
      hasElseIf: false,
      hasElse: false,
      ...(variable === undefined ? {} : { variable }),
    };
    this.frames.push(frame);
    this.checkDepth(0, opener);
    return frame;
  }

  /** Closes the innermost constructs without their closing words until `length` are left, with complaints. */
  protected popTo(length: number): void {
    while (this.frames.length > length) {
      const frame = this.frames.pop()!;
      if (frame.kind === "if" && frame.form === "lines" && this.known === undefined && !frame.hasElseIf)
        for (const then of frame.thens) this.singles.add(then);
      else if (frame.form !== "line" && frame.form !== "single") {
        this.complaints.push(complaints.unclosed(this.spanOf(frame.opener), constructOf(frame)));
        this.#lost.set(frame.kind, (this.#lost.get(frame.kind) ?? 0) + 1);
      }
      this.insert(CLOSERS[frame.kind]);
      if (frame.kind === "do" || frame.kind === "for") this.insert(t.EndOfStatement);
    }
  }

  /** Closes the frame at an index with the next `count` tokens. */
  protected closeFrame(index: number, count: number): void {
    this.popTo(index + 1);
    const frame = this.frames.pop()!;
    this.takeJoined(CLOSERS[frame.kind], count);
  }

  /** Complains about a closing word that closes nothing, and drops its statement. */
  protected stray(count: number, opener: string, kind: Kind): void {
    const lost = this.#lost.get(kind) ?? 0;
    if (lost > 0) this.#lost.set(kind, lost - 1);
    else this.#complainAboutStray(count, opener);
    const length = this.output.length;
    this.at += count;
    this.takeLine();
    this.output.length = length;
    this.afterStatement();
  }

  #complainAboutStray(count: number, opener: string): void {
    const last = this.look(count - 1);
    const first = this.look();
    const span = { start: first.startOffset, end: t.endOf(last) };
    const words = this.source.text.slice(span.start, span.end).toUpperCase().replace(/\s+/g, " ");
    const suspect = this.#suspectOf(opener.split(" ")[0]!);
    const line = suspect && this.source.position(suspect.startOffset).line;
    const hint = suspect && `Did you mean ${opener} where line ${line} says ${suspect.image}?`;
    const complaint = complaints.stray({ source: this.source, span }, words, opener, hint);
    this.complaints.push(complaint);
    if (suspect) this.doubtful.set(complaint, suspect.startOffset);
  }

  /** The latest statement whose first word may be a misspelt opening word. */
  #suspectOf(opener: string): IToken | undefined {
    return this.suspects.slice(-MAX_SUSPECTS).findLast(({ image }) => closest(image, [opener]) !== undefined);
  }

  protected endsStatement(ahead: number): boolean {
    return this.isSeparator(this.look(ahead)) || this.isCloser(ahead);
  }
}

/** How a frame's opener is called in a complaint. */
function constructOf(frame: Frame): Construct {
  if (frame.form === "brace") return "{";
  if (frame.form === "begin" && (frame.kind === "block" || frame.kind === "if")) return "BEGIN";
  if (frame.kind === "routine") return frame.opener.image.toUpperCase() === "SUB" ? "SUB" : "FUNC";
  return frame.kind.toUpperCase() as Construct;
}
