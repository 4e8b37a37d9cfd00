/** The layout of loops, blocks and routines, and of the words that close them. */
import { complaints } from "./complaints.ts";
import type { Form, Frame, Kind } from "./layout-frames.ts";
import { IfLayout } from "./layout-if.ts";
import type { LineRules } from "./layout-lines.ts";
import * as t from "./tokens.ts";

const k = t.keyword;
/** What the words after END, and the closing words of one piece, close, and how that construct is opened. */
export const END_WORDS: Readonly<Record<string, { readonly kind: Kind; readonly opener: string }>> = {
  IF: { kind: "if", opener: "IF" },
  SUB: { kind: "routine", opener: "SUB" },
  FUNC: { kind: "routine", opener: "FUNC" },
  FUNCTION: { kind: "routine", opener: "FUNCTION" },
  TRY: { kind: "try", opener: "TRY" },
  WITH: { kind: "with", opener: "WITH" },
  SELECT: { kind: "select", opener: "SELECT CASE" },
  WHILE: { kind: "while", opener: "WHILE" },
  TYPE: { kind: "type", opener: "TYPE" },
  BLOCK: { kind: "block", opener: "BEGIN" },
};

export abstract class BlockLayout extends IfLayout {
  protected blockStatement(form: "begin" | "brace"): void {
    this.push("block", form, this.look());
    this.take(t.BlockStart);
  }

  /** A construct that starts with a line of its own; a `{` or BEGIN at its end may open the body. */
  protected openHeader(kind: Kind, form: Form, rules: LineRules = {}): Frame {
    const frame = this.push(kind, form, this.look());
    this.take();
    this.takeLine({ isHeader: true, ...rules }, 1);
    if (this.look().tokenType === t.LeftBrace && kind !== "with" && kind !== "for") {
      this.at++;
      frame.form = "brace";
    }
    return frame;
  }

  protected whileStatement(): void {
    const frame = this.openHeader("while", "lines", { endsBetweenValues: "always" });
    if (frame.form === "lines" && this.look().tokenType === k.BEGIN) {
      this.at++;
      frame.form = "begin";
    }
  }

  protected doStatement(): void {
    this.push("do", "lines", this.look());
    this.take();
    this.loopTest({ isHeader: true, endsBetweenValues: "always" });
  }

  protected loopWord(): void {
    const index = this.find((frame) => frame.kind === "do", true);
    if (index < 0) return this.stray(1, "DO", "do");
    this.closeFrame(index, 1);
    this.loopTest({ isHeader: true });
    this.afterStatement();
  }

  /** `WHILE c` or `UNTIL c` behind DO or LOOP. */
  protected loopTest(rules: LineRules): void {
    const word = this.look();
    if (word.tokenType === k.WHILE) this.take();
    else if (word.tokenType === t.Name && word.image.toUpperCase() === "UNTIL") this.take(k.UNTIL);
    else return this.insert(t.EndOfStatement);
    this.takeLine(rules, 1);
  }

  protected forStatement(): void {
    const word = this.look();
    const isOneWord = word.tokenType === k.FOREACH;
    if (isOneWord)
      this.complaints.push(complaints.syntax(this.spanOf(word), "FOREACH is not a statement of Basil.", "Write FOR EACH."));
    const isEach = isOneWord || this.look(1).tokenType === k.EACH;
    const variable = this.look(isEach && !isOneWord ? 2 : 1);
    this.push("for", "lines", word, variable.tokenType === t.Name ? variable.image : undefined);
    if (isEach) this.takeJoined(t.ForEachStart, isOneWord ? 1 : 2);
    else this.take();
    this.takeLine({ isHeader: true, endsBetweenValues: "always" }, 1);
  }

  protected nextWord(): void {
    const word = this.look();
    const index = this.find((frame) => frame.kind === "for", true);
    if (word.tokenType === k.ENDFOR)
      this.complaints.push(complaints.syntax(this.spanOf(word), "ENDFOR is not a statement of Basil.", "Write NEXT."));
    if (index < 0) return this.stray(1, "FOR", "for");
    const { variable } = this.frames[index]!;
    this.closeFrame(index, 1);
    const name = this.look();
    if (name.tokenType === t.Name && (name.image.toUpperCase() === variable?.toUpperCase() || this.endsStatement(1))) {
      const isOther = this.look(1).tokenType === t.Equals;
      if (!isOther) this.take();
    }
    this.insert(t.EndOfStatement);
    this.afterStatement();
  }

