/** What the lexer makes of text: words by role, numbers, strings with modes, comments, and where it finds fault. */
import { describe, expect, test } from "vitest";
import { tokenize } from "../../grammar/lexer.ts";
import { SourceFile } from "../../grammar/source.ts";

const tokens = (text: string): string =>
  tokenize(new SourceFile("t", text))
    .tokens.map(({ tokenType, image }) => `${tokenType.name}:${image === "\n" ? "" : image}`)
    .join(" ");

test.each([
  ["print Foo_1$ foo%", "word PRINT:print Name:Foo_1$ Name:foo%"],
  ["d.end .print", "Name:d Dot:. Name:end Dot:. Name:print"],
  ["loop until", "Name:loop Name:until"],
  ["a and b", "Name:a Operator:and Name:b"],
  ["1 2.5 .5 1e3 &HfF &b10", "Number:1 Number:2.5 Number:.5 Number:1e3 Number:&HfF Number:&b10"],
  ["5. 5a 1e &HG 1.2.3", "BadNumber:5. BadNumber:5a BadNumber:1e BadNumber:&HG BadNumber:1.2.3"],
  ["<= >= <> != == = < >", "Operator:<= Operator:>= Operator:<> Operator:!= Operator:== Equals:= Operator:< Operator:>"],
  ['"a""b" "c\\"d"', 'String:"a""b" String:"c\\"d"'],
  ['"a #{ {"k": 1} } b"', 'StringHead:"a #{ LeftBrace:{ String:"k" Colon:: Number:1 RightBrace:} StringTail:} b"'],
  ['"#{"#{a}"}"', 'StringHead:"#{ StringHead:"#{ Name:a StringTail:}" StringTail:}"'],
  ["a ' b\nc // d\nREM e\nf # g", "Name:a Newline: Name:c Newline: Newline: Name:f"],
  ["rem\nremark d.rem", "Newline: Name:remark Name:d Dot:. Name:rem"],
  ["a _\nb _ ' c\nd", "Name:a Name:b Name:d"],
  ["a_\nb", "Name:a_ Newline: Name:b"],
  ["#USE a, b\nx #USE a", "UseDirective:#USE a, b Newline: Name:x"],
  ["a\r\nb", "Name:a Newline: Name:b"],
])("%j", (text, expected) => {
  expect(tokens(text)).toBe(expected);
});

describe("offsets", () => {
  test("count from the start of the text, also behind a string without end", () => {
    const text = 'x = "abc\nPRINT "y"\nz';
    const { tokens: list } = tokenize(new SourceFile("t", text));
    for (const { image, startOffset } of list) expect(text.slice(startOffset, startOffset + image.length)).toBe(image);
    expect(list.map(({ image }) => image)).toEqual(["x", "=", '"abc', "\n", "PRINT", '"y"', "\n", "z"]);
  });
});
