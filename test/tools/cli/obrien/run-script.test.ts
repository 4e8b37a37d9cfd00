/** `basil obrien run --script`: which store it works on, and where its program prints. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { basilInProcess } from "../../../helpers/in-process.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "basil-obrien-script-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function obrien(...args: string[]) {
  const { code, stdout, stderr } = await basilInProcess(["obrien", ...args], { directory });
  return { code, stdout: stdout.toString(), stderr };
}

/** A program that defines a class, and before it does what the line says. */
const write = (line: string): void =>
  writeFileSync(join(directory, "jobs.basil"), `${line}\nok% = OBRIEN.DEFINE_COMMAND%("a", "true")\n`);

test("the store that the program opens is the one whose jobs are done", async () => {
  await obrien("enqueue", "a", "x", "--store", "elsewhere.db");
  write('ok% = OBRIEN.OPEN%("elsewhere.db")');
  expect(await obrien("run", "--script", "jobs.basil")).toEqual({ code: 0, stdout: "1 done, 0 failed\n", stderr: "" });
});

test("a program that opens another store than --store fails there, and no job runs", async () => {
  for (const store of ["elsewhere.db", "given.db"]) await obrien("enqueue", "a", "x", "--store", store);
  write('ok% = OBRIEN.OPEN%("elsewhere.db")');
  const { code, stdout, stderr } = await obrien("run", "--script", "jobs.basil", "--store", "given.db");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toContain(
    `the program opens ${join(directory, "elsewhere.db")}, but --store names ${join(directory, "given.db")}: leave one of the two out`,
  );
  expect(stderr).toContain("jobs.basil:1");
  for (const store of ["elsewhere.db", "given.db"])
    expect((await obrien("list", "--store", store)).stdout).toContain("1 pending, 0 claimed, 0 done");
});

test("two names of one store are no contradiction", async () => {
  await obrien("enqueue", "a", "x", "--store", "real.db");
  symlinkSync("real.db", join(directory, "link.db"));
  write('ok% = OBRIEN.OPEN%("real.db")');
  const { code, stdout } = await obrien("run", "--script", "jobs.basil", "--store", "link.db");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "1 done, 0 failed\n" });
});

test("a store in memory is refused: it would be gone before the first job", async () => {
  write('ok% = OBRIEN.OPEN%(":memory:")');
  const { code, stderr } = await obrien("run", "--script", "jobs.basil");
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("needs a store that is a file") });
});

test("with --json standard output is the result alone, and what the program prints goes to standard error", async () => {
  await obrien("enqueue", "a", "x");
  write('PRINT "top level"');
  const { code, stdout, stderr } = await obrien("run", "--script", "jobs.basil", "--json");
  expect({ code, json: JSON.parse(stdout), stderr }).toEqual({
    code: 0,
    json: { done: 1, failed: 0, left: {} },
    stderr: "top level\n",
  });
  expect((await obrien("run", "--script", "jobs.basil")).stdout).toBe("top level\n0 done, 0 failed\n");
});