  protected selectStatement(): void {
    const frame = this.push("select", "lines", this.look());
    this.take();
    if (this.look().tokenType === k.CASE) this.take();
    this.takeLine({ isHeader: true }, 1);
    if (this.look().tokenType !== t.LeftBrace) return;
    this.at++;
    frame.form = "brace";
  }

  protected caseWord(): void {
    const index = this.find((frame) => frame.kind === "select", true);
    if (index < 0) return this.stray(1, "SELECT CASE", "select");
    this.popTo(index + 1);
    if (this.look(1).tokenType === k.ELSE) {
      this.takeJoined(t.CaseElse, 2);
      this.insert(t.EndOfStatement);
    } else {
      this.take();
      this.takeLine({ isHeader: true }, 1);
    }
  }

  protected handlerWord(): void {
    const index = this.find((frame) => frame.kind === "try", true);
    if (index < 0) return this.stray(1, "TRY", "try");
    this.popTo(index + 1);
    const isCatch = this.look().tokenType === k.CATCH;
    this.take();
    if (isCatch) this.takeLine({ isHeader: true }, 1);
  }

  protected routineStatement(): void {
    const frame = this.openHeader("routine", "lines", { endsBetweenValues: "afterParen" });
    if (frame.form === "brace") return;
    let ahead = 0;
    while (this.look(ahead).tokenType === t.Newline) ahead++;
    const { tokenType } = this.look(ahead);
    if (tokenType !== t.LeftBrace && tokenType !== k.BEGIN) return;
    this.at += ahead + 1;
    frame.form = tokenType === k.BEGIN ? "begin" : "brace";
  }

  protected closeWord(count: number, { kind, opener }: { kind: Kind; opener: string }): void {
    const index = this.find(
      (frame) => frame.kind === kind && (frame.form === "lines" || frame.form === "begin"),
      kind !== "routine",
    );
    if (index < 0) return this.stray(count, opener, kind);
    this.closeFrame(index, count);
    this.afterStatement();
  }

  protected endWord(): void {
    const next = this.look(1);
    const word = next.tokenType === t.Newline ? "" : next.image.toUpperCase();
    if (Object.hasOwn(END_WORDS, word)) return this.closeWord(2, END_WORDS[word]!);
    if (word === "FOR" && this.endsStatement(2)) return this.endFor();
    const index = this.find(closesWithEnd, false);
    const frame = this.frames[index];
    if (frame === undefined) {
      this.take(t.EndProgram);
      this.takeLine({}, 1);
      return this.afterStatement();
    }
    if (next.tokenType === k.ELSE && frame.kind === "if" && !frame.hasElse) return this.endElse(index);
    this.closeFrame(index, 1);
    this.afterStatement();
  }

  protected endFor(): void {
    const index = this.find((frame) => frame.kind === "for", true);
    if (index < 0) return this.stray(2, "FOR", "for");
    const { source } = this;
    const span = { start: this.look().startOffset, end: t.endOf(this.look(1)) };
    this.complaints.push(complaints.syntax({ source, span }, "FOR is not closed by END FOR.", "Write NEXT."));
    this.closeFrame(index, 2);
    this.insert(t.EndOfStatement);
    this.afterStatement();
  }

  /** `END ELSE …` on one line: the BEGIN part ends, and an ELSE follows. */
  protected endElse(index: number): void {
    this.popTo(index + 1);
    const frame = this.frames[index]!;
    this.at++;
    if (this.look(1).tokenType !== k.BEGIN) return this.takeElse(frame);
    this.take();
    this.at++;
    frame.hasElse = true;
  }

  protected closeBrace(): void {
    const index = this.find((frame) => frame.form === "brace", false);
    if (index < 0) {
      const token = this.look();
      this.complaints.push(complaints.stray(this.spanOf(token), "'}'", "'{'"));
      this.at++;
      return;
    }
    this.popTo(index + 1);
    const frame = this.frames[index]!;
    if (frame.kind === "if") {
      const brace = this.look();
      this.at++;
      const { ahead, isAtLineStart } = this.elseAhead();
      if (ahead >= 0 && this.ownsElse(index, isAtLineStart)) {
        this.at += ahead;
        return this.takeElse(frame);
      }
      this.frames.pop();
      this.emit(t.makeToken(t.EndIf, brace.image, brace.startOffset));
    } else this.closeFrame(index, 1);
    this.afterStatement();
  }
}

const closesWithEnd = (frame: Frame): boolean =>
  frame.form === "begin" ||
  (frame.form === "lines" && (frame.kind === "select" || frame.kind === "routine" || frame.kind === "type"));
