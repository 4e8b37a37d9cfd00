/**
 * What the job server remembers: jobs, the functions they wait in, and who offers to run or waits for them.
 *
 * A job is *waiting* (in one of its function's queues), *running* (`holder` is set) or over (nowhere).
 * It is a *husk* when nobody wants it any more: a foreground job whose clients have all left, or a
 * cancelled one. A husk keeps its place and its handle until a worker would have been given it.
 */
import type { Handles } from "./handles.ts";
import { Heap } from "./heap.ts";
import { type Keyed, KeyTable } from "./key-table.ts";
import { type Linked, LinkedList } from "./linked-list.ts";
import type { Slab } from "./slab.ts";

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
  readonly held: LinkedList<Job>;
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

/** What a job gets from its queue. */
export interface JobOrigin {
  /** The number in its handle; no other job of this server has it. */
  readonly number: number;
  readonly handles: Handles;
  readonly target: JobFunction;
  /** What equal jobs have in common, or null when the job is never shared. */
  readonly key: Buffer | null;
  /** Where its bytes are kept while they are few. */
  readonly slab: Slab;
}

/** Memory a job takes besides its payload and its keys, in bytes; a rough figure. */
const JOB_BYTES = 256;

/** Payloads from this size on, in bytes, stay in the network buffer they came in. */
const LARGE_BYTES = 4096;

/**
 * One job from its submission until it is over. Servers hold them by the million, and what survives a while costs
 * the collector more than what dies at once: so a job is one object, its key and payload are bytes among those of others.
 */
export class Job implements JobDetails, Linked<Job>, Keyed<Job> {
  readonly number: number;
  readonly target: JobFunction;
  readonly reducer: Buffer | null;
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
  /** Its neighbours in its queue, or among the jobs that its worker runs. */
  ahead: Job | null = null;
  behind: Job | null = null;
  keyHash = 0;
  nextKeyed: Job | null = null;
  readonly #handles: Handles;
  /** Holds unique key, NUL and payload from `#start` on; of a large payload only the key. */
  readonly #bytes: Buffer;
  readonly #start: number;
  readonly #uniqueLength: number;
  readonly #payloadLength: number;
  readonly #large: Buffer | null;
  /** What equal jobs have in common, when that is not the unique key. */
  readonly #digest: Buffer | null;

  constructor({ number, handles, target, key, slab }: JobOrigin, details: JobDetails) {
    const { unique, payload, reducer } = details;
    this.number = number;
    this.#handles = handles;
    this.target = target;
    this.reducer = reducer === null ? null : Buffer.from(reducer);
    this.priority = details.priority;
    this.epochSeconds = details.epochSeconds;
    this.#uniqueLength = unique.length;
    this.#payloadLength = payload.length;
    this.#large = payload.length < LARGE_BYTES ? null : payload;
    this.#start = slab.keep(unique, this.#large === null ? payload : NO_BYTES);
    this.#bytes = slab.bytes;
    this.#digest = key === unique ? null : key;
  }

  get keyBytes(): Buffer {
    return this.#digest ?? this.#bytes;
  }

  get keyStart(): number {
    return this.#digest === null ? this.#start : 0;
  }

  get keyLength(): number {
    return this.#digest?.length ?? this.#uniqueLength;
  }

  /** What it counts for in `maxMemoryBytes`. */
  get memoryBytes(): number {
    return JOB_BYTES + this.#payloadLength + this.#uniqueLength + (this.reducer?.length ?? 0);
  }

  get handle(): string {
    return this.#handles.prefix + this.number;
  }

  /** As the client sent it; empty for none. */
  get unique(): Buffer {
    return this.#bytes.subarray(this.#start, this.#start + this.#uniqueLength);
  }

  get payload(): Buffer {
    const start = this.#start + this.#uniqueLength + 1;
    return this.#large ?? this.#bytes.subarray(start, start + this.#payloadLength);
  }

  /** Unique key and payload as packets have them: with a NUL between. Null when the payload is large. */
  get uniqueAndPayload(): Buffer | null {
    if (this.#large !== null) return null;
    return this.#bytes.subarray(this.#start, this.#start + this.#uniqueLength + 1 + this.#payloadLength);
  }
}

/** What a job counts for in `maxMemoryBytes`, in bytes. */
export function memoryBytesOf({ payload, unique, reducer }: Pick<Job, "payload" | "unique" | "reducer">): number {
  return JOB_BYTES + payload.length + unique.length + (reducer?.length ?? 0);
}

/** Whether anybody still wants the job to run. */
export function isWanted(job: Job): boolean {
  return !job.isCancelled && (job.isBackground || job.clients.length > 0);
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
  /** Jobs that an equal submission joins. */
  readonly shared = new KeyTable<Job>();

  readonly #lists: Record<Priority, LinkedList<Job>> = {
    high: new LinkedList(),
    normal: new LinkedList(),
    low: new LinkedList(),
  };
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

  /** Puts a job at the end of its queue. */
  enqueue(job: Job): void {
    this.waiting[job.priority]++;
    this.#lists[job.priority].append(job);
  }

  /** Puts a job aside until its second comes. */
  setAside(job: Job): void {
    this.waiting[job.priority]++;
    this.#scheduled.push(job);
  }

  /** Whether jobs wait for their second: only then `mature` has something to do. */
  get hasScheduled(): boolean {
    return this.#scheduled.size > 0;
  }

  /** Puts jobs whose second has come among those that may run. */
  mature(nowSeconds: number): void {
    for (let job = this.#scheduled.peek(); job !== undefined && job.epochSeconds <= nowSeconds; job = this.#scheduled.peek()) {
      this.#matured.push(job);
      this.#scheduled.pop();
    }
  }

  /** The job to run next, husks included; it stays in its queue. */
  get first(): Job | null {
    return this.#lists.high.first ?? this.#firstNormal() ?? this.#lists.low.first;
  }

  /** Takes out the job that `first` just returned. */
  removeFirst(job: Job): void {
    this.waiting[job.priority]--;
    if (this.#matured.peek() === job) this.#matured.pop();
    else this.#lists[job.priority].remove(job);
  }

  #firstNormal(): Job | null {
    const job = this.#lists.normal.first;
    const matured = this.#matured.peek() ?? null;
    if (job === null || matured === null) return job ?? matured;
    return matured.sequence < job.sequence ? matured : job;
  }
}

/** Whether a function may be forgotten: nobody offers it, and no job of it would be lost. */
export function isDroppable(target: JobFunction): boolean {
  return target.workers === 0 && target.total === 0;
}

/** Limits how many jobs of each priority a function takes; `limits` are in the order of `PRIORITIES`. */
export function limitFunction(target: JobFunction, limits: readonly number[]): void {
  PRIORITIES.forEach((priority, index) => {
    target.limits[priority] = limits[index] ?? 0;
  });
}
