/** Follows paths such as `a.b[1].c` into BASIC values. */
import { BasilError } from "../../runtime/errors.ts";
import { BasilArray, Dict, type Value } from "../../runtime/values.ts";

/** One step of a path: a key, or an index in brackets. */
type Step = string | number;

/** Either `[12]`, `["any key"]` or a key up to the next `.` or `[`, after the dot between two steps. */
const STEP = /\[\s*(\d+)\s*\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/y;

/** The steps of a path. An empty path has none: it means the value itself. */
function parsePath(path: string, caller: string): Step[] {
  const steps: Step[] = [];
  const step = new RegExp(STEP);
  for (let at = 0; at < path.length; at = step.lastIndex) {
    const hasDot = path[at] === "." && at > 0;
    step.lastIndex = hasDot ? at + 1 : at;
    const match = step.exec(path);
    const isKey = match?.[3] !== undefined;
    if (!match || (at > 0 && isKey !== hasDot)) throw wrongPath(path, caller);
    if (match[1] !== undefined) steps.push(Number(match[1]));
    else steps.push(match[3] ?? match[2]!.replace(/\\(.)/g, "$1"));
  }
  return steps;
}

const wrongPath = (path: string, caller: string): BasilError =>
  new BasilError("ARGUMENT_ERROR", `${caller}: ${JSON.stringify(path)} is not a path; write one such as a.b[1].c`);

/** What a path leads to: list indexes from 1, keys exactly. Undefined when something on the way is missing. */
export function followPath(value: Value, path: string, caller: string): Value | undefined {
  let found: Value | undefined = value;
  for (const step of parsePath(path, caller)) {
    if (typeof step === "string") found = found instanceof Dict ? found.map.get(step) : undefined;
    else if (Array.isArray(found)) found = found[step - 1];
    else found = found instanceof BasilArray && found.upper.length === 1 ? found.data[step] : undefined;
    if (found === undefined) return undefined;
  }
  return found;
}
