/** What the helpers of generated code need of the engine that runs them. */
import type { Host } from "../capabilities.ts";
import type { SubHandle } from "../host.ts";
import type { Surface } from "../surface.ts";
import type { ObjectValue, RoutineValue, Value } from "../values.ts";
import type { ExecutionState, Steps, TaskServices } from "./task.ts";

/** A routine as generated code makes it: plain, or a generator, or both. */
export interface CompiledRoutine extends RoutineValue {
  readonly plain: ((...args: Value[]) => Value) | null;
  readonly generator: ((...args: Value[]) => Steps) | null;
}

/** The engine as helpers see it. */
export interface EngineServices extends TaskServices {
  readonly surface: Surface;
  readonly host: Host;
  readonly state: ExecutionState;
  /** Modules as values, by module index. */
  readonly moduleObjects: readonly ObjectValue[];
  /** Module states by module index. */
  readonly states: readonly unknown[];
  /** A routine as the host calls it. */
  handle(routine: CompiledRoutine): SubHandle;
  /** The most one string or collection may take. */
  readonly maxBytes: number;
  print(text: string): void;
  /** Remembers a warning for the end of the run. */
  warn(text: string): void;
  /** The fuel is used up: looks at all limits. True when the event loop should turn now. */
  tick(): boolean;
}
