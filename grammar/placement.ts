/** Statements that are well formed but stand where they mean nothing: BREAK outside of a loop and its like. */
import type { Program, Statement } from "./ast.ts";
import { type Complaint, complaints } from "./complaints.ts";
import type { Span } from "./source.ts";

/** What is open around a statement; loops by their words. */
interface Around {
  readonly loops: readonly ("FOR" | "WHILE" | "DO")[];
  readonly isInCatch: boolean;
  readonly isInRoutine: boolean;
}

const TOP: Around = { loops: [], isInCatch: false, isInRoutine: false };

/** All statements of a program that are out of place. */
export function checkPlacement(program: Program): Complaint[] {
  const found: Complaint[] = [];
  const at = (span: Span) => ({ source: program.source, span });
  const visit = (body: readonly Statement[] | null, around: Around): void => {
    for (const statement of body ?? []) check(statement, around);
  };
  const loop = (word: Around["loops"][number], body: readonly Statement[], around: Around): void =>
    visit(
      body,
      around.loops.at(-1) === word ? around : { ...around, loops: [...around.loops.filter((other) => other !== word), word] },
    );

  function check(statement: Statement, around: Around): void {
    switch (statement.kind) {
      case "break":
      case "continue":
        if (around.loops.length === 0)
          found.push(complaints.outsideLoop(at(statement.span), statement.kind === "break" ? "BREAK" : "CONTINUE"));
        return;
      case "exitLoop":
        if (!around.loops.includes(statement.loop)) found.push(complaints.exitOutside(at(statement.span), statement.loop));
        return;
      case "exitRoutine":
        if (!around.isInRoutine) found.push(complaints.exitOutsideRoutine(at(statement.span)));
        return;
      case "raise":
        if (statement.value === null && !around.isInCatch) found.push(complaints.bareRaise(at(statement.span)));
        return;
      case "include":
        if (around.isInRoutine) found.push(complaints.includeInside(at(statement.span)));
        return;
      case "while":
        return loop("WHILE", statement.body, around);
      case "do":
        return loop("DO", statement.body, around);
      case "for":
      case "forEach":
        return loop("FOR", statement.body, around);
      case "routine":
        return visit(statement.body, { loops: [], isInCatch: false, isInRoutine: true });
      case "if":
        for (const arm of statement.arms) visit(arm.body, around);
        return visit(statement.otherwise, around);
      case "select":
        for (const arm of statement.arms) visit(arm.body, around);
        return visit(statement.otherwise, around);
      case "try":
        visit(statement.body, around);
        visit(statement.catchBody, { ...around, isInCatch: true });
        return visit(statement.finallyBody, around);
      case "block":
      case "with":
        return visit(statement.body, around);
    }
  }
  visit(program.body, TOP);
  return found;
}
