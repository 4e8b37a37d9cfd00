/** Built-ins for files and directories (language.md §12). Paths are relative to the script's directory. */
import { constants } from "node:buffer";
import { encodeText } from "../../runtime/bytes.ts";
import type { FileHost } from "../../runtime/capabilities.ts";
import { optional, required, type TaskContext } from "../../runtime/host.ts";
import { ValueArray } from "../../runtime/values.ts";
import { BYTES_PER_ELEMENT, fail, fn, part, type StandardState } from "./state.ts";
import { systemError } from "./system-errors.ts";

const PATH = required("text", "The path, relative to the script's directory.");
const CONTENT = required("display", "Any value; its display form is written.");

/** Runs a file operation; a failure becomes the built-in's IO_ERROR with the path as the script gave it. */
function withFiles<T>(state: StandardState, builtin: string, path: string, operation: (files: FileHost) => T): T {
  const files = part(state, "files", builtin);
  try {
    return operation(files);
  } catch (cause) {
    throw systemError(builtin, path, cause);
  }
}

/** Refuses bytes that are over a limit before they become text. */
function claimed(task: TaskContext, builtin: string, path: string, bytes: Buffer): Buffer {
  task.claim(bytes.length);
  if (bytes.length <= constants.MAX_STRING_LENGTH) return bytes;
  throw fail(
    "IO_ERROR",
    `${builtin} ${path}: ${bytes.length} bytes are over the limit of ${constants.MAX_STRING_LENGTH} for a string`,
  );
}

const wholeFileRows = [
  fn({
    name: "READFILE$",
    doc: "A file's content; bytes that are no text are kept exactly.",
    params: { path: PATH },
    run: (state, { path }, task) =>
      claimed(
        task,
        "READFILE$",
        path,
        withFiles(state, "READFILE$", path, (files) => files.readFile(path)),
      ),
  }),
  fn({
    name: "WRITEFILE",
    doc: "Writes a file; what was in it is gone.",
    params: { path: PATH, content: CONTENT },
    run(state, { path, content }) {
      withFiles(state, "WRITEFILE", path, (files) => files.writeFile(path, encodeText(content)));
      return null;
    },
  }),
  fn({
    name: "APPENDFILE",
    doc: "Writes at the end of a file, which is made when it is missing.",
    params: { path: PATH, content: CONTENT },
    run(state, { path, content }) {
      withFiles(state, "APPENDFILE", path, (files) => files.appendFile(path, encodeText(content)));
      return null;
    },
  }),
];

const placeRows = [
  fn({
    name: "COPY",
    doc: "Copies a file; one that is there is replaced.",
    params: { from: PATH, to: required("text", "The path of the copy.") },
    run(state, { from, to }) {
      withFiles(state, "COPY", from, (files) => files.copy(from, to));
      return null;
    },
  }),
  fn({
    name: "MOVE",
    doc: "Moves a file or directory to another path.",
    params: { from: PATH, to: required("text", "The new path.") },
    run(state, { from, to }) {
      withFiles(state, "MOVE", from, (files) => files.move(from, to));
      return null;
    },
  }),
  fn({
    name: "RENAME",
    doc: "Renames a file or directory where it is.",
    params: { path: PATH, name: required("text", "The new name, without directory.") },
    run(state, { path, name }) {
      withFiles(state, "RENAME", path, (files) => files.rename(path, name));
      return null;
    },
  }),
  fn({
    name: "DELETE",
    doc: "Deletes a file.",
    params: { path: PATH },
    run(state, { path }) {
      withFiles(state, "DELETE", path, (files) => files.delete(path));
      return null;
    },
  }),
  fn({
    name: "MKDIRS%",
    doc: "Makes a directory and those above it: 1 when it is there afterwards, else 0.",
    params: { path: PATH },
    run(state, { path }) {
      const files = part(state, "files", "MKDIRS%");
      try {
        files.makeDirectories(path);
        return 1;
      } catch {
        return 0;
      }
    },
  }),
  {
    // The result is an array in spite of the suffix, so the name is given behind the back of the type check.
    ...fn({
      name: "DIR",
      doc: "The sorted names of the files that match a pattern, as a STRING[] from index 0.",
      params: { pattern: required("text", "A path whose last part may hold * and ?.") },
      run(state, { pattern }, task) {
        const names = withFiles(state, "DIR$", pattern, (files) => files.list(pattern));
        task.claim(names.length * BYTES_PER_ELEMENT);
        const found = new ValueArray("string", [names.length - 1], () => "");
        names.forEach((name, index) => {
          found.data[index] = name;
        });
        return found;
      },
    }),
    name: "DIR$",
  },
];

