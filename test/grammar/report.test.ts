/** How a complaint is shown: the exact lines, tabs, long lines, colours. */
import { expect, test } from "vitest";
import { formatComplaint, formatComplaints } from "../../grammar/report.ts";
import { SourceFile } from "../../grammar/source.ts";

const report = (text: string, marked: string, hint?: string) => {
  const start = text.indexOf(marked);
  return formatComplaint({
    code: "B1002",
    message: "array index out of bounds",
    source: new SourceFile("file.basil", text),
    span: { start, end: start + marked.length },
    hint,
  });
};

test("code, message, place, source line, carets and hint stand on lines of their own", () => {
  expect(report("x = 1\nPRINTLN a(9)\n", "a(9)", "The last index is 2.")).toBe(
    [
      "error[B1002]: array index out of bounds",
      "  --> file.basil:2:9",
      "  PRINTLN a(9)",
      "          ^^^^",
      "  = hint: The last index is 2.",
    ].join("\n"),
  );
});

test("without a place there is only the first line", () => {
  expect(formatComplaint({ code: "B1000", message: "x" })).toBe("error[B1000]: x");
});

test("warnings say so", () => {
  expect(formatComplaint({ code: "B0204", message: "x", severity: "warning" })).toBe("warning[B0204]: x");
});

test("tabs become blanks, in the line and below it", () => {
  expect(report("\tIF a\tTHEN b", "b").split("\n").slice(2)).toEqual(["      IF a    THEN b", "                   ^"]);
});

test("a mark that goes over the end of the line ends with the line", () => {
  expect(report('PRINT "abc\ndef"', '"abc\ndef"').split("\n")[3]).toBe("        ^^^^");
});

test("an empty line is not shown", () => {
  expect(formatComplaint({ code: "B1", message: "m", source: new SourceFile("f", "x\n\ny"), span: { start: 2, end: 2 } })).toBe(
    "error[B1]: m\n  --> f:2:1",
  );
});

test.each([0, 10, 60, 100, 5000, 9990])("a line of 10,000 characters is cut to 80 around the caret at %i", (at) => {
  const text = `${"a".repeat(at)}#${"b".repeat(9999 - at)}`;
  const [, , code, caret] = report(text, "#").split("\n");
  expect(code!.length).toBeLessThanOrEqual(82);
  expect(code![caret!.indexOf("^")]).toBe("#");
});

test("control characters of the source do not reach the terminal", () => {
  expect(report("x\u001b[2J = 1", "= 1")).not.toContain("\u001b");
});

test("colours are only used when asked for", () => {
  const complaint = { code: "B1", message: "m", source: new SourceFile("f", "x"), span: { start: 0, end: 1 }, hint: "h" };
  expect(formatComplaint(complaint)).not.toContain("\u001b");
  expect(formatComplaint(complaint, { color: true })).toContain("\u001b[1;31merror[B1]:\u001b[0m m");
});

test("several complaints are one blank line apart", () => {
  expect(
    formatComplaints([
      { code: "B1", message: "m" },
      { code: "B2", message: "n" },
    ]),
  ).toBe("error[B1]: m\n\nerror[B2]: n");
});
