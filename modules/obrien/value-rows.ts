/** What programs read of OBRIEN without calling it: the outcome of the last call, the error codes. */
import { constant } from "../../runtime/host.ts";
import { OBRIEN_ERRORS } from "../../src/core/obrien/errors.ts";
import { outcomeOf } from "./outcome.ts";
import { property } from "./state.ts";

/** Both belong to the task: what another task does meanwhile changes nothing here. */
export const propertyRows = [
  property({
    name: "ERR$",
    doc: 'Why this task\'s last OBRIEN call failed; "" when it did not.',
    get: (_, task) => outcomeOf(task).message,
  }),
  property({
    name: "ERRCODE%",
    doc: "The kind of the failure, such as OBRIEN_TIMEOUT%; OBRIEN_OK% when the last call did not fail.",
    get: (_, task) => outcomeOf(task).code,
  }),
];

/** The codes ERRCODE% may have, from the one table of failures. */
export const constantRows = [
  constant({ name: "OBRIEN_OK%", value: 0, doc: "The last call did not fail." }),
  ...Object.entries(OBRIEN_ERRORS).map(([kind, { code, doc }]) => constant({ name: `OBRIEN_${kind}%`, value: code, doc })),
];
