/** The layout of IF: one-line, block, BEGIN and brace forms, and which IF an ELSE belongs to. */
import { EOF } from "chevrotain";
import { complaints } from "./complaints.ts";
import { type Frame, FrameLayout } from "./layout-frames.ts";
import * as t from "./tokens.ts";

const k = t.keyword;

export abstract class IfLayout extends FrameLayout {
  protected ifStatement(): void {
    const frame = this.push("if", "line", this.look());
    this.take();
    this.condition(frame, true);
  }

  /** The condition, THEN, and how the branch is written. */
  protected condition(frame: Frame, isFirst: boolean): void {
    const thenAt = this.takeCondition(isFirst);
    if (!isFirst && frame.form === "lines") frame.thens.push(this.at);
    if (!isFirst && (frame.form === "lines" || frame.form === "begin")) {
      if (frame.form !== "begin" || !this.skipsBegin()) this.takesBranchWord();
      return;
    }
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    const { tokenType } = this.look(ahead);
    if (tokenType === k.BEGIN || (tokenType === t.LeftBrace && (ahead === 0 || thenAt >= 0))) {
      this.at += ahead + 1;
      frame.form = tokenType === k.BEGIN ? "begin" : "brace";
    } else if (ahead === 0) this.lineBranch(frame);
    else if (this.known?.has(this.at)) this.singleBranch(frame, ahead);
    else {
      frame.form = "lines";
      frame.thens.push(this.at);
    }
  }

  /** Takes condition and THEN; puts a THEN in where it may be missing. Returns where THEN was, or -1. */
  protected takeCondition(isFirst: boolean): number {
    this.takeLine({ isHeader: true, stopsAtThen: true }, 1);
    this.output.pop();
    const next = this.look();
    let thenAt = -1;
    if (next.tokenType === k.THEN) {
      thenAt = this.at;
      this.take();
    } else if (!isFirst || next.tokenType === t.LeftBrace) this.insert(k.THEN);
    this.insert(t.EndOfStatement);
    return thenAt;
  }

  /** Skips the BEGIN of a further part; there may be none. */
  protected skipsBegin(): boolean {
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    if (this.look(ahead).tokenType !== k.BEGIN) return false;
    this.at += ahead + 1;
    return true;
  }

  protected singleBranch(frame: Frame, newlines: number): void {
    frame.form = "single";
    this.at += newlines;
    if (!this.isCloser()) return;
    if (frame.hasElse)
      this.complaints.push(complaints.syntax(this.spanOf(frame.opener), "Expected a statement after the ELSE of this IF."));
    else this.complaints.push(complaints.unclosed(this.spanOf(frame.opener), "IF"));
    this.afterStatement();
  }

  /** What stands on the line of THEN or ELSE: one statement, with more behind `:` in classic. */
  protected lineBranch(frame: Frame): void {
    frame.form = "line";
    while (this.look().tokenType === t.Colon) this.at++;
    if (this.takesBranchWord()) return;
    const next = this.look();
    if (!this.isCloser() && next.tokenType !== t.Newline) return;
    const word = frame.hasElse ? "ELSE" : "THEN";
    const hasThen = this.output[this.output.length - 2]?.tokenType === k.THEN || frame.hasElse;
    const found =
      next.tokenType === EOF ? "the end of the text" : next.tokenType === t.Newline ? "the end of the line" : `"${next.image}"`;
    if (hasThen) this.complaints.push(complaints.expected(this.spanOf(next), `a statement after ${word}`, found));
    this.afterStatement();
  }

  /** A branch that is just a line number jumps there; END directly behind THEN or ELSE ends the program. */
  protected takesBranchWord(): boolean {
    const { tokenType, image } = this.look();
    if (tokenType === k.END) this.take(t.EndProgram);
    else if (tokenType === t.NumberToken && /^[0-9]+$/.test(image) && this.endsStatement(1)) {
      this.insert(t.ImpliedGoto);
      this.take();
    } else return false;
    this.insert(t.EndOfStatement);
    this.afterStatement();
    return true;
  }

