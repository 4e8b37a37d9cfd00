/** What the end of a SUB means for its job, as the line of JSON that the manager finds at the end of the output. */
import { stringifyJson } from "../../../modules/json/stringify.ts";
import { BasilError, type LimitError } from "../../../runtime/errors.ts";
import type { BodyOutcome } from "../../../runtime/run-body.ts";
import { type Budget, Dict, typeName, type Value } from "../../../runtime/values.ts";
import type { VerificationMode } from "../../core/obrien/job.ts";

/** What decides about a SUB that says nothing. */
export interface Circumstances {
  readonly mode: VerificationMode;
  /** The SUB printed nothing, or only white space. */
  readonly isBlank: boolean;
  /** What it printed may end with a verdict. */
  readonly mayEndWithObject: boolean;
}

const UNBOUNDED: Budget = { claim() {}, spend() {} };

/** The verdict as JSON; null when the manager finds out by itself: nothing was said, or the SUB printed its verdict. */
export function verdictOf(outcome: BodyOutcome, circumstances: Circumstances): string | null {
  if (outcome.kind === "ended") return null;
  if (outcome.kind === "failed") return JSON.stringify(failure(outcome.error));
  try {
    return ofValue(outcome.value, circumstances);
  } catch (error) {
    if (!(error instanceof BasilError)) throw error;
    return JSON.stringify(failure(error));
  }
}

function ofValue(value: Value, circumstances: Circumstances): string | null {
  if (value === null || value === "") return ofNothing(circumstances);
  if (typeof value === "boolean") return JSON.stringify({ success: value });
  if (value instanceof Dict)
    return ofText(stringifyJson(value, { caller: "RETURN", sortsKeys: false }, UNBOUNDED), circumstances);
  if (typeof value === "string") return ofText(value, circumstances);
  return JSON.stringify(noVerdict("bryton/runtime/not-hash", `the SUB returned a value of type ${typeName(value)}`));
}

/** Silence is success in implicit mode, also after output that is no verdict. */
function ofNothing({ mode, isBlank, mayEndWithObject }: Circumstances): string | null {
  if (isBlank || mayEndWithObject) return null;
  if (mode === "implicit") return '{"success":true}';
  return JSON.stringify(noVerdict("bryton/runtime/missing", "the SUB ended without a verdict, and its class wants one"));
}

/** A JSON object, without `success` a success with something to say, where silence is one, too. */
function ofText(text: string, { mode }: Circumstances): string {
  const verdict = parsed(text);
  if (verdict === undefined)
    return JSON.stringify(noVerdict("bryton/runtime/unparseable", "the SUB returned text that is no JSON", text));
  if (typeof verdict !== "object" || verdict === null || Array.isArray(verdict)) {
    return JSON.stringify(noVerdict("bryton/runtime/not-hash", "the SUB returned JSON that is no object", verdict));
  }
  if ("success" in verdict) return JSON.stringify(verdict);
  if (mode === "implicit") return JSON.stringify({ success: true, ...verdict });
  return JSON.stringify(noVerdict("bryton/runtime/missing", "the SUB returned a verdict without success", verdict));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const noVerdict = (name: string, message: string, returned?: unknown): object => ({
  success: false,
  errors: [{ class: name, message: `${message}: RETURN a DICT or the text of a JSON object, TRUE, FALSE, or nothing` }],
  ...(returned !== undefined && { misc: { returned } }),
});

/** An error that nothing caught. Its class tells its ERRNAME$: `basil/runtime/type-error`. */
function failure(error: BasilError | LimitError): object {
  const isLimit = !(error instanceof BasilError);
  const name = isLimit ? "limit" : error.errorName.toLowerCase().replaceAll("_", "-");
  const place = error.place && { file: error.place.source.name, line: error.place.source.position(error.place.span.start).line };
  return {
    success: false,
    errors: [
      {
        class: `basil/runtime/${name}`,
        message: error.message,
        ...(!isLimit && { name: error.errorName, code: error.code }),
        ...(!isLimit && error.hint !== undefined && { hint: error.hint }),
      },
    ],
    ...(place && { location: place }),
  };
}
