/** What the built-ins of one interpreter keep between calls, and how they reach the parts of their host. */
import { constants } from "node:buffer";
import type { Host } from "../../runtime/capabilities.ts";
import { BasilError, type ErrorName } from "../../runtime/errors.ts";
import { functionsOf, type TaskContext } from "../../runtime/host.ts";
import { OpenFiles } from "./open-files.ts";
import { Pictures } from "./picture.ts";
import { RandomNumbers } from "./random.ts";
import { TextIndex } from "./text-index.ts";

/** The state of the standard module. */
export interface StandardState {
  readonly host: Host;
  /** Where the code points of long strings are. */
  readonly texts: TextIndex;
  /** The picture FORMAT$ used last. */
  readonly pictures: Pictures;
  readonly random: RandomNumbers;
  readonly openFiles: OpenFiles;
}

export const openStandardState = (host: Host): StandardState => ({
  host,
  texts: new TextIndex(),
  pictures: new Pictures(),
  random: new RandomNumbers(() => host.randomSeed()),
  openFiles: new OpenFiles(),
});

/** Declares one built-in. */
export const fn = functionsOf<StandardState>();

/** The parts of a host that a sandbox may leave out, in words for the message. */
const PARTS = { input: "input", files: "files", environment: "environment variables", shell: "shell" } as const;

/** A part of the host, or the error that tells whoever runs the script why the built-in cannot work. */
export function part<P extends keyof typeof PARTS>(state: StandardState, name: P, builtin: string): NonNullable<Host[P]> {
  const found = state.host[name];
  if (found) return found;
  throw new BasilError("IO_ERROR", `${builtin} is not available here: this host gives scripts no ${PARTS[name]}`);
}

export const fail = (errorName: ErrorName, message: string): BasilError => new BasilError(errorName, message);

/**
 * Refuses a string of so many characters before it is made: over the host's limit on bytes, or over what JavaScript
 * can hold (536,870,888).
 */
export function claimText(task: TaskContext, builtin: string, length: number): void {
  if (length > constants.MAX_STRING_LENGTH) {
    throw fail(
      "ARGUMENT_ERROR",
      `${builtin}: a string of ${length} characters is over the limit of ${constants.MAX_STRING_LENGTH}`,
    );
  }
  task.claim(length);
}

/** Bytes a list or dictionary needs for each element, at least. */
export const BYTES_PER_ELEMENT = 8;
/** Characters that a native search, copy or case change handles in about the time of one step. */
const CHARACTERS_PER_STEP = 64;

/** Counts a linear pass over a long text against the step limit; short texts count as the call they are. */
export function spendOnText(task: TaskContext, length: number): void {
  if (length >= 4096) task.spend(Math.ceil(length / CHARACTERS_PER_STEP));
}
