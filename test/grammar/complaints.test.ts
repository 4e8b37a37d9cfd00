/** What the compiler says about broken programs: every complaint once, at the right place, in words a person understands. */
import { describe, expect, test } from "vitest";
import { complaints, EXPLANATIONS } from "../../grammar/complaints.ts";
import { parseProgram } from "../../grammar/parse.ts";
import { SourceFile } from "../../grammar/source.ts";
import { complaintsOf } from "../helpers/sexp.ts";

const rows = (table: readonly (readonly [string, ...string[]])[]) =>
  test.each(table.map(([text, ...expected]) => [text, expected] as const))("%j", (text, expected) => {
    expect(complaintsOf(text)).toEqual(expected);
  });

describe("what was expected and what was found", () =>
  rows([
    ['IF x > 3 PRINT "y"', 'B0101 1:10 Expected THEN after the condition, found "PRINT".'],
    ["IF x > 3\ny\nEND IF", "B0101 1:9 Expected THEN after the condition, found the end of the line."],
    ["x = \nPRINT 1", 'B0101 1:4 Expected an expression after "=", found the end of the line.'],
    ["x = 1 +* 2", 'B0101 1:8 Expected an expression after "+", found "*".'],
    ["y = 3 +", 'B0101 1:8 Expected an expression after "+", found the end of the text.'],
    ['PRINT LEFT$("a", 2\nPRINT 1', 'B0101 1:19 Expected ")" or ",", found the end of the line.'],
    ["x = (1 + 2 ' c\ny = 3", 'B0101 1:11 Expected ")", found the end of the line.'],
    ["l = [1 2]", 'B0101 1:8 Expected "]" or ",", found "2".'],
    ["d = {a: 1}", 'B0101 1:6 Expected a key in quotes, found "a".'],
    ["x = 5 PRINT x", 'B0101 1:7 Expected the end of the statement, found "PRINT".'],
    ['PRINT "a" "b"', 'B0101 1:11 Expected ";" or "," between two items of PRINT, found the string "b".'],
    ["FOR i = 1\nNEXT", "B0101 1:10 Expected TO, found the end of the line."],
    ["FOR 1 = 2 TO 3\nNEXT", 'B0101 1:5 Expected a variable after FOR, found "1".'],
    ["SUB\nEND SUB", "B0101 1:4 Expected the name of the routine after SUB, found the end of the line."],
    ["DIM a()", "B0101 1:5 DIM a() needs the highest index."],
    ["LINE INPUT a, b", "B0101 1:15 LINE INPUT reads one variable, the whole line."],
    ['INPUT "x"', 'B0101 1:10 Expected ";" or "," and a variable after the prompt, found the end of the text.'],
    ['DATA "a" b', 'B0101 1:10 Expected "," between two DATA items, found "b".'],
    ["INCLUDE x", 'B0101 1:9 Expected a file or module name in quotes, such as "obj-gearman", after INCLUDE, found "x".'],
    ["READ 5", "B0101 1:6 Expected a variable, an element or a member, found 5."],
    ["GOTO 1.5", 'B0101 1:6 Expected a label, found "1.5".'],
    ["THEN x", 'B0101 1:1 Expected a statement, found "THEN".'],
    ["x = f(IF)", 'B0101 1:7 Expected an expression after "(", found "IF".'],
    ["x = IF", 'B0101 1:5 Expected an expression after "=", found "IF".'],
    ["LET PRINT x", 'B0101 1:5 Expected an expression after "LET", found "PRINT".'],
    ["STOP PRINT 1", 'B0101 1:6 Expected the end of the statement, found "PRINT".'],
    ["IF a THEN ELSE x", 'B0101 1:11 Expected a statement after THEN, found "ELSE".'],
    ["PRINTLN 5.", "B0101 1:9 Expected a digit after the decimal point in 5."],
  ]));

