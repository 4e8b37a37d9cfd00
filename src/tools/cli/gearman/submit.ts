/** `basil gearman submit`: payloads from the command line or standard input become jobs, results go to standard output. */
import { isUtf8 } from "node:buffer";
import { shownHandle } from "../../../../modules/gearman/handle.ts";
import { checkFunctionName, checkUnique } from "../../../core/gearman/checks.ts";
import { GearmanClient } from "../../../core/gearman/client.ts";
import type { GearmanConfig } from "../../../core/gearman/config.ts";
import { GearmanError } from "../../../core/gearman/errors.ts";
import type { JobReceipt, Priority } from "../../../core/gearman/job.ts";
import { type CliContext, CliError, EXIT_CODES } from "../context.ts";
import { ByteOutput, linePrefixer, OutputGone } from "./byte-output.ts";
import { asUsage, type SettingFlags, settingsFor } from "./job-settings.ts";
import { type LineKind, linesOf, wholeOf } from "./submit-input.ts";
import { SubmittedJob } from "./submit-job.ts";
import { throughWindow } from "./submit-window.ts";

/** What stands on the command line besides the function and the payloads. */
export interface SubmitOptions extends SettingFlags {
  /** Queue the job and print its handle instead of waiting. */
  readonly background?: boolean;
  readonly unique?: string;
  readonly priority?: Priority;
  /** When the job may start; makes it a background job. */
  readonly at?: Date;
  /** Each line of standard input is a job. */
  readonly lines?: LineKind;
  /** Results come as they are ready. */
  readonly unordered?: boolean;
  /** Most jobs not finished at once. */
  readonly inFlight?: number;
  readonly json?: boolean;
  /** Put the function's name in front of every line of the output. */
  readonly prefix?: boolean;
  /** An empty payload, and standard input is not read. */
  readonly empty?: boolean;
  /** Tell handles and progress on stderr. */
  readonly verbose?: boolean;
}

/** Jobs not finished at once unless told otherwise: those waited for have a connection each. */
const IN_FLIGHT = { foreground: 10, background: 500 } as const;

/** Submits the jobs of one command line; 0 when all were done, 1 when one failed or no server was reached. */
export async function submit(
  name: string,
  words: readonly string[],
  options: SubmitOptions,
  context: CliContext,
): Promise<number> {
  const payloads = payloadsOf(words, options, context);
  const settings = await settingsFor(options, context);
  try {
    checkFunctionName(settings.namespace + name);
    checkUnique(options.unique ?? "");
  } catch (error) {
    throw asUsage(error);
  }
  const client = new GearmanClient(settings);
  try {
    return await new Submission(client, name, options, settings, context).run(payloads);
  } catch (error) {
    if (error instanceof OutputGone) return EXIT_CODES.ok;
    if (!(error instanceof GearmanError)) throw error;
    throw new CliError(EXIT_CODES.error, error.message, { cause: error });
  } finally {
    await client.close();
    context.stdin.destroy();
  }
}

function payloadsOf(words: readonly string[], options: SubmitOptions, { stdin, stderr }: CliContext): AsyncIterable<Buffer> {
  const refuse = (text: string): never => {
    throw new CliError(EXIT_CODES.usage, text);
  };
  if (words.length > 0 && options.lines) refuse("--lines reads standard input: leave the payload out");
  if (words.length > 0 && options.empty) refuse("--empty sends nothing: leave the payload out");
  if (options.empty && options.lines) refuse("--empty does not read standard input, --lines does: use one of them");
  const isMany = options.lines !== undefined || words.length > 1;
  if (isMany && options.unique !== undefined && options.unique !== "-")
    refuse("--unique makes one job of all these: leave it out, or merge equal payloads with --unique -");
  if (options.at !== undefined && options.priority !== undefined)
    refuse("servers know no priority for a job with a time: leave --priority or --at out");
  if (words.length > 0) return literal(words.map((word) => Buffer.from(word)));
  if (options.empty) return literal([Buffer.alloc(0)]);
  if ("isTTY" in stdin && stdin.isTTY === true) stderr.write("the payload comes from the keyboard, Ctrl-D ends it\n");
  return options.lines ? linesOf(stdin, options.lines) : wholeOf(stdin);
}

async function* literal(payloads: readonly Buffer[]): AsyncGenerator<Buffer> {
  yield* payloads;
}

/** All jobs of one command line. */
class Submission {
  readonly #client: GearmanClient;
  readonly #name: string;
  readonly #options: SubmitOptions;
  readonly #settings: GearmanConfig;
  readonly #output: ByteOutput;
  readonly #errors: ByteOutput;
  readonly #isMany: boolean;
  /** The function's name at servers. */
  readonly #served: string;
  #exitCode: number = EXIT_CODES.ok;

  constructor(client: GearmanClient, name: string, options: SubmitOptions, settings: GearmanConfig, context: CliContext) {
    this.#client = client;
    this.#name = name;
    this.#options = options;
    this.#served = settings.namespace + name;
    this.#settings = settings;
    this.#output = new ByteOutput(context.stdout);
    this.#errors = new ByteOutput(context.stderr);
    this.#isMany = options.lines !== undefined;
  }

  async run(payloads: AsyncIterable<Buffer>): Promise<number> {
    const { background, at, inFlight, unordered } = this.#options;
    const isBackground = background === true || at !== undefined;
    const limit = inFlight ?? IN_FLIGHT[isBackground ? "background" : "foreground"];
    const begin = isBackground ? this.#queue : this.#follow;
    await throughWindow(payloads, { limit, isOrdered: !unordered }, (payload, number) => begin(payload, number));
    return this.#exitCode;
  }

