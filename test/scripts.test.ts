/** Runs every program of test/scripts and compares what it prints, its exit code and its error text. */
import { describe, expect, test } from "vitest";
import { basil } from "./helpers/cli.ts";
import { basilInProcess } from "./helpers/in-process.ts";
import { differences, type ScriptCase, scriptCases } from "./helpers/script-cases.ts";

const cases = scriptCases();
const titled = (list: readonly ScriptCase[]) =>
  list.map((one) => [one.isPending ? `${one.name} (pending)` : one.name, one] as const);

/** A spread of the rules, run once more the way a user runs them: output, input, files, errors, exit codes. */
const AS_A_PROCESS = /(?:print|files|errors|routines)\/\w*(?:deep|input|raise|exit|include|trailing)\w*$/;

describe("programs print what they should", () => {
  test.for(titled(cases))("%s", async ([, scriptCase], { skip }) => {
    const found = await differences(scriptCase, basilInProcess);
    if (!scriptCase.isPending) expect(found).toEqual([]);
    else if (found.length === 0) expect.unreachable(`${scriptCase.name} passes now: take it out of PENDING`);
    else skip(found.join("\n"));
  });
});

describe("the built command does the same in a process of its own", () => {
  test.for(titled(cases.filter((one) => AS_A_PROCESS.test(one.name) && !one.isPending)))("%s", async ([, scriptCase]) => {
    expect(await differences(scriptCase, basil)).toEqual([]);
  });
});
