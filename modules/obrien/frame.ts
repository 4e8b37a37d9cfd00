/** What a manager tells the process that runs a SUB: the parts of its standard input, in both directions. */
import type { Body } from "../../runtime/body.ts";
import type { VerificationMode } from "../../src/core/obrien/job.ts";

/** Parts of the world that a class may give its SUB. */
export const ALLOWANCES = ["files", "environment", "shell"] as const;

/** One of them. */
export type Allowance = (typeof ALLOWANCES)[number];

/** What is the same for all jobs of a class. */
export interface ClassHeader {
  readonly body: Body;
  /** Names of modules it may use besides the built-ins and JSON, with their settings. */
  readonly modules: Readonly<Record<string, ModuleSettings>>;
  readonly allow: readonly Allowance[];
  /** Where relative paths start, and where configuration is looked for. */
  readonly directory: string;
}

/** Settings of one module, as JSON. */
export type ModuleSettings = Readonly<Record<string, unknown>>;

/** What is told of one job. */
export interface JobHeader {
  readonly mode: VerificationMode;
  /** The manager's process: when it is gone, so is the job. */
  readonly managerPid: number;
  readonly payloadBytes: number;
}

/** A job as its process reads it. */
export interface JobFrame {
  readonly forClass: ClassHeader;
  readonly job: JobHeader;
  readonly payload: Buffer;
}

const LENGTH_BYTES = 4;

/** A header as bytes: its length in four bytes, then JSON. */
export function headerBytes(header: ClassHeader | JobHeader): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32BE(json.length);
  return Buffer.concat([length, json]);
}

/** A whole input, as `headerBytes` of the class, of the job, and the payload make it. Undefined when it is cut off. */
export function readFrame(input: Buffer): JobFrame | undefined {
  const forClass = readHeader(input, 0);
  const job = forClass && readHeader(input, forClass.end);
  if (!job) return undefined;
  const payload = input.subarray(job.end);
  const frame = { forClass: forClass.header as ClassHeader, job: job.header as JobHeader, payload };
  return payload.length === frame.job.payloadBytes ? frame : undefined;
}

function readHeader(input: Buffer, at: number): { header: unknown; end: number } | undefined {
  const start = at + LENGTH_BYTES;
  if (input.length < start) return undefined;
  const end = start + input.readUInt32BE(at);
  return input.length < end ? undefined : { header: JSON.parse(input.toString("utf8", start, end)), end };
}
