/** The same programs as in test/scripts/gearman, on a real gearmand instead of the embedded server. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Gearmand, hasGearmand, startGearmand } from "../../helpers/gearmand.ts";
import { basilInProcess } from "../../helpers/in-process.ts";
import { differences, scriptCases } from "../../helpers/script-cases.ts";

const cases = scriptCases().filter(({ name, options }) => name.startsWith("gearman/") && options.includes("--embedded"));

describe.skipIf(!hasGearmand())("programs do the same on gearmand", () => {
  let gearmand: Gearmand;
  beforeAll(async () => {
    gearmand = await startGearmand();
  });
  afterAll(() => gearmand.stop());

  test.for(cases.map((one) => [one.name, one] as const))("%s", async ([, one]) => {
    const options = one.options.flatMap((option) => (option === "--embedded" ? ["--servers", gearmand.server] : [option]));
    expect(await differences({ ...one, options }, basilInProcess)).toEqual([]);
  });
});
