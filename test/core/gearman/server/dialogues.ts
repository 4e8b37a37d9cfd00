/**
 * Dialogues that gearmand and the embedded server must answer alike, one per rule of the protocol. Left out
 * is what gearmand answers differently from run to run: values too long or out of range (a race inside it
 * decides whether it closes the connection), and everything in which this server is deliberately better.
 */
import type { GearmanServerOptions } from "../../../../src/core/gearman/server/server.ts";
import { line, packet, type Step } from "./dialogue.ts";

const can = (name: string) => packet("CAN_DO", name);
const grab = packet("GRAB_JOB_UNIQ");
const sleep = packet("PRE_SLEEP");
const job = (name: string, payload = "", unique = "") => packet("SUBMIT_JOB", `${name}\0${unique}\0${payload}`);
const background = (name: string, payload = "", unique = "") => packet("SUBMIT_JOB_BG", `${name}\0${unique}\0${payload}`);
const H = "H:HOST:";

/** `HANDLE(n)` in a packet stands for the handle of the n-th job; see `forHost`. */
const handle = (n: number) => `${H}${n}`;

export const DIALOGUES: Readonly<Record<string, readonly Step[]>> = {
  "echo returns any bytes": [
    ["a", packet("ECHO_REQ", "hello"), packet("ECHO_REQ"), packet("ECHO_REQ", "a\0b\0\0")],
    ["a", packet("ECHO_REQ", Buffer.from(Array.from({ length: 256 }, (_, index) => index)))],
  ],
  "a foreground job goes to a worker and back": [
    ["w", can("f"), packet("GRAB_JOB"), sleep],
    ["c", job("f", "payload\0with NUL")],
    ["w", packet("GRAB_JOB"), packet("GRAB_JOB")],
    ["w", packet("WORK_DATA", `${handle(1)}\0part`), packet("WORK_WARNING", `${handle(1)}\0careful`)],
    ["w", packet("WORK_STATUS", `${handle(1)}\x001\x002`)],
    ["c", packet("GET_STATUS", handle(1))],
    ["w", packet("WORK_COMPLETE", `${handle(1)}\0result\0\0`)],
    ["c", packet("GET_STATUS", handle(1))],
    ["w", packet("WORK_COMPLETE", `${handle(1)}\0again`)],
  ],
  "each way of grabbing has its own answer": [
    ["w", can("f")],
    ["c", job("f", "1", "u1"), job("f", "2", "u2"), job("f", "3"), packet("SUBMIT_REDUCE_JOB", "f\0u4\0red\0\x004")],
    ["w", packet("GRAB_JOB"), packet("GRAB_JOB_UNIQ"), packet("GRAB_JOB_ALL"), packet("GRAB_JOB_ALL"), packet("GRAB_JOB_ALL")],
    ["c", packet("SUBMIT_REDUCE_JOB_BACKGROUND", "f\0u5\0red\0\x005"), packet("SUBMIT_REDUCE_JOB", "f\0\0\0\x006")],
    ["w", packet("GRAB_JOB"), packet("GRAB_JOB_ALL")],
    ["c", packet("SUBMIT_REDUCE_JOB", `f\0\0${"r".repeat(65)}\0\x006`)],
  ],
  "a worker fails a job": [
    ["w", can("f")],
    ["c", job("f")],
    ["w", grab, packet("WORK_FAIL", handle(1)), packet("WORK_FAIL", handle(1)), packet("WORK_DATA", `${handle(1)}\0late`)],
    ["w", packet("WORK_EXCEPTION", `${handle(1)}\0late`), packet("WORK_STATUS", `${handle(1)}\x001\x002`)],
  ],
  "an exception reaches clients that asked for it, and ends the job": [
    ["c", packet("OPTION_REQ", "Exceptions"), job("f")],
    ["w", can("f"), grab, packet("WORK_EXCEPTION", `${handle(1)}\0boom`)],
    ["w", packet("WORK_FAIL", handle(1)), packet("WORK_EXCEPTION", `${handle(1)}\0boom`)],
  ],
  "unknown options are refused": [
    [
      "c",
      packet("OPTION_REQ", "colour"),
      packet("OPTION_REQ", ""),
      packet("OPTION_REQ", "x".repeat(100)),
      packet("OPTION_REQ", "exceptions\0"),
    ],
  ],
  "answers on one connection keep the order of the requests": [
    [
      "c",
      packet("ECHO_REQ", "1"),
      job("f"),
      packet("GET_STATUS", handle(1)),
      packet("ALL_YOURS"),
      background("f"),
      line("version"),
      packet("OPTION_REQ", "nothing"),
      packet("ECHO_REQ", "2"),
    ],
  ],
  "functions are tried latest announced first, priorities within a function": [
    ["w", can("a"), can("b"), can("c")],
    [
      "c",
      packet("SUBMIT_JOB_HIGH", "a\0\0high a"),
      background("a", "a0"),
      background("b", "b0"),
      background("c", "c0"),
      background("c", "c1"),
    ],
    [
      "c",
      packet("SUBMIT_JOB_LOW_BG", "b\0\0low b"),
      packet("SUBMIT_JOB_HIGH_BG", "b\0\0high b"),
      packet("SUBMIT_JOB_LOW", "c\0\0low c"),
    ],
    ["w", ...Array<Buffer>(9).fill(grab)],
  ],
  "jobs of a lost worker go back to the end of their queue, the last one first": [
    ["c", ...["1", "2", "3", "4", "5"].map((payload) => background("f", payload))],
    ["w", can("f"), grab, grab, packet("WORK_STATUS", `${handle(1)}\x001\x002`)],
    ["c", packet("GET_STATUS", handle(1)), line("status"), line("show jobs")],
    ["w", "close"],
    ["c", packet("GET_STATUS", handle(1)), line("status"), line("show jobs")],
    ["v", can("f"), ...Array<Buffer>(6).fill(grab)],
  ],
  "CANT_DO gives the running jobs of the function away": [
    ["c", job("f", "1"), job("g", "2")],
    ["w", can("f"), can("g"), grab, grab, packet("CANT_DO", "f"), packet("WORK_COMPLETE", `${handle(1)}\0late`)],
    ["w", packet("WORK_COMPLETE", `${handle(2)}\0in time`), line("status")],
    ["w", can("f"), grab, packet("RESET_ABILITIES"), line("status"), grab],
  ],
  "announcing a function again counts again": [
    ["w", can("f"), can("f"), can("f"), can("g"), packet("SET_CLIENT_ID", "some worker"), line("status"), line("workers")],
    ["w", packet("CANT_DO", "f"), line("status"), line("workers")],
    ["w", packet("CANT_DO", "unknown"), packet("RESET_ABILITIES"), line("status")],
    ["w", packet("SET_CLIENT_ID", "x".repeat(300)), line("workers"), packet("SET_CLIENT_ID", ""), line("workers")],
  ],
  "NOOP comes once per sleep": [
    ["w", can("f"), sleep],
    ["c", background("f", "1"), background("f", "2"), background("g", "3")],
    ["w", sleep, sleep],
    ["w", grab, grab, grab, sleep],
    ["c", background("f", "4")],
    ["w", sleep, grab, sleep],
    ["c", background("f", "5")],
  ],
  "a job taken by somebody else leaves a worker that does not grab asleep": [
    ["w", can("f"), sleep],
    ["v", can("f")],
    ["c", background("f", "1")],
    ["v", grab],
    ["w", sleep],
    ["c", background("f", "2")],
    ["w", grab, sleep],
    ["c", background("f", "3")],
  ],
  "every sleeping worker is woken": [
    ["w", can("f"), sleep],
    ["v", can("f"), sleep],
    ["u", can("g"), sleep],
    ["c", background("f", "1")],
  ],
  "a function announced while asleep counts for jobs to come only": [
    ["c", background("f", "1")],
    ["w", sleep, can("f")],
    ["c", background("f", "2")],
  ],
  "workers without functions get nothing": [["w", grab, sleep, packet("GRAB_JOB"), packet("GRAB_JOB_ALL")]],
  "jobs of lost workers wake sleeping ones": [
    ["c", background("f", "1")],
    ["w", can("f"), grab],
    ["v", can("f"), sleep],
    ["w", "close"],
    ["v", grab],
  ],
  "equal uniques share a run": [
    ["c", job("f", "first", "u"), background("f", "second", "u"), job("f", "third", "u")],
    ["w", can("f"), grab, grab],
    ["d", packet("SUBMIT_JOB_HIGH", "f\0u\0fourth")],
    ["w", packet("WORK_DATA", `${handle(1)}\0part`)],
    ["e", job("f", "fifth", "u"), packet("GET_STATUS_UNIQUE", "u")],
    ["w", packet("WORK_COMPLETE", `${handle(1)}\0done`)],
    ["c", packet("GET_STATUS_UNIQUE", "u"), job("f", "sixth", "u")],
  ],
  "uniques are per function, and empty ones are never shared": [
    ["c", job("f", "1", "u"), job("g", "2", "u"), job("f", "3"), job("f", "3")],
    ["c", line("show unique jobs"), line("status")],
  ],
  "a unique of - shares by payload": [
    ["c", job("f", "same", "-"), job("f", "same", "-"), job("f", "other", "-"), job("g", "same", "-")],
    ["c", job("f", "", "-"), job("f", "", "-"), packet("GET_STATUS_UNIQUE", "-"), packet("GET_STATUS_UNIQUE", "")],
    ["w", can("f"), grab, grab, grab],
  ],
  "a unique of # is like any other": [["c", background("f", "1", "#"), background("f", "2", "#")]],
  "status by handle": [
    ["c", packet("GET_STATUS", "H:nowhere:7"), packet("GET_STATUS", ""), packet("GET_STATUS", "x".repeat(63))],
    ["c", packet("GET_STATUS_UNIQUE", "nothing"), packet("GET_STATUS_UNIQUE", "x".repeat(63))],
    ["c", background("f"), packet("GET_STATUS", `${handle(1)}\0trailing`), packet("GET_STATUS", `${handle(1)}\0`)],
  ],
  "status numbers are stored as 32 bits": [
    ["c", job("f")],
    ["w", can("f"), grab],
    ...["abc\x00-1", "1.5\x004294967296", "-1\x0010000000000", " 7x\x0012345678901"].flatMap((numbers): Step[] => [
      ["w", packet("WORK_STATUS", `${handle(1)}\0${numbers}`)],
      ["c", packet("GET_STATUS", handle(1))],
    ]),
    ["w", packet("WORK_STATUS", `${handle(1)}\0${"9".repeat(30)}\x005`)],
    ["c", packet("GET_STATUS", handle(1))],
  ],
  "only the worker that runs a job may report on it": [
    ["c", job("f")],
    ["w", can("f"), grab],
    [
      "v",
      can("f"),
      packet("WORK_COMPLETE", `${handle(1)}\0stolen`),
      packet("WORK_FAIL", handle(1)),
      packet("WORK_FAIL", "x".repeat(70)),
    ],
    [
      "v",
      packet("WORK_DATA", `${handle(1)}\0stolen`),
      packet("WORK_WARNING", "no such handle\0"),
      packet("WORK_STATUS", "none\x001\x002"),
    ],
    ["w", packet("WORK_COMPLETE", `${handle(1)}\0mine`)],
  ],
  "uniques over 64 bytes are refused": [
    [
      "c",
      job("f", "1", "u".repeat(65)),
      background("f", "1", "u".repeat(66)),
      packet("SUBMIT_JOB_EPOCH", `f\0${"u".repeat(65)}\x000\x001`),
    ],
    ["c", job("f", "1", "u".repeat(63)), packet("GET_STATUS_UNIQUE", "u".repeat(63)), line("status")],
    ["w", can("f"), grab],
  ],
  "jobs for a past second run at once": [
    ["c", ...["1", "0", "-5", "soon", ""].map((epoch) => packet("SUBMIT_JOB_EPOCH", `f\0\0${epoch}\0now ${epoch}`))],
    ["w", can("f"), ...Array<Buffer>(6).fill(grab)],
  ],
  "jobs for a second to come wait, and others overtake them": [
    ["w", can("f"), sleep],
    ["c", packet("SUBMIT_JOB_EPOCH", "f\0\x004000000000\0later")],
    ["w", grab, sleep],
    ["c", background("f", "now"), line("status"), line("prioritystatus"), packet("GET_STATUS", handle(1))],
    ["w", grab, grab],
  ],
  "a full queue refuses jobs, but not equal ones": [
    ["c", line("create function f", "\r\n"), line("maxqueue f 2")],
    [
      "c",
      background("f", "1", "u"),
      job("f", "2"),
      job("f", "3"),
      background("f", "1", "u"),
      packet("SUBMIT_JOB_HIGH", "f\0\x004"),
    ],
    ["w", can("f"), grab],
    ["c", background("f", "5")],
    ["w", packet("WORK_COMPLETE", `${handle(1)}\0`)],
    ["c", background("f", "6"), background("f", "7")],
    [
      "c",
      line("maxqueue f 1 0 5"),
      packet("SUBMIT_JOB_HIGH_BG", "f\0\x008"),
      background("f", "9"),
      packet("SUBMIT_JOB_LOW_BG", "f\0\x0010"),
    ],
    [
      "c",
      line("maxqueue f"),
      packet("SUBMIT_JOB_HIGH_BG", "f\0\x0011"),
      line("maxqueue f -1"),
      packet("SUBMIT_JOB_HIGH_BG", "f\0\x0012"),
    ],
    [
      "c",
      line("maxqueue g 1"),
      background("g"),
      background("g"),
      line("maxqueue"),
      line("maxqueue f x"),
      line("maxqueue f 1 2 3"),
    ],
  ],
  "cancelling a waiting job fails it, and it never runs": [
    ["c", job("f", "1"), job("f", "2")],
    [
      "a",
      line(`cancel job ${handle(1)}`),
      line(`cancel job ${handle(1)}`),
      line("status"),
      line("show jobs"),
      packet("GET_STATUS", handle(1)),
    ],
    ["w", can("f"), grab, grab],
    ["a", line(`cancel job ${handle(1)}`), line("status")],
  ],
  "cancelling a running job fails it, and its result still comes": [
    ["c", job("f", "1")],
    ["w", can("f"), grab],
    ["a", line(`cancel job ${handle(1)}`), line("show jobs"), packet("GET_STATUS", handle(1))],
    ["w", packet("WORK_COMPLETE", `${handle(1)}\0done`)],
  ],
  "cancelling a background job": [
    ["c", background("f", "1"), line(`cancel job ${handle(1)}`), line("show jobs")],
    ["w", can("f"), sleep, line("status"), grab],
  ],
  "cancel wants exactly a job and its handle": [
    [
      "a",
      line("cancel"),
      line("cancel job"),
      line("cancel foo bar"),
      line("cancel job H:x:1"),
      line("cancel job a b"),
      line("CANCEL JOB x"),
    ],
  ],
  "a foreground job whose client left does not run": [
    ["c", job("f", "1")],
    ["d", background("f", "2")],
    ["c", "close"],
    ["d", line("status"), line("show jobs"), packet("GET_STATUS", handle(1))],
    ["w", can("f"), grab, grab, line("status")],
  ],
  "a worker is not told that the client of its job left": [
    ["c", job("f", "1")],
    ["w", can("f"), grab],
    ["c", "close"],
    [
      "w",
      packet("WORK_DATA", `${handle(1)}\0part`),
      line("show jobs"),
      packet("WORK_COMPLETE", `${handle(1)}\0done`),
      line("status"),
    ],
  ],
  "a job that lost client and worker does not run again": [
    ["c", job("f", "1")],
    ["w", can("f"), grab],
    ["c", "close"],
    ["w", "close"],
    ["v", line("show jobs"), can("f"), sleep, line("status"), grab],
  ],
  "one connection is client and worker": [
    ["a", can("f"), sleep, job("f", "for me")],
    ["a", grab],
    ["a", packet("WORK_COMPLETE", `${handle(1)}\0by me`)],
  ],
  "time limits are taken as milliseconds and need a number": [
    [
      "w",
      packet("CAN_DO_TIMEOUT", "f\x0060000"),
      packet("CAN_DO_TIMEOUT", "g\x000"),
      packet("CAN_DO_TIMEOUT", "h\0abc"),
      line("status"),
    ],
    ["c", job("f")],
    ["w", grab, packet("WORK_COMPLETE", `${handle(1)}\0`), line("status"), sleep],
  ],
  "packets nobody may send are answered by an error": [
    [
      "c",
      packet(5),
      packet("NOOP"),
      packet("JOB_CREATED", "h"),
      packet("NO_JOB"),
      packet("JOB_ASSIGN", "h\0f\0p"),
      packet("ECHO_RES", "x"),
      packet("ERROR", "code\0text"),
      packet("STATUS_RES", "h\x001\x001\x001\x001"),
      packet("ALL_YOURS"),
      packet("OPTION_RES", "o"),
      packet("JOB_ASSIGN_UNIQ", "h\0f\0u\0p"),
      packet("SUBMIT_JOB_SCHED", "f\0u\x001\x002\x003\x004\x005\0p"),
      packet("JOB_ASSIGN_ALL", "h\0f\0u\0r\0p"),
      packet("STATUS_RES_UNIQUE", "u\x001\x001\x001\x001\x001"),
    ],
  ],
  "packets of the other direction are answered by an error": [
    [
      "c",
      packet("NOOP", "", "\0RES"),
      packet("ECHO_REQ", "x", "\0RES"),
      packet("SUBMIT_JOB", "f\0\0x", "\0RES"),
      packet("ECHO_REQ", "fine"),
    ],
  ],
  "what a packet without arguments carries is ignored": [
    ["w", can("f"), packet("GRAB_JOB", "surplus"), packet("PRE_SLEEP", "x"), packet("ECHO_REQ", "1")],
  ],
  "bad magic ends the connection": [["c", packet("ECHO_REQ", "x", "\0BAD")]],
  "type 0 ends the connection": [["c", packet(0)]],
  "type 43 ends the connection": [["c", packet(43)]],
  "type 0x7fffffff ends the connection": [["c", packet(0x7fffffff)]],
  "names are bytes": [
    ["w", can("naïve\tname with blanks"), can(""), can("\xff\xfe")],
    [
      "c",
      background("naïve\tname with blanks", "1", "\xe9"),
      background("", "2"),
      background("\xff\xfe", "3", "\xff"),
      line("status"),
    ],
    ["w", grab, grab, grab],
    ["c", packet("GET_STATUS_UNIQUE", "\xe9")],
  ],
  "names up to 8 KiB are taken": [
    ["w", can("n".repeat(8192))],
    ["c", background("n".repeat(8191), "x"), line("status")],
  ],
  "commands are known in any case and with surplus words": [
    [
      "a",
      line("STATUS"),
      line("Version"),
      line("status now please"),
      line("workers all"),
      line("getpid"),
      line("verbose"),
      line("version", "\r\n"),
    ],
  ],
  "unknown commands": [
    [
      "a",
      line("hello"),
      line("shutdown"),
      line("shutdown graceful"),
      line("hello world", "\r\n"),
      line(" status"),
      line("statuses"),
      line("Show"),
    ],
    [
      "a",
      line("", "\n"),
      line("", "\r\n"),
      line("show"),
      line("show me"),
      line("show jobs now"),
      line("show unique"),
      line("SHOW UNIQUE JOBS"),
    ],
    ["a", line("status "), line("show jobs "), line("show  jobs"), line("sta\0tus")],
  ],
  "functions are created and dropped": [
    [
      "a",
      line("create function newf", "\r\n"),
      line("status"),
      line("create"),
      line("create function"),
      line("create function a b"),
      line("create thing a"),
    ],
    [
      "a",
      line("drop function NEWF"),
      line("status"),
      line("drop function newf"),
      line("drop"),
      line("drop function"),
      line("drop function a b"),
    ],
    ["w", can("f")],
    ["a", line("drop function f")],
    ["w", packet("CANT_DO", "f")],
    ["a", line("drop function f"), line("status")],
  ],
  "lists end with a dot": [
    ["a", line("status"), line("prioritystatus"), line("workers"), line("show jobs"), line("show unique jobs")],
  ],
  "five words are a command": [["a", line("a b c d e")]],
  "six words end the connection": [["a", line("status b c d e f")]],
};

