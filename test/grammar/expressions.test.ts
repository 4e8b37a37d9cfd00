/** What expressions mean: precedence, association, literals, postfix chains, interpolation. */
import { describe, expect, test } from "vitest";
import { parsedExpression } from "../helpers/sexp.ts";

const rows = (table: readonly (readonly [string, string])[]) =>
  test.each(table)("%s", (text, expected) => {
    expect(parsedExpression(text)).toBe(expected);
  });

describe("each level of the precedence table binds tighter than the one above", () =>
  rows([
    ["a OR b AND c", "(OR a (AND b c))"],
    ["a AND b = c", "(AND a (= b c))"],
    ["a = b < c", "(= a (< b c))"],
    ["a < b + c", "(< a (+ b c))"],
    ["a + b * c", "(+ a (* b c))"],
    ["-a * b", "(* (neg a) b)"],
    ["-2 ^ 2", "(neg (^ 2 2))"],
    ["a ^ b[1]", "(^ a (index b 1))"],
    ['"a" < "b" AND NOT 0', '(AND (< "a" "b") (NOT 0))'],
  ]));

describe("binary operators of one level are left-associative", () =>
  rows([
    ["a - b - c", "(- (- a b) c)"],
    ["a / b * c \\ d MOD e", "(MOD (\\ (* (/ a b) c) d) e)"],
    ["2 ^ 3 ^ 2", "(^ (^ 2 3) 2)"],
    ["1 < 2 = 1", "(= (< 1 2) 1)"],
    ["a = b <> c", "(<> (= a b) c)"],
    ["a OR b OR c", "(OR (OR a b) c)"],
  ]));

describe("prefixes", () =>
  rows([
    ["NOT a = b", "(= (NOT a) b)"],
    ["NOT a + b", "(+ (NOT a) b)"],
    ["2 ^ -1", "(^ 2 (neg 1))"],
    ["2 ^ -1 * 3", "(* (^ 2 (neg 1)) 3)"],
    ["2 * -3 + 1", "(+ (* 2 (neg 3)) 1)"],
    ["- - NOT a", "(neg (neg (NOT a)))"],
    ["-l[1]", "(neg (index l 1))"],
    ["a - -b", "(- a (neg b))"],
  ]));

describe("operators have second spellings and any case", () =>
  rows([
    ["a == b", "(= a b)"],
    ["a != b", "(<> a b)"],
    ["a and not b Or c mod d", "(OR (AND a (NOT b)) (MOD c d))"],
  ]));

describe("literals", () =>
  rows([
    ["&HFF", "255"],
    ["&hff + &B101", "(+ 255 5)"],
    [".5 + 1e3 + 1.5E-3", "(+ (+ 0.5 1000) 0.0015)"],
    ["true", "TRUE"],
    ["NULL", "NULL"],
    ['"""a"""', '"\\"a\\""'],
    ['""', '""'],
    ['"a\\n\\t\\\\\\q\\#{x}"', '"a\\n\\t\\\\q#{x}"'],
    ['"a\nb"', '"a\\nb"'],
    ["[1, [2], 3,]", "(list 1 (list 2) 3)"],
    ["[]", "(list)"],
    ['{"a": 1, "b": {"c": 2,},}', '(dict "a":1 "b":(dict "c":2))'],
    ["{}", "(dict)"],
  ]));

describe("postfix chains", () =>
  rows([
    ["d.a[2].b(3)", "(call (. (index (. d a) 2) b) 3)"],
    ["f()[2]", "(index (call f) 2)"],
    ["(a)[1]", "(index a 1)"],
    ['"x"[1]', '(index "x" 1)'],
    ["d.print.end", "(. (. d print) end)"],
    ["GEARMAN.SUBMIT$(a$, b$)", "(call (. GEARMAN SUBMIT$) a$ b$)"],
    ["a%()", "(call a%)"],
    ["NEW Thing(1, 2)", "(NEW Thing 1 2)"],
    ["NEW Thing", "(NEW Thing)"],
    ['CLASS("f.basil").x', '(. (CLASS "f.basil") x)'],
    ['EVAL("1") + SHELL("ls")', '(+ (EVAL "1") (SHELL? "ls"))'],
  ]));

describe("interpolation", () =>
  rows([
    ['"a#{x}b"', '(str "a" x "b")'],
    ['"#{1 + 1}#{"x"}"', '(str "" (+ 1 1) "" "x" "")'],
    ['"Hi #{UCASE$("a") + "!"}"', '(str "Hi " (+ (call UCASE$ "a") "!") "")'],
    ['"a#{ {"k": 5}["k"] }b"', '(str "a" (index (dict "k":5) "k") "b")'],
    ['"#{"in #{"deep"}"}"', '(str "" (str "in " "deep" "") "")'],
    ['"# { } #"', '"# { } #"'],
    ['"#{\n x\n}"', '(str "" x "")'],
  ]));

describe("soft words are names in expressions", () =>
  rows([
    ["data + loop * read", "(+ data (* loop read))"],
    ["string", "string"],
    ["error", "error"],
  ]));

test("spans point into the text, also inside of strings and through parentheses", async () => {
  const { parseExpression } = await import("../../grammar/parse.ts");
  const text = '(1 + 2) * "a #{b.c} d"';
  const { expression } = parseExpression(text, { file: "t" });
  if (expression?.kind !== "binary" || expression.right.kind !== "interpolation") throw new Error("unexpected tree");
  const at = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
  expect(at(expression.span)).toBe(text);
  expect(at(expression.left.span)).toBe("(1 + 2)");
  expect(at(expression.operatorSpan)).toBe("*");
  const inner = expression.right.parts[1]!;
  if (typeof inner === "string" || inner.kind !== "member") throw new Error("unexpected part");
  expect(at(inner.span)).toBe("b.c");
  expect(at(inner.nameSpan)).toBe("c");
});

test.each([
  ["", "Expected an expression, found the end of the text."],
  ["1 +", 'Expected an expression after "+", found the end of the text.'],
  ["1 2", 'Expected the end of the statement, found "2".'],
  ["1\n2", 'Expected one expression only, found "2".'],
  ["PRINT 1", 'Expected an expression, found "PRINT".'],
])("EVAL of %j is refused", async (text, message) => {
  const { parseExpression } = await import("../../grammar/parse.ts");
  const result = parseExpression(text, { file: "t" });
  expect(result.expression).toBeNull();
  expect(result.complaints.map((complaint) => complaint.message)).toEqual([message]);
});
