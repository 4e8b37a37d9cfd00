/** Builds dist once before the tests, so that tests of the `basil` command see today's code. */
import type { TestProject } from "vitest/node";
import { buildJavaScript } from "../../src/tools/build.ts";
import type {} from "./cli.ts";

/** Vitest calls this before the first test file. */
export async function setup(project: TestProject): Promise<void> {
  let buildError = "";
  await buildJavaScript().catch((error: unknown) => {
    buildError = String(error);
  });
  project.provide("buildError", buildError);
}