describe("texts that upstream has too", () =>
  rows([
    ["TRY\nx", "B0105 1:1 Expected 'END TRY' to terminate TRY block."],
    ["TRY\nEND TRY", "B0101 1:1 TRY must contain a CATCH or FINALLY block."],
    ["TRY\nCATCH\nCATCH\nEND TRY", "B0101 3:1 Only one CATCH block is allowed per TRY."],
    ["TRY\nFINALLY\nFINALLY\nEND TRY", "B0101 3:1 Only one FINALLY block is allowed per TRY."],
    ["TRY\nFINALLY\nCATCH\nEND TRY", "B0101 3:1 CATCH must stand before FINALLY."],
    ["TRY\nCATCH e\nEND TRY", "B0101 2:7 CATCH variable must be a string (use '$' suffix)."],
    ["RAISE", "B0106 1:1 RAISE without an expression is only valid inside CATCH."],
    ["WITH a", "B0105 1:1 Expected 'END WITH' to terminate WITH block."],
    ["SELECT CASE a\nCASE ELSE\nCASE ELSE\nEND", "B0101 3:1 Only one CASE ELSE is allowed."],
    ["SELECT CASE a\nCASE ELSE\nCASE 1\nEND", "B0101 3:1 CASE ELSE must be the last CASE."],
    ["SELECT CASE a", "B0105 1:1 Expected 'END' or 'END SELECT' to terminate SELECT CASE block."],
    ["SELECT CASE a\nCASE IS 5\nEND", "B0101 2:1 Use 'CASE IS <op> <expr>' with one comparator operator."],
    [".x = 1", "B0106 1:1 Leading '.' member requires a WITH block (at line 1)"],
    ["ON ERROR GOTO h", "B0101 1:1 ON ERROR is not part of Basil."],
  ]));

describe("an unclosed construct is reported once, at its first word", () =>
  rows([
    ["x = 1\nDO\n x = 2", "B0105 2:1 Expected 'LOOP' to terminate DO."],
    ["FOR i = 1 TO 2", "B0105 1:1 Expected 'NEXT' to terminate FOR."],
    ["FOR EACH i IN a", "B0105 1:1 Expected 'NEXT' to terminate FOR."],
    ["WHILE a", "B0105 1:1 Expected 'WEND' to terminate WHILE."],
    ["SUB f", "B0105 1:1 Expected 'END SUB' to terminate SUB."],
    ["FUNCTION f", "B0105 1:1 Expected 'END FUNC' to terminate FUNC."],
    ["TYPE t", "B0105 1:1 Expected 'END TYPE' to terminate TYPE."],
    ["IF a THEN\nELSEIF b THEN\nx", "B0105 1:1 Expected 'END IF' to terminate IF."],
    ["IF a THEN BEGIN", "B0105 1:1 Expected 'END' to terminate BEGIN."],
    ["IF a {", "B0105 1:1 Expected '}' to terminate the block."],
    ["BEGIN", "B0105 1:1 Expected 'END' to terminate BEGIN."],
    ["SUB f\nIF a THEN\nEND SUB", "B0105 2:1 Expected 'END IF' to terminate IF."],
    [
      "SUB f\nFOR i = 1 TO 2\nWHILE a\nEND SUB",
      "B0105 2:1 Expected 'NEXT' to terminate FOR.",
      "B0105 3:1 Expected 'WEND' to terminate WHILE.",
    ],
    ["FOR i = 1 TO 3\nDO\nNEXT\nLOOP", "B0105 2:1 Expected 'LOOP' to terminate DO."],
  ]));

