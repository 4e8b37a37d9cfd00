/**
 * What the job server remembers: jobs, the functions they wait in, and who offers to run or waits for them.
 *
 * A job is *waiting* (in one of its function's queues), *running* (`holder` is set) or over (nowhere).
 * It is a *husk* when nobody wants it any more: a foreground job whose clients have all left, or a
 * cancelled one. A husk keeps its place and its handle until a worker would have been given it.
 */
import type { Handles } from "./handles.ts";
import { Heap } from "./heap.ts";

/** Queues of a function, most urgent first; an administrator names limits in this order. */
export const PRIORITIES = ["high", "normal", "low"] as const;

export type Priority = (typeof PRIORITIES)[number];

const NO_PEERS: readonly Peer[] = Object.freeze([]);
const NO_BYTES = Buffer.alloc(0);

/** A connection as the queue sees it: a client, a worker, or both at once. */
export interface Peer {
  /** Functions it offers to run, the latest announced first, once per announcement. */
  abilities: Ability[];
  /** Jobs it waits for. */
  readonly watched: Set<Job>;
  /** Sent PRE_SLEEP and has not grabbed since. */
  isSleeping: boolean;
  /** Was sent a NOOP since it last grabbed; until it grabs it gets no other. */
  isNoopSent: boolean;
  /** Sends it a NOOP. */
  wake(): void;
  /** Sends it a WORK_FAIL that no worker wrote. */
  fail(job: Job): void;
}

/** One CAN_DO: a peer offers to run a function. */
export interface Ability {
  readonly peer: Peer;
  readonly target: JobFunction;
  /** Time a job may run before it is given to somebody else, in milliseconds; 0 is for ever. */
  readonly timeoutMs: number;
  /** Jobs running here, the oldest first. */
  readonly held: Set<Job>;
}

/** What a job is made of. */
export interface JobDetails {
  /** As the client sent it; empty for none. */
  readonly unique: Buffer;
  readonly reducer: Buffer | null;
  readonly payload: Buffer;
  readonly priority: Priority;
  /** Second since 1970 before which it must not run; 0 is at once. */
  readonly epochSeconds: number;
}

/** One job from its submission until it is over. */
export class Job implements JobDetails {
  /** The number in the handle; no other job of this server has it. */
  readonly number: number;
  readonly target: JobFunction;
  readonly unique: Buffer;
  /** What equal jobs have in common, or null when the job is never shared. */
  readonly shareKey: string | null;
  readonly reducer: Buffer | null;
  readonly payload: Buffer;
  readonly priority: Priority;
  readonly epochSeconds: number;
  /** Somebody submitted it without waiting for it, so it runs even when no client is left. */
  isBackground = false;
  isCancelled = false;
  /** Whether it is kept in the journal; see ledger.ts. */
  storage: "none" | "staged" | "stored" = "none";
  /** Clients that wait for it, once per submission. */
  clients: readonly Peer[] = NO_PEERS;
  /** Who runs it, or null while it waits. */
  holder: Ability | null = null;
  /** Calls off the time limit of the current run. */
  stopTimer: (() => void) | null = null;
  /** Times a run was given up, because the worker left or took too long. */
  retries = 0;
  numerator = 0;
  denominator = 0;
  /** Place in the queue: smaller is earlier. Every entry into a queue gets a new one. */
  sequence = 0;
  /** The job behind it in its queue. */
  behind: Job | null = null;
  readonly #handles: Handles;

  constructor(number: number, handles: Handles, target: JobFunction, shareKey: string | null, details: JobDetails) {
    this.number = number;
    this.#handles = handles;
    this.target = target;
    this.shareKey = shareKey;
    this.unique = details.unique.length === 0 ? NO_BYTES : Buffer.from(details.unique);
    this.reducer = details.reducer === null ? null : Buffer.from(details.reducer);
    this.payload = compact(details.payload);
    this.priority = details.priority;
    this.epochSeconds = details.epochSeconds;
  }

  get handle(): string {
    return this.#handles.prefix + this.number;
  }
}

