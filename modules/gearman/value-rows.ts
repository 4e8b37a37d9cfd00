/** What programs read of GEARMAN without calling it: the outcome of the last call, the current job, the error codes. */
import { constant } from "../../runtime/host.ts";
import { GEARMAN_ERRORS } from "../../src/core/gearman/errors.ts";
import { property } from "./state.ts";
import { gearmanTask } from "./task.ts";

/** All of them belong to the task: what another task does meanwhile changes nothing here. */
export const propertyRows = [
  property({
    name: "ERR$",
    doc: 'Why this task\'s last GEARMAN call failed; "" when it did not.',
    get: (_, task) => gearmanTask(task).message,
  }),
  property({
    name: "ERRCODE%",
    doc: "The kind of the failure, such as GEARMAN_TIMEOUT%; GEARMAN_OK% when the last call did not fail.",
    get: (_, task) => gearmanTask(task).code,
  }),
  property({
    name: "LAST_HANDLE$",
    doc: 'The job this task submitted last, for STATUS$ and CANCEL%; "" when no server accepted it.',
    get: (_, task) => gearmanTask(task).handle,
  }),
  property({
    name: "LAST_RESULT$",
    doc: 'The result of the job this task last waited for; "" when there is none.',
    get: (_, task) => gearmanTask(task).result,
  }),
  property({
    name: "JOB_HANDLE$",
    doc: 'The job this task works on, in a handler or after WORKER_YIELD$; "" elsewhere.',
    get: (_, task) => gearmanTask(task).current?.handle ?? "",
  }),
  property({
    name: "JOB_FUNCTION$",
    doc: "The function that the client submitted the current job to, for a SUB that handles several.",
    get: (_, task) => gearmanTask(task).current?.job.name ?? "",
  }),
  property({
    name: "JOB_UNIQUE$",
    doc: "The unique key of the current job; background jobs without one get a key that no other job has.",
    get: (_, task) => gearmanTask(task).current?.job.unique ?? "",
  }),
];

/** The codes ERRCODE% may have, from the one table of failures. */
export const constantRows = [
  constant({ name: "GEARMAN_OK%", value: 0, doc: "The last call did not fail." }),
  constant({ name: "GEARMAN_ERR%", value: -1, doc: "A failure of any kind; ERRCODE% always has a more exact one." }),
  ...Object.entries(GEARMAN_ERRORS).map(([kind, { code, doc }]) => constant({ name: `GEARMAN_${kind}%`, value: code, doc })),
];
