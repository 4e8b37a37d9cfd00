/** How times on the command line are read, and what is refused. */
import { InvalidArgumentError } from "commander";
import { describe, expect, test } from "vitest";
import { time, timePast } from "../../../src/tools/cli/option-values.ts";

describe("a time in the past", () => {
  test.each([
    ["1700000000", Date.UTC(2023, 10, 14, 22, 13, 20)],
    ["2030-01-31T12:00:00Z", Date.UTC(2030, 0, 31, 12)],
  ])("%s is a point in time", (text, ms) => {
    expect(timePast(text).getTime()).toBe(ms);
  });

  test.each([
    ["30d", 30 * 86_400_000],
    ["1.5h", 5_400_000],
    ["0s", 0],
  ])("%s is so long ago", (text, ms) => {
    const before = Date.now() - ms;
    expect(timePast(text).getTime()).toBeGreaterThanOrEqual(before);
    expect(timePast(text).getTime()).toBeLessThanOrEqual(Date.now() - ms);
  });

  test.each(["30", "0", "365", "1.5", "99999999"])("%s is refused: its unit is missing", (text) => {
    expect(() => timePast(text)).toThrow(InvalidArgumentError);
    expect(() => timePast(text)).toThrow(/^A unit is missing\. Give how long ago, such as 30m, 12h or 30d/);
  });

  test.each(["yesterdy", "", "1 fortnight", "2030-99-99"])("%j is refused, and all forms are named", (text) => {
    expect(() => timePast(text)).toThrow(/Give how long ago, such as 30m, 12h or 30d, seconds since 1970, or a time such as/);
  });
});

test("a time that may lie ahead takes any number of seconds, and no durations", () => {
  expect(time("30").getTime()).toBe(30_000);
  expect(() => time("30d")).toThrow("Give seconds since 1970, or a time such as");
});
