/** The table of failures: numbers that scripts rely on, and which of them are fatal. */
import { expect, test } from "vitest";
import { GEARMAN_ERRORS, GearmanError, type GearmanErrorKind } from "../../../src/core/gearman/errors.ts";

const KINDS = Object.keys(GEARMAN_ERRORS) as GearmanErrorKind[];

test("the published codes never change", () => {
  const published = { TIMEOUT: 1, IO: 2, PROTOCOL: 3, NOT_FOUND: 4, WORKER_FAILED: 5, CANCEL_UNSUPPORTED: 6 };
  expect(Object.fromEntries(KINDS.map((kind) => [kind, GEARMAN_ERRORS[kind].code]))).toMatchObject(published);
});

test("no two kinds share a code, and each says what it means", () => {
  expect(new Set(KINDS.map((kind) => GEARMAN_ERRORS[kind].code)).size).toBe(KINDS.length);
  for (const kind of KINDS) expect(GEARMAN_ERRORS[kind].doc).toMatch(/\.$/);
});

test("mistakes that no retry cures are fatal, and nothing else is", () => {
  expect(KINDS.filter((kind) => new GearmanError(kind, "").fatal)).toEqual(["PROTOCOL", "ARGUMENT", "CONFIG", "STATE"]);
});

test("an error keeps its kind, its code and what caused it", () => {
  const cause = new Error("below");
  expect(new GearmanError("TIMEOUT", "no answer", { cause })).toMatchObject({
    name: "GearmanError",
    kind: "TIMEOUT",
    code: 1,
    message: "no answer",
    cause,
  });
});
