/** How the tests run: every test/**\/*.test.ts, against a fresh build, with a JSON report that CI counts from. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/helpers/build-once.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    // As the `basil` command itself starts Node: deep recursion in programs needs the room.
    execArgv: ["--stack-size=7000"],
    reporters: process.env["CI"] ? ["default", ["json", { outputFile: "test-report.json" }]] : ["default"],
  },
});