const HANDLE = required("integer", "What FOPEN gave.");

/** Runs an operation on an open file; a failure becomes the built-in's IO_ERROR. */
function withHandle<T>(builtin: string, handle: number, operation: () => T): T {
  try {
    return operation();
  } catch (cause) {
    throw systemError(builtin, `handle ${handle}`, cause);
  }
}

function readable(state: StandardState, builtin: string, number: number) {
  const handle = state.openFiles.get(number);
  if (!handle.isReadable) throw fail("IO_ERROR", `${builtin}: handle not opened for reading`);
  return handle;
}

function write(state: StandardState, builtin: string, number: number, text: string): boolean {
  const handle = state.openFiles.get(number);
  if (!handle.isWritable) throw fail("IO_ERROR", `${builtin}: handle not opened for writing`);
  withHandle(builtin, number, () => handle.write(encodeText(text)));
  return true;
}

const handleRows = [
  fn({
    name: "FOPEN",
    doc: "Opens a file and gives its handle 1, 2, …; -1 when it cannot be opened.",
    params: { path: PATH, mode: required("text", "r reads, w writes anew, a appends; + for both; b changes nothing.") },
    isInteger: true,
    run: (state, { path, mode }) => state.openFiles.open(part(state, "files", "FOPEN"), path, mode),
  }),
  fn({
    name: "FCLOSE",
    doc: "Closes a file: TRUE, or FALSE when it was closed already.",
    params: { handle: HANDLE },
    run: ({ openFiles }, { handle }) => withHandle("FCLOSE", handle, () => openFiles.close(handle)),
  }),
  fn({
    name: "FFLUSH",
    doc: "Makes sure that what was written is on the disk. Gives TRUE.",
    params: { handle: HANDLE },
    run({ openFiles }, { handle }) {
      const file = openFiles.get(handle);
      withHandle("FFLUSH", handle, () => file.flush());
      return true;
    },
  }),
  fn({
    name: "FEOF",
    doc: "Whether the position is at the end of the file.",
    params: { handle: HANDLE },
    run({ openFiles }, { handle }) {
      const file = openFiles.get(handle);
      return withHandle("FEOF", handle, () => file.isAtEnd);
    },
  }),
  fn({
    name: "FWRITE",
    doc: "Writes a value's display form. Gives TRUE.",
    params: { handle: HANDLE, content: CONTENT },
    run: (state, { handle, content }) => write(state, "FWRITE", handle, content),
  }),
  fn({
    name: "FWRITELN",
    doc: "Writes a value's display form and a line feed. Gives TRUE.",
    params: { handle: HANDLE, content: optional("display", "Any value; nothing when left out.") },
    run: (state, { handle, content = "" }) => write(state, "FWRITELN", handle, `${content}\n`),
  }),
  fn({
    name: "FREAD$",
    doc: "Reads bytes; fewer at the end of the file.",
    params: { handle: HANDLE, bytes: required("integer", "How many at most.") },
    run(state, { handle, bytes }, task) {
      const file = readable(state, "FREAD$", handle);
      const length = bytes > 0 ? withHandle("FREAD$", handle, () => file.available(bytes)) : 0;
      task.claim(length);
      if (length > constants.MAX_STRING_LENGTH) throw fail("ARGUMENT_ERROR", `FREAD$: ${length} bytes are too many for a string`);
      return length === 0 ? "" : withHandle("FREAD$", handle, () => file.read(length));
    },
  }),
  fn({
    name: "FREADLINE$",
    doc: "Reads a line, without its LF or CRLF; an empty string at the end.",
    params: { handle: HANDLE },
    run(state, { handle }, task) {
      const file = readable(state, "FREADLINE$", handle);
      return withHandle("FREADLINE$", handle, () => file.readLine((bytes) => task.claim(bytes)));
    },
  }),
  fn({
    name: "FSEEK",
    doc: "Moves the position in a file: TRUE, or FALSE when there is no such place.",
    params: {
      handle: HANDLE,
      offset: required("integer", "How many bytes."),
      whence: required("integer", "0 from the start, 1 from the position, 2 from the end."),
    },
    run({ openFiles }, { handle, offset, whence }) {
      const file = openFiles.get(handle);
      return withHandle("FSEEK", handle, () => file.seek(offset, whence));
    },
  }),
  fn({
    name: "FTELL&",
    doc: "The position in a file: bytes from its start.",
    params: { handle: HANDLE },
    run: ({ openFiles }, { handle }) => openFiles.get(handle).position,
  }),
];

export const fileRows = [...wholeFileRows, ...placeRows, ...handleRows] as const;