  /** A job nobody waits for. */
  readonly #queue = (payload: Buffer, number: number): (() => Promise<void>) => {
    const { unique, priority, at, json, timeoutMs } = this.#options;
    const base = { name: this.#served, payload, unique, timeoutMs };
    const accepted = this.#client.submitBackground(at === undefined ? { ...base, priority } : { ...base, at });
    accepted.catch(() => undefined);
    return async () => {
      try {
        const receipt = await accepted;
        await this.#output.write(json ? this.#line(number, receipt, { ok: true }) : `${this.#shown(receipt)}\n`);
      } catch (error) {
        await this.#failed(number, null, error, error instanceof GearmanError && error.kind === "IO");
      }
    };
  };

  /** A job whose result is waited for. */
  readonly #follow = (payload: Buffer, number: number): (() => Promise<void>) => {
    const { unique, priority, json, unordered, timeoutMs = Number.POSITIVE_INFINITY } = this.#options;
    const warnings: string[] = [];
    const request = { name: this.#served, payload, unique, priority, timeoutMs };
    const job = new SubmittedJob(this.#client, request, this.#settings.timeoutMs, {
      onWarning: (text) => this.#warned(text, warnings),
      ...(this.#options.verbose && {
        onCreated: (receipt: JobReceipt) => this.#tell(`${this.#place(number)}${this.#name} is ${this.#shown(receipt)}`),
        onStatus: (part: number, whole: number) => this.#tell(`${this.#place(number)}${this.#name} is at ${part} of ${whole}`),
      }),
    });
    return () =>
      json || (unordered && this.#isMany) ? this.#gather(job, number, warnings) : this.#stream(job, number, warnings);
  };

  /** Writes the pieces of a job as they come. */
  async #stream(job: SubmittedJob, number: number, warnings: readonly string[]): Promise<void> {
    const mark = this.#marker();
    try {
      for await (const piece of job.pieces()) await this.#output.write(mark(piece));
    } catch (error) {
      await this.#failed(number, job.receipt, error, job.isUnreachable(error), warnings);
    }
    if (this.#options.lines === "stripped") await this.#output.write(mark(Buffer.from("\n")));
  }

  /** Writes a job in one piece. */
  async #gather(job: SubmittedJob, number: number, warnings: readonly string[]): Promise<void> {
    const pieces: Buffer[] = [];
    try {
      for await (const piece of job.pieces()) pieces.push(piece);
    } catch (error) {
      await this.#failed(number, job.receipt, error, job.isUnreachable(error), warnings);
      if (this.#options.json) return;
    }
    const result = Buffer.concat(pieces);
    if (this.#options.json) {
      const shown = isUtf8(result) ? { result: result.toString() } : { resultBase64: result.toString("base64") };
      await this.#output.write(this.#line(number, job.receipt, { ok: true, ...shown, ...(warnings.length > 0 && { warnings }) }));
    } else {
      const ending = this.#options.lines === "stripped" ? "\n" : "";
      await this.#output.write(this.#marker()(Buffer.concat([result, Buffer.from(ending)])));
    }
  }

  /** Tells of a failed job. Without a server, no other job would fare better, and that ends everything. */
  async #failed(
    number: number,
    receipt: JobReceipt | null,
    error: unknown,
    isUnreachable: boolean,
    warnings: readonly string[] = [],
  ) {
    if (!(error instanceof GearmanError) || isUnreachable) throw error;
    this.#exitCode = EXIT_CODES.error;
    if (this.#options.json) {
      const { kind, message } = error;
      const told = warnings.length > 0 && { warnings };
      await this.#output.write(this.#line(number, receipt, { ok: false, error: { kind, message }, ...told }));
      return;
    }
    // The last warning is the reason in the message, and was printed when it came.
    const reason = warnings.at(-1)?.trim() ?? "";
    const message = reason === "" ? error.message : error.message.replace(`: ${reason} (job`, " (job");
    this.#tell(`basil: ${this.#place(number)}${message}`);
  }

  /** Prints a warning. A reason may repeat the warning before it, which stands there already: `sh ended with …: oops`. */
  #warned(text: string, warnings: string[]): void {
    const previous = warnings.at(-1)?.trim() ?? "";
    warnings.push(text);
    if (this.#options.json) return;
    const line = text.replace(/\n$/, "");
    this.#tell(previous !== "" && line.endsWith(`: ${previous}`) ? line.slice(0, -previous.length - 2) : line);
  }

  #tell(line: string): void {
    void this.#errors.write(`${line}\n`).catch(() => undefined);
  }

  #place(number: number): string {
    return this.#isMany ? `line ${number}: ` : "";
  }

  #shown({ server, handle }: JobReceipt): string {
    return shownHandle(this.#settings.servers.length > 1, server, handle);
  }

  #marker(): (chunk: Buffer) => Buffer {
    return this.#options.prefix ? linePrefixer(`${this.#name}: `) : (chunk) => chunk;
  }

  #line(number: number, receipt: JobReceipt | null, more: Record<string, unknown>): string {
    const place = this.#isMany ? { line: number } : {};
    return `${JSON.stringify({ ...place, function: this.#name, handle: receipt?.handle ?? null, server: receipt?.server ?? null, ...more })}\n`;
  }
}
