/** The table of rows itself: nothing promised is missing, and its codes are the library's. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { gearman } from "../../../modules/gearman/index.ts";
import { GEARMAN_ERRORS } from "../../../src/core/gearman/index.ts";
import { projectDirectory } from "../../../src/tools/build.ts";

const rows = gearman().rows;
const namesOf = (kind: string): string[] => rows.filter((row) => row.kind === kind).map((row) => row.name);

test("GEARMAN has all functions scripts rely on", () => {
  const promised = `SUBMIT$ SUBMIT_BG% SUBMIT_HIGH$ SUBMIT_LOW$ SUBMIT_HIGH_BG% SUBMIT_LOW_BG% STATUS$ CANCEL% ECHO$ SERVERS$ SUBMIT_STREAM%
    WORKER_ADD% WORKER_START% WORKER_STOP% WORKER_ALIVE% WORKER_SET_STATUS% WORKER_YIELD$ WORKER_DATA% WORKER_WARNING%
    WORKER_COMPLETE% WORKER_FAIL% SUBMIT_AT% SUBMIT_REDUCE$ SUBMIT_REDUCE_BG% STATUS_UNIQUE$ TASKS_ADD% TASKS_ADD_BG% TASKS_RUN%
    TASKS_COUNT% TASKS_CLEAR% TASKS_RESULT$ TASKS_ERR$ TASKS_ERRCODE% TASKS_HANDLE$ ADMIN_STATUS ADMIN_PRIORITIES WORKERS JOBS
    ADMIN_VERSION$ PING% ADMIN_CREATE% ADMIN_DROP% ADMIN_MAXQUEUE% ON_EVENT% METRICS METRICS_TEXT$ NAMESPACE$`;
  expect(namesOf("function").sort()).toEqual(promised.split(/\s+/).sort());
});

test("GEARMAN has all properties, and the second spelling of SUBMIT_BG%", () => {
  expect(namesOf("property").slice(0, 4)).toEqual(["ERR$", "ERRCODE%", "LAST_HANDLE$", "LAST_RESULT$"]);
  expect(namesOf("alias")).toEqual(["SUBMIT_BG$"]);
});

test("the constants are the library's error table, after OK and ERR", () => {
  const values = Object.fromEntries(rows.flatMap((row) => (row.kind === "constant" ? [[row.name, row.value]] : [])));
  const table = Object.fromEntries(Object.entries(GEARMAN_ERRORS).map(([kind, { code }]) => [`GEARMAN_${kind}%`, code]));
  expect(values).toEqual({ "GEARMAN_OK%": 0, "GEARMAN_ERR%": -1, ...table });
});

test("every row and every parameter says what it is for, in whole sentences", () => {
  const docs = rows.flatMap((row) => [
    [row.name, row.doc],
    ...(row.kind === "function" ? Object.entries(row.params).map(([name, { doc }]) => [`${row.name} ${name}`, doc]) : []),
  ]);
  expect(docs.filter(([, doc]) => !/[.)]$/.test(doc!))).toEqual([]);
});

test("the guide lists every failure with its code, and says which are fatal", () => {
  const guide = readFileSync(join(projectDirectory, "docs/OBJ_GEARMAN.md"), "utf8");
  const listed = [...guide.matchAll(/^\| (\d+) \| `GEARMAN_(\w+)%` \| (yes)? *\|/gm)].map(([, code, kind, fatal]) => [
    kind,
    Number(code),
    fatal === "yes",
  ]);
  const table = Object.entries(GEARMAN_ERRORS).map(([kind, { code, fatal }]) => [kind, code, fatal]);
  expect(listed).toEqual([["OK", 0, false], ...table]);
});

test("the guide names every function and property", () => {
  const guide = readFileSync(join(projectDirectory, "docs/OBJ_GEARMAN.md"), "utf8");
  expect([...namesOf("function"), ...namesOf("property")].filter((name) => !guide.includes(name))).toEqual([]);
});