/** The dialogue with this server's handles: the host name in them is known only once it has issued one. */
export function forHost(steps: readonly Step[], host: string): Step[] {
  return steps.map(([connection, ...sends]) => [
    connection,
    ...sends.map((send) => (send === "close" ? send : replaceHost(send, host))),
  ]);
}

function replaceHost(bytes: Buffer, host: string): Buffer {
  const text = bytes.toString("latin1");
  if (!text.includes(H)) return bytes;
  const replaced = Buffer.from(text.replaceAll(H, `H:${host}:`), "latin1");
  if (bytes[0] === 0) replaced.writeUInt32BE(replaced.length - 12, 8);
  return replaced;
}

/** Rules that hold with an option only: the option of the embedded server, and the same one of gearmand. */
export const OPTION_DIALOGUES: readonly {
  readonly rule: string;
  readonly options: GearmanServerOptions;
  readonly args: readonly string[];
  readonly steps: readonly Step[];
}[] = [
  {
    rule: "round robin lets functions take turns",
    options: { roundRobin: true },
    args: ["--round-robin"],
    steps: [
      ["w", can("a"), can("b"), can("c")],
      ["c", ...["a0", "a1", "b0", "b1", "c0", "c1"].map((payload) => background(payload.charAt(0), payload))],
      ["w", grab, grab, grab, grab, grab, grab, grab, line("workers")],
    ],
  },
  {
    rule: "with exceptions for all, clients need not ask for them",
    options: { exceptions: true },
    args: ["--exceptions"],
    steps: [
      ["c", job("f")],
      ["w", can("f"), grab],
      ["w", packet("WORK_EXCEPTION", `${handle(1)}\0boom`)],
    ],
  },
  {
    rule: "a job that was lost too often fails",
    options: { jobRetries: 2 },
    args: ["--job-retries", "2"],
    steps: [
      ["c", job("f"), background("f")],
      ["w", can("f"), grab, grab],
      ["w", "close"],
      ["c", line("show jobs")],
      ["v", can("f"), grab, grab],
      ["v", "close"],
      ["c", line("show jobs"), line("status")],
    ],
  },
  {
    rule: "with one wake-up per job, one sleeper is woken",
    options: { wakeups: 1 },
    args: ["--worker-wakeup", "1"],
    steps: [
      ["w", can("f"), sleep],
      ["c", background("f"), background("f")],
    ],
  },
];