  /** ELSE or ELSEIF at the start of a statement: belongs to the innermost IF with END IF or END. */
  protected elseWord(): void {
    const index = this.find((frame) => frame.kind === "if" && (frame.form === "lines" || frame.form === "begin"), true);
    const isElseIf = this.look().tokenType !== k.ELSE;
    if (index < 0) return this.strayElse();
    this.popTo(index + 1);
    const frame = this.frames[index]!;
    if (frame.hasElse) {
      this.complaints.push(complaints.secondElse(this.spanOf(this.look())));
      this.at++;
    } else if (isElseIf || this.isElseIf(frame)) {
      if (isElseIf) frame.hasElseIf = true;
      this.takeJoined(k.ELSEIF, isElseIf ? 1 : 2);
      this.condition(frame, false);
    } else {
      this.take();
      frame.hasElse = true;
      if (frame.form !== "begin" || !this.skipsBegin()) this.takesBranchWord();
    }
  }

  protected strayElse(): void {
    const word = this.look();
    this.complaints.push(complaints.stray(this.spanOf(word), word.image.toUpperCase(), "IF"));
    this.at++;
    if (word.tokenType === k.ELSE) return;
    this.at--;
    this.push("if", "line", word);
    this.take(k.IF);
    this.condition(this.frames.at(-1)!, true);
  }

  /** Whether `ELSE IF c THEN` is an ELSEIF of the IF around it: its THEN ends the line, or opens the next BEGIN part. */
  protected isElseIf(frame: Frame): boolean {
    if (this.look(1).tokenType !== k.IF) return false;
    let ahead = 2;
    for (; ; ahead++) {
      const { tokenType, tokenTypeIdx } = this.look(ahead);
      if (tokenType === k.THEN) break;
      const role = t.roles.get(tokenTypeIdx);
      if (tokenType === EOF || role === "statement" || role === "closer") return false;
    }
    const { tokenType } = this.look(ahead + 1);
    return tokenType === t.Newline || tokenType === EOF || (frame.form === "begin" && tokenType === k.BEGIN);
  }

  /** ELSE of a one-line or brace IF; stands at the next token. */
  protected takeElse(frame: Frame): void {
    if (this.look().tokenType !== k.ELSE) {
      this.take(k.ELSEIF);
      return this.condition(frame, false);
    }
    this.take();
    frame.hasElse = true;
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    const { tokenType } = this.look(ahead);
    if (tokenType === t.LeftBrace) {
      this.at += ahead + 1;
      frame.form = "brace";
    } else if (ahead === 0 && tokenType !== EOF) this.lineBranch(frame);
    else this.singleBranch(frame, ahead);
  }

  /** Whether an ELSE behind the branch of the IF at an index belongs to it. */
  protected ownsElse(index: number, isAtLineStart: boolean): boolean {
    if (this.frames[index]!.hasElse) return false;
    if (!isAtLineStart) return true;
    let outer = index - 1;
    while (outer >= 0 && (this.frames[outer]!.form === "line" || this.frames[outer]!.form === "single")) outer--;
    const frame = this.frames[outer];
    return frame === undefined || frame.kind !== "if" || frame.form !== "lines" || frame.hasElse;
  }

  /** How far the next ELSE or ELSEIF is, over separators only, and whether it starts a line; -1 when there is none. */
  protected elseAhead(): { ahead: number; isAtLineStart: boolean } {
    let ahead = 0;
    let isAtLineStart = false;
    while (this.isSeparator(this.look(ahead))) {
      if (this.look(ahead).tokenType === t.Newline) isAtLineStart = true;
      ahead++;
    }
    const next = this.look(ahead);
    const isElse =
      next.tokenType === k.ELSE ||
      (next.tokenType === t.Name && next.image.toUpperCase() === "ELSEIF" && this.isSoftKeyword(ahead));
    return { ahead: isElse ? ahead : -1, isAtLineStart };
  }

  /** Ends the branches of one-line IFs where their line, or their one statement, ends. */
  protected afterStatement(): void {
    for (;;) {
      const index = this.frames.length - 1;
      const frame = this.frames[index];
      if (frame === undefined || (frame.form !== "line" && frame.form !== "single")) return;
      const { ahead, isAtLineStart } = this.elseAhead();
      if (ahead >= 0 && this.ownsElse(index, isAtLineStart)) {
        this.at += ahead;
        return this.takeElse(frame);
      }
      if (frame.form === "line" && ahead < 0 && this.joinsNext()) return;
      this.frames.pop();
      this.insert(t.EndIf);
    }
  }

  /** Whether `:` joins the next statement to the branch of a one-line IF (classic). */
  protected joinsNext(): boolean {
    if (this.dialect !== "classic" || this.look().tokenType !== t.Colon) return false;
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Colon) ahead++;
    const next = this.look(ahead);
    if (this.isSeparator(next) || this.isCloser(ahead)) return false;
    this.at += ahead;
    return true;
  }
}
