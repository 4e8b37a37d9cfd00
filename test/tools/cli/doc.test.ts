/** `basil doc`: every name a script can use is found, and shown within 80 columns. */
import { describe, expect, test } from "vitest";
import { allModules } from "../../../src/tools/cli/modules.ts";
import { basilInProcess } from "../../helpers/in-process.ts";

const doc = async (...args: string[]) => {
  const { code, stdout, stderr } = await basilInProcess(["doc", ...args]);
  return { code, stdout: stdout.toString(), stderr };
};
const modules = allModules();
const named = modules.filter(({ name }) => name !== "");

describe("doc", () => {
  test("finds every row by its full name and shows its own text", async () => {
    for (const module of modules) {
      for (const row of module.rows) {
        const prefix = module.name === "" || row.kind === "constant" ? "" : `${module.name}.`;
        const { code, stdout } = await doc(prefix + row.name);
        expect({ name: row.name, code }).toEqual({ name: row.name, code: 0 });
        expect(stdout.replace(/\s+/g, " ")).toContain(row.doc.replace(/\s+/g, " "));
        expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
      }
    }
  });

  test.each(named.map(({ name }) => [name]))("of the module %s lists all its rows", async (name) => {
    const { stdout } = await doc(name.toLowerCase());
    const module = named.find((one) => one.name === name)!;
    for (const row of module.rows) expect(stdout).toContain(row.name);
  });

  test("without a name lists everything", async () => {
    const { stdout } = await doc();
    for (const module of modules) for (const row of module.rows) expect(stdout).toContain(row.name);
  });

  test("takes a call as it stands in a program, in any case, with or without its module", async () => {
    const { stdout } = await doc('gearman.submit$("f", x$)');
    expect(stdout).toMatch(/^GEARMAN\.SUBMIT\$\(function\$, payload\$ \[, unique\$\]\)\n/);
    expect((await doc("Submit$")).stdout).toBe(stdout);
  });

  test("another spelling leads to the function it stands for", async () => {
    const { stdout } = await doc("GEARMAN.SUBMIT_BG$");
    expect(stdout).toContain("another spelling of GEARMAN.SUBMIT_BG%");
    expect(stdout).toContain("GEARMAN.SUBMIT_BG%(function$");
  });

  test("what only the basil dialect puts in a function's place stands apart from the functions", async () => {
    const { stdout } = await doc();
    const [before, after] = stdout.split("Other meanings in the basil dialect:");
    expect(before).not.toContain("INSTR_BASIL");
    expect(after?.trimStart().startsWith("INSTR_BASIL(")).toBe(true);
    expect((await doc("INSTR_BASIL")).stdout).toContain("programs write INSTR");
  });

  test.each([
    ["LEFT", "Did you mean LEFT$?"],
    ["GEARMAN.SUBMTI$", "Did you mean GEARMAN.SUBMIT$?"],
    ["GERMAN", "Did you mean GEARMAN?"],
    ["xyzzy", "All names: basil doc"],
  ])("of the unknown %s is wrong usage, with a guess", async (name, hint) => {
    const { code, stdout, stderr } = await doc(name);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(hint);
  });
});