describe("statements out of place", () =>
  rows([
    ["BREAK", "B0106 1:1 BREAK used outside of loop"],
    ["SUB s\nCONTINUE\nEND SUB", "B0106 2:1 CONTINUE used outside of loop"],
    ["FOR i = 1 TO 2\nSUB s\nBREAK\nEND SUB\nNEXT", "B0106 3:1 BREAK used outside of loop"],
    ["FOR i = 1 TO 2\nEXIT WHILE\nNEXT", "B0106 2:1 EXIT WHILE used outside of WHILE"],
    ["EXIT SUB", "B0106 1:1 EXIT SUB or EXIT FUNC used outside of a SUB or FUNC"],
    ["FOR i = 1 TO 2\nNEXT j", "B0106 2:6 NEXT j does not match FOR i"],
    ["SELECT CASE a\nx = 1\nCASE 1\nEND", "B0106 2:1 Only CASE may follow SELECT CASE: this statement belongs to no CASE."],
    ["END IF\nWEND\nNEXT", "B0106 1:1 END IF without IF", "B0106 2:1 WEND without WHILE", "B0106 3:1 NEXT without FOR"],
    [
      "LOOP UNTIL x\nCASE 1\nCATCH e$",
      "B0106 1:1 LOOP without DO",
      "B0106 2:1 CASE without SELECT CASE",
      "B0106 3:1 CATCH without TRY",
    ],
    ["ELSE\n}\nEND SUB", "B0106 1:1 ELSE without IF", "B0106 2:1 '}' without '{'", "B0106 3:1 END SUB without SUB"],
    ['SUB s\nINCLUDE "x.basil"\nEND SUB', "B0106 2:1 INCLUDE is only allowed at the top level, not inside a routine."],
    [
      "TRY\nRAISE\nCATCH\nRAISE\nFINALLY\nRAISE\nEND TRY",
      ...[2, 6].map((line) => `B0106 ${line}:1 RAISE without an expression is only valid inside CATCH.`),
    ],
  ]));

describe("characters, strings, numbers", () =>
  rows([
    ["x = 1 ? 2", 'B0102 1:7 unexpected character "?"'],
    ["x = “hello”", 'B0102 1:5 unexpected character "“"', 'B0102 1:11 unexpected character "”"'],
    ["x\u00a0= 1", "B0102 1:2 unexpected character U+00A0"],
    ['PRINTLN "abc', "B0103 1:9 unterminated string"],
    ['PRINT "abc\nPRINT "x"\nz = = 3', "B0103 1:7 unterminated string", 'B0101 3:5 Expected an expression after "=", found "=".'],
    ['a$ = "two\nlines"\nPRINT "abc', "B0103 3:7 unterminated string"],
    ['PRINTLN "#{}"', "B0104 1:10 Empty interpolation not allowed: expected expression after '#{' at line 1."],
    ['x = 1\nPRINTLN "#{a"', "B0104 2:10 Unterminated interpolation: missing '}' after '#{' at line 2."],
    ['PRINTLN "#{a b}"', "B0104 1:14 Expected '}' after the expression of an interpolation, found \"b\"."],
    [
      "x = 5abc + 1..2 + &HZZ",
      "B0107 1:5 malformed number 5abc",
      "B0107 1:12 malformed number 1..2",
      "B0107 1:19 malformed number &HZZ",
    ],
  ]));

test("every independently broken statement is reported in one run", () => {
  expect(complaintsOf("x = = 1\ny = 2\nFOR i = \n  z = )\nNEXT\nSUB f(\n  PRINT 1 2\nEND SUB\nDIM 5")).toEqual([
    'B0101 1:5 Expected an expression after "=", found "=".',
    'B0101 4:7 Expected an expression after "=", found ")".',
    "B0101 6:7 Expected the name of a parameter, found the end of the line.",
    'B0101 7:11 Expected ";" or "," between two items of PRINT, found "2".',
    'B0101 9:5 Expected the name of a variable, found "5".',
  ]);
});

describe("hints for misspelt words", () => {
  const hints = (text: string) => parseProgram(text, { file: "t" }).complaints.map(({ hint }) => hint);
  test.each([
    ["IF x > 3 THNE\ny\nEND IF", "Did you mean THEN?"],
    ["FOR i = 1 TOO 5\nNEXT", "Did you mean TO?"],
    ["n += 1", "Write x = x + 1: there is no +=."],
    ["n++", "Write x = x + 1: there is no ++."],
    ["PRNT 1 2", "Did you mean PRINT?"],
    ["FRO i = 1 TO 3\nNEXT", "Did you mean FOR?"],
    ["WHLE x < 3\nWEND", "Did you mean WHILE where line 1 says WHLE?"],
    ["FOREACH x IN y\nNEXT", "Write FOR EACH."],
    ["FOR i = 1 TO 2\nEND FOR", "Write NEXT."],
  ])("%j", (text, hint) => {
    expect(hints(text)).toEqual([hint]);
  });
});