/** A small payload is copied out of the network buffer it came in, so that it does not keep all of it alive. */
function compact(payload: Buffer): Buffer {
  if (payload.length === 0) return NO_BYTES;
  return payload.length < 4096 && payload.buffer.byteLength > 4 * payload.length ? Buffer.from(payload) : payload;
}

/** Memory a job takes besides its payload and its keys, in bytes; a rough figure. */
const JOB_BYTES = 256;

/** What a job counts for in `maxMemoryBytes`, in bytes. */
export function memoryBytesOf({ payload, unique, reducer }: Pick<Job, "payload" | "unique" | "reducer">): number {
  return JOB_BYTES + payload.length + unique.length + (reducer?.length ?? 0);
}

/** Whether anybody still wants the job to run. */
export function isWanted(job: Job): boolean {
  return !job.isCancelled && (job.isBackground || job.clients.length > 0);
}

/** First in, first out, linked through the jobs themselves: both ends in O(1). */
class JobList {
  #first: Job | null = null;
  #last: Job | null = null;

  get first(): Job | null {
    return this.#first;
  }

  append(job: Job): void {
    job.behind = null;
    if (this.#last === null) this.#first = job;
    else this.#last.behind = job;
    this.#last = job;
  }

  removeFirst(): void {
    const job = this.#first!;
    this.#first = job.behind;
    job.behind = null;
    if (this.#first === null) this.#last = null;
  }
}

/** One function name with its queues, its workers and its limits. */
export class JobFunction {
  /** The name as bytes; `key` is the same bytes as Latin-1 text. */
  readonly name: Buffer;
  readonly key: string;
  /** Jobs waiting or running, husks included. */
  total = 0;
  running = 0;
  /** CAN_DOs in force. */
  workers = 0;
  /** Waiting jobs per priority, scheduled ones and husks included. */
  readonly waiting: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
  /** Most jobs there may be when one of this priority is submitted; 0 is no limit. */
  readonly limits: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
  /** Sleeping workers to send a NOOP when a job arrives, the longest asleep first. */
  readonly dozing = new Set<Peer>();
  /** Jobs that an equal submission joins, by their share key. */
  readonly shared = new Map<string, Job>();

  readonly #lists: Record<Priority, JobList> = { high: new JobList(), normal: new JobList(), low: new JobList() };
  /** Jobs whose second has not come. */
  readonly #scheduled = new Heap<Job>((left, right) => left.epochSeconds < right.epochSeconds);
  /** Scheduled jobs whose second has come: they take the place they would have had all along. */
  readonly #matured = new Heap<Job>((left, right) => left.sequence < right.sequence);

  constructor(key: string) {
    this.key = key;
    this.name = Buffer.from(key, "latin1");
  }

  get waitingTotal(): number {
    return this.total - this.running;
  }

  /** Puts a job at the end of its queue, or aside until its second comes. */
  enqueue(job: Job, nowSeconds: number): void {
    this.waiting[job.priority]++;
    if (job.epochSeconds > nowSeconds) this.#scheduled.push(job);
    else this.#lists[job.priority].append(job);
  }

  /** The job to run next, husks included; it stays in its queue. */
  first(nowSeconds: number): Job | null {
    for (let job = this.#scheduled.peek(); job !== undefined && job.epochSeconds <= nowSeconds; job = this.#scheduled.peek()) {
      this.#matured.push(job);
      this.#scheduled.pop();
    }
    return this.#lists.high.first ?? this.#firstNormal() ?? this.#lists.low.first;
  }

  /** Takes out the job that `first` just returned. */
  removeFirst(job: Job): void {
    this.waiting[job.priority]--;
    if (this.#matured.peek() === job) this.#matured.pop();
    else this.#lists[job.priority].removeFirst();
  }

  #firstNormal(): Job | null {
    const job = this.#lists.normal.first;
    const matured = this.#matured.peek() ?? null;
    if (job === null || matured === null) return job ?? matured;
    return matured.sequence < job.sequence ? matured : job;
  }
}
