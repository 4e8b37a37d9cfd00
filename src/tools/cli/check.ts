/** `basil check`: the mistakes of programs, without running them. */
import { createInterpreter } from "../../../runtime/interpreter.ts";
import { createNodeHost } from "../host/node-host.ts";
import { type CliContext, EXIT_CODES } from "./context.ts";
import { modulesFor } from "./modules.ts";
import { readSource } from "./read-source.ts";
import { reportComplaints } from "./report.ts";
import type { RunOptions } from "./run.ts";

/**
 * Reports what is wrong with each file; exit code 1 when an error was found, or a run-time error (B1…) that is certain
 * wherever the program comes that way; 0 when there are only warnings.
 */
export async function check(
  files: readonly string[],
  options: Pick<RunOptions, "dialect">,
  context: CliContext,
): Promise<number> {
  let hasErrors = false;
  for (const file of files) {
    const source = await readSource(file, context);
    const host = createNodeHost({ ...context, directory: source.directory, arguments: [] });
    const modules = modulesFor({ directory: source.directory }, context);
    const interpreter = createInterpreter({ modules, host, ...(options.dialect && { dialect: options.dialect }) });
    try {
      const complaints = await interpreter.check(source.text, { file: source.file });
      reportComplaints(complaints, context);
      hasErrors ||= complaints.some((complaint) => complaint.severity === "error" || complaint.code.startsWith("B1"));
    } finally {
      await interpreter.close();
      host.close();
    }
  }
  return hasErrors ? EXIT_CODES.error : EXIT_CODES.ok;
}
