/** `basil explain`: every code of a report has an explanation. */
import { describe, expect, test } from "vitest";
import {
  checkWarnings,
  compileErrors,
  gearmanErrors,
  obrienErrors,
  runtimeErrors,
} from "../../../src/tools/docgen/error-catalogue.ts";
import { basilInProcess } from "../../helpers/in-process.ts";

const explain = async (...args: string[]) => {
  const { code, stdout, stderr } = await basilInProcess(["explain", ...args]);
  return { code, stdout: stdout.toString(), stderr };
};

describe("explain", () => {
  test.each(
    [...compileErrors(), ...checkWarnings(), ...runtimeErrors(), ...gearmanErrors(), ...obrienErrors()].map(
      (entry) => [entry.code, entry] as const,
    ),
  )("%s says what it is, within 80 columns", async (code, entry) => {
    const { code: exitCode, stdout, stderr } = await explain(code);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout.startsWith(`${code}: ${entry.title}\n\n`)).toBe(true);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test.each(["b0201", "B0201", "error[B0201]", "error[B0201]:"])("takes %s as in a report, in any case", async (code) => {
    expect((await explain(code)).stdout).toMatch(/^B0201: undefined label/);
  });

  test.each([
    ["1002", "B1002: INDEX_ERROR"],
    ["index_error", "B1002: INDEX_ERROR"],
    ["2001", "B2001: GEARMAN_ERROR: TIMEOUT"],
    ["GEARMAN_TIMEOUT%", "B2001: GEARMAN_ERROR: TIMEOUT"],
  ])("finds %s by number and name", async (name, start) => {
    expect((await explain(name)).stdout.startsWith(start)).toBe(true);
  });

  test("a name that many codes share lists them all, each with its text", async () => {
    const { code, stdout } = await explain("gearman_error");
    expect(code).toBe(0);
    expect(stdout.startsWith("GEARMAN_ERROR: ERR% and the message tell which of these it is\n\nB2001  ")).toBe(true);
    expect(stdout.match(/^B\d+(?= {2}GEARMAN_ERROR: )/gm)).toEqual(gearmanErrors().map((entry) => entry.code));
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
  });

  test.each(["error[B2010]: no server", "warning[B2002]:"])("takes %s, however much of a report is given", async (text) => {
    expect((await explain(text)).stdout).toMatch(/^B20\d\d: GEARMAN_ERROR: /);
  });

  test("without a code it lists all of them", async () => {
    const { stdout } = await explain();
    expect(stdout.trimEnd().split("\n").length).toBe(
      [...compileErrors(), ...checkWarnings(), ...runtimeErrors(), ...gearmanErrors(), ...obrienErrors()].length,
    );
  });
});
