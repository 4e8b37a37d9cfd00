/** Counts the tests of a report in vitest's JSON form: `node summary.mjs REPORT`; with --check, lists and judges the skipped ones. */
import { readFileSync } from "node:fs";

const [path, option] = process.argv.slice(2);

/** @returns the report, or one without tests when there is none */
function readReport() {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { numPassedTests: 0, numFailedTests: 0, numPendingTests: 0, numTodoTests: 0, success: false, testResults: [] };
  }
}

/** A skip that CI accepts: a language program that is listed as pending. Nothing that needs a job server is among them. */
const isAccepted = (name) => /\(pending\)$/.test(name);

const report = readReport();
if (option === "--check") {
  const results = report.testResults.flatMap((file) => file.assertionResults);
  const skipped = results.filter(({ status }) => status !== "passed" && status !== "failed").map(({ fullName }) => fullName);
  const refused = skipped.filter((name) => !isAccepted(name));
  for (const name of skipped) console.log(`skipped: ${name}`);
  for (const name of refused) console.log(`may not be skipped here: ${name}`);
  if (!report.success) console.log(`${path} is missing or tells of failures`);
  if (refused.length > 0 || !report.success || report.numPassedTests === 0) process.exitCode = 1;
} else {
  const skipped = report.numPendingTests + report.numTodoTests;
  console.log(`${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped} skipped`);
}
