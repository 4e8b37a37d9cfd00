/**
 * What a script may reach of the world, handed in by whoever runs it: nothing is ambient. A sandbox is a host with
 * fewer of the optional parts; a row whose part is missing raises a clear error.
 */

/** The world as one interpreter sees it. */
export interface Host {
  /** Takes standard output. A promise slows the script down until it is kept. */
  write(bytes: Buffer): void | Promise<void>;
  /** Takes one report for people: uncaught errors of handlers, warnings. Ends with a newline. */
  writeError(text: string): void;
  /** Milliseconds since 1970 UTC. */
  now(): number;
  /** A seed for RND and RANDOMIZE: any number. */
  randomSeed(): number;
  /** Kept after so many milliseconds; rejects when the signal fires. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** Random v4 UUID, lower case. */
  uuid(): string;
  hostName(): string;
  /** `ARGS`: what follows the script on the command line. */
  readonly arguments: readonly string[];
  readonly input?: InputHost;
  readonly files?: FileHost;
  readonly environment?: EnvironmentHost;
  readonly shell?: ShellHost;
}

/** Standard input. */
export interface InputHost {
  /** The next line without its line end; null at the end of input. */
  readLine(signal: AbortSignal): Promise<string | null>;
  /** The next character as typed; null at the end of input. */
  readCharacter(signal: AbortSignal): Promise<string | null>;
  /** A key already pressed, or "" when there is none. */
  pressedKey(): string;
}

/** Files; relative paths are relative to the script's directory. Errors are Node's, with `code` such as ENOENT. */
export interface FileHost {
  readFile(path: string): Buffer;
  writeFile(path: string, bytes: Buffer): void;
  appendFile(path: string, bytes: Buffer): void;
  copy(from: string, to: string): void;
  move(from: string, to: string): void;
  /** Renames within its directory. */
  rename(path: string, newName: string): void;
  delete(path: string): void;
  makeDirectories(path: string): void;
  /** Names of files that match a glob of `*` and `?` in its last part, sorted. */
  list(glob: string): string[];
  /** Opens a file; flags are Node's: `r`, `w+`, … */
  open(path: string, flags: string): OpenFile;
  /** The path as the program's own text: for INCLUDE and CLASS. */
  resolve(path: string, from?: string): string;
}

/** One open file. Positions are bytes from the start. */
export interface OpenFile {
  /** Up to `length` bytes from a position; fewer at the end. */
  read(position: number, length: number): Buffer;
  write(position: number | null, bytes: Buffer): number;
  size(): number;
  flush(): void;
  close(): void;
}

export interface EnvironmentHost {
  get(name: string): string | undefined;
  /** @param isExported child processes see it too */
  set(name: string, value: string, isExported: boolean): void;
}

export interface ShellHost {
  /** Runs a command line with the script's own input and output; gives its exit code. */
  run(command: string, signal: AbortSignal): Promise<number>;
}
