/** The public API: an interpreter to embed, the rows to give it functions, and the modules that come with it. */
export type { Dialect } from "../grammar/ast.ts";
export type { Complaint } from "../grammar/complaints.ts";
export { formatComplaint, formatComplaints, type Reportable } from "../grammar/report.ts";
export { type Position, SourceFile, type Span } from "../grammar/source.ts";
export { gearman } from "../modules/gearman/index.ts";
export { json } from "../modules/json/index.ts";
export { type ObrienOptions, obrien, type SubWorker } from "../modules/obrien/index.ts";
export { standard } from "../modules/standard/index.ts";
export { decodeBytes, encodeText } from "../runtime/bytes.ts";
export type {
  EnvironmentHost,
  FileHost,
  Host,
  InputHost,
  OpenFile,
  ShellHost,
} from "../runtime/capabilities.ts";
export type { Limits } from "../runtime/engine/engine.ts";
export {
  BasilError,
  type CallFrame,
  ERROR_CODES,
  type ErrorName,
  LimitError,
  type LimitKind,
  type SourcePlace,
} from "../runtime/errors.ts";
export {
  alias,
  type CallOptions,
  constant,
  defineModule,
  functionsOf,
  type HostModule,
  type ModuleContext,
  optional,
  type ParamType,
  propertiesOf,
  type Row,
  required,
  rest,
  type SubHandle,
  signature,
  type TaskContext,
  type TaskKey,
  taskKey,
} from "../runtime/host.ts";
export {
  createInterpreter,
  type Interpreter,
  type InterpreterOptions,
  type Outcome,
  type RunOptions,
  reportOf,
} from "../runtime/interpreter.ts";
export { BasilArray, Dict, display, type Value } from "../runtime/values.ts";
export { createHost, type HostOptions } from "./tools/embedding.ts";
export type { NodeHost } from "./tools/host/node-host.ts";
export { subWorker } from "./tools/obrien-worker/command.ts";