describe("legal programs with a name that looks like a keyword get a warning", () => {
  const warnings = (text: string) =>
    parseProgram(text, { file: "t" }).complaints.map(
      ({ severity, span, hint }) => `${severity} ${text.slice(span.start, span.end)}: ${hint}`,
    );
  test.each([
    ["IF a THEN\nx = 1\nENDIFF", "warning ENDIFF: Did you mean ENDIF?"],
    ["SUB s\nFOR i = 1 TO 2\nEXIT FRO\nNEXT\nEND SUB", "warning FRO: Did you mean FOR?"],
    ["BRAEK", "warning BRAEK: Did you mean BREAK?"],
  ])("%j", (text, warning) => {
    expect(warnings(text)).toEqual([warning]);
  });
  test.each(["SUB Brek\nEND SUB\nbrek", "LET fro = 3\nEXIT FRO", 'INCLUDE "lib.basil"\nBRAEK', "total", "EXIT code"])(
    "not: %j",
    (text) => {
      expect(warnings(text)).toEqual([]);
    },
  );
});

describe("dialects", () => {
  test("the first line chooses, in any case, behind a byte order mark", () => {
    expect(parseProgram("\ufeff#dialect BASIL\nPRINT 1", { file: "t" }).program.dialect).toBe("basil");
    expect(parseProgram("x\n#DIALECT basil", { file: "t" }).program.dialect).toBe("classic");
    expect(parseProgram("#DIALECT classic", { file: "t", dialect: "basil" }).program.dialect).toBe("classic");
    expect(parseProgram("x", { file: "t", dialect: "basil" }).program.dialect).toBe("basil");
  });
  rows([["#DIALECT qbasic\nx", "B0208 1:10 unknown dialect 'qbasic' (available: classic, basil)"]]);
});

describe("the catalogue", () => {
  const at = { source: new SourceFile("t", "x"), span: { start: 0, end: 1 } };
  test.each([
    [complaints.undefinedLabel(at, "nowhere", "now"), "B0201", "Undefined label: nowhere", "Did you mean now?"],
    [complaints.duplicateLabel(at, "a"), "B0202", "Duplicate label: a", undefined],
    [complaints.duplicateDefinition(at, "f", 3), "B0203", "f is already defined at line 3", undefined],
    [complaints.constantAssigned(at, "X"), "B0203", "cannot assign to constant X", undefined],
    [
      complaints.unknownModule(at, "obj-foo", ["obj-a", "obj-b"]),
      "B0204",
      "unknown module 'obj-foo' (available: obj-a, obj-b)",
      undefined,
    ],
    [complaints.includeFile(at, "x.basil", "no such file"), "B0205", "cannot include 'x.basil': no such file", undefined],
    [complaints.argumentCount(at, "f", 1, 2), "B0206", "f expects 1 argument(s), got 2", undefined],
    [
      complaints.jumpIntoBlock(at, "mid", "FOR EACH"),
      "B0207",
      "cannot jump to mid: it stands inside a FOR EACH body",
      "Jump to a label in front of the block.",
    ],
  ])("$message", (complaint, code, message, hint) => {
    expect([complaint.code, complaint.message, complaint.hint]).toEqual([code, message, hint]);
  });

  test("a module that only #USE names is a warning", () => {
    expect(complaints.unknownUse(at, "X", []).severity).toBe("warning");
  });

  test.each(Object.entries(EXPLANATIONS))("%s is explained with an example", (_, { title, text }) => {
    expect(title).not.toBe("");
    expect(text).toMatch(/\n\n {4}\S/);
  });
});
