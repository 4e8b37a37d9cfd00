/**
 * The job server's state machine, without sockets: what happens to jobs when clients submit and leave,
 * workers grab, report and vanish, and an administrator cancels.
 *
 * A job enters by `submit` and waits; `take` makes it run; `finish` ends it. A run that is given up
 * (worker gone, function withdrawn, time over) puts it back to the end of its queue. Nothing else moves
 * a job: cancelling and leaving only decide whether anybody still wants it, see `isWanted`.
 */
import { JobNumbers } from "./job-numbers.ts";
import { type Ability, isWanted, Job, type JobDetails, JobFunction, memoryBytesOf, type Peer } from "./jobs.ts";
import type { Journal, StoredJob } from "./journal.ts";
import { type Batch, Ledger } from "./ledger.ts";
import { LinkedList } from "./linked-list.ts";
import { NumberTable } from "./number-table.ts";
import type { JobQueueOptions, Submission } from "./queue-options.ts";
import { Schedule } from "./schedule.ts";
import { shareKeyOf } from "./share-key.ts";
import { Slab } from "./slab.ts";

/** The text a job is refused with when its function has as many as it may have. */
const FULL = "Job queue is full";

/** Shortest time limit of a run, in milliseconds: smaller ones are raised to it, as gearmand does. */
const MIN_TIMEOUT_MS = 1000;

/** All functions and jobs of one server. */
export class JobQueue {
  readonly functions = new Map<string, JobFunction>();
  /** Every job that is not over, by number, in the order of submission. */
  readonly jobs = new NumberTable<Job>();

  readonly #options: JobQueueOptions;
  readonly #schedule: Schedule<JobFunction>;
  readonly #slab = new Slab();
  readonly #numbers: JobNumbers;
  #lastNamed: JobFunction | null = null;
  #ledger: Ledger | null = null;
  #memoryBytes = 0;
  #sequence = 0;
  /** Called when no job runs any more; while it is set, none is given out. */
  #onIdle: (() => void) | null = null;

  constructor(options: JobQueueOptions) {
    this.#options = options;
    this.#numbers = new JobNumbers(options.onCommit);
    this.#schedule = new Schedule<JobFunction>(options.clock, (target) => this.#wake(target));
  }

  /** Gives out no more jobs; `onIdle` is called when none runs any more, or at `stop`. Perhaps more than once. */
  drain(onIdle: () => void): void {
    this.#onIdle = onIdle;
    this.#noteIdle();
  }

  /** What all jobs take, in bytes, as `memoryBytesOf` counts them. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** Jobs that are kept in the journal. */
  get stored(): number {
    return this.#ledger?.stored ?? 0;
  }

  /** Keeps background jobs in a journal from now on, and takes in those that are there. Returns how many. */
  useJournal(journal: Journal): number {
    const jobs = journal.readAll();
    this.#numbers.useJournal(journal);
    this.#ledger = new Ledger(journal, this.#options.commitSoon);
    for (const job of jobs) this.#restore(job, this.#ledger);
    return jobs.length;
  }

  /** The function of that name, made when it is new. */
  functionOf(key: string): JobFunction {
    let target = this.functions.get(key);
    if (target === undefined) {
      target = new JobFunction(key);
      this.functions.set(key, target);
    }
    return target;
  }

  /** The function with those bytes as its name, made when it is new. Mostly it is the one of the last call. */
  functionNamed(name: Buffer): JobFunction {
    if (this.#lastNamed === null || !hasName(this.#lastNamed, name)) this.#lastNamed = this.functionOf(name.toString("latin1"));
    return this.#lastNamed;
  }

  /** Forgets a function; see `isDroppable`. */
  drop(target: JobFunction): void {
    this.functions.delete(target.key);
    this.#lastNamed = null;
  }

  /** Takes a job in, or joins an equal one that is not over. A text says why the job is refused. */
  submit(submission: Submission): Job | string {
    const { target } = submission;
    const key = shareKeyOf(submission.unique, submission.payload);
    const hash = key === null ? 0 : target.shared.hash(key);
    const equal = key === null ? null : target.shared.findHashed(key, hash);
    if (equal !== null) {
      this.#join(equal, submission.client);
      return equal;
    }
    const limit = target.limits[submission.priority];
    if (limit > 0 && target.total >= limit) return FULL;
    const { maxMemoryBytes } = this.#options;
    if (this.#memoryBytes + memoryBytesOf(submission) > maxMemoryBytes) {
      return `Job queue is out of memory: jobs take ${this.#memoryBytes} of ${maxMemoryBytes} bytes`;
    }
    const job = this.#create(target, key, hash, submission, this.#numbers.next());
    this.#attach(job, submission.client);
    if (job.isBackground && this.#ledger !== null) this.#ledger.stage(job, true);
    else if (this.#ledger?.hasStaged === true) this.#ledger.holdBack(job);
    else this.#enqueue(job);
    return job;
  }

  /** Has `refuse` called with a reason if a background job, which is `staged`, cannot be kept in the journal. */
  whenRefused(job: Job, refuse: (failure: Error) => void): void {
    this.#ledger?.whenRefused(job, refuse);
  }

  /** Writes to the journal what has changed; jobs that came in this turn may run only then. */
  commit(): void {
    if (this.#ledger !== null) this.#settle(this.#ledger.commit());
  }

  /** Gives a worker its next job to run, or null. */
  take(peer: Peer): Job | null {
    this.#stopDozing(peer);
    peer.isSleeping = false;
    peer.isNoopSent = false;
    let index = this.#indexOfReady(peer);
    if (index < 0 && this.#ledger?.hasStaged === true) {
      this.commit();
      index = this.#indexOfReady(peer);
    }
    if (index < 0) return null;
    const ability = peer.abilities[index]!;
    const job = ability.target.first!;
    if (this.#options.isRoundRobin) peer.abilities.push(...peer.abilities.splice(index, 1));
    this.#start(job, ability);
    return job;
  }

  /** A worker is about to wait for NOOP. False when there is a job for it, so that it should grab at once. */
  sleep(peer: Peer): boolean {
    if (this.#indexOfReady(peer) >= 0) return false;
    peer.isSleeping = true;
    if (!peer.isNoopSent) for (const ability of peer.abilities) ability.target.dozing.add(peer);
    return true;
  }

  /** A worker announces a function; announcing it again counts again. */
  offer(peer: Peer, key: string, timeoutMs: number): void {
    const target = this.functionOf(key);
    const limitMs = timeoutMs > 0 ? Math.max(timeoutMs, MIN_TIMEOUT_MS) : 0;
    peer.abilities.unshift({ peer, target, timeoutMs: limitMs, held: new LinkedList<Job>() });
    target.workers++;
    if (peer.isSleeping && !peer.isNoopSent) target.dozing.add(peer);
  }

  /** A worker takes a function back; what it runs of it goes to somebody else. */
  withdraw(peer: Peer, key: string): void {
    for (const ability of [...peer.abilities]) if (ability.target.key === key) this.#remove(ability);
  }

  /** A worker takes all its functions back. */
  withdrawAll(peer: Peer): void {
    for (const ability of [...peer.abilities]) this.#remove(ability);
  }

  /** A connection is gone: its jobs go to other workers, and nobody on it waits any more. */
  leave(peer: Peer): void {
    this.withdrawAll(peer);
    for (const job of peer.watched) job.clients = job.clients.filter((client) => client !== peer);
    peer.watched.clear();
  }

  /** The job with that handle, unless it is over. */
  find(handle: Buffer): Job | undefined {
    return this.jobs.get(this.#options.handles.numberOf(handle));
  }

  /** The job a worker may report on: it must be running there. */
  heldJob(peer: Peer, handle: Buffer): Job | null {
    const job = this.find(handle);
    return job?.holder?.peer === peer ? job : null;
  }

  /** A job is over, whatever came of it. */
  finish(job: Job): void {
    this.#release(job);
  }

  /** Tells the clients that the job failed, and sees to it that it does not start. False for an unknown handle. */
  cancel(handle: string): boolean {
    const job = this.find(Buffer.from(handle, "latin1"));
    if (job === undefined) return false;
    for (const client of job.clients) client.fail(job);
    job.isCancelled = true;
    this.#ledger?.forget(job);
    if (job.holder === null) job.target.shared.delete(job);
    return true;
  }

  /** A job of any function with this unique key. */
  findUnique(unique: string): Job | null {
    const key = Buffer.from(unique, "latin1");
    for (const target of this.functions.values()) {
      const job = target.shared.find(key);
      if (job !== null) return job;
    }
    return null;
  }

  /** Stops all timers, and the wait of `drain`, and closes the journal. */
  stop(): void {
    this.#onIdle?.();
    if (this.#ledger !== null) this.#settle(this.#ledger.close());
    this.#ledger = null;
    this.#schedule.stop();
    for (const job of this.jobs.values()) job.stopTimer?.();
  }

  #join(job: Job, client: Peer | null): void {
    const wasHusk = !isWanted(job);
    job.isCancelled = false;
    this.#attach(job, client);
    if (job.isBackground && job.storage === "none") this.#ledger?.stage(job, false);
    if (wasHusk && job.holder === null) this.#wake(job.target);
  }

  /** Jobs that were written get their places in the queues; those that were not are refused, unless somebody waits for them. */
  #settle(batch: Batch | null): void {
    if (batch === null) return;
    const { entries, failure } = batch;
    for (const { job, isNew } of entries) {
      if (failure !== null && job.storage === "none" && !job.isCancelled) job.isBackground = false;
      if (!isNew) continue;
      if (failure === null || isWanted(job) || job.isCancelled) this.#enqueue(job);
      else this.#release(job);
    }
    this.#options.onCommit(failure);
  }

  #restore(stored: StoredJob, ledger: Ledger): void {
    const target = this.functionOf(stored.key);
    const key = shareKeyOf(stored.unique, stored.payload);
    const job = this.#create(target, key, key === null ? 0 : target.shared.hash(key), stored, stored.number);
    job.isBackground = true;
    this.#numbers.pass(stored.number);
    ledger.adopt(job);
    this.#enqueue(job);
  }

  /** @param hash of `key`, when there is one */
  #create(target: JobFunction, key: Buffer | null, hash: number, details: JobDetails, number: number): Job {
    const job = new Job({ number, handles: this.#options.handles, target, key, slab: this.#slab }, details);
    this.jobs.add(number, job);
    if (key !== null) target.shared.add(job, hash);
    target.total++;
    this.#memoryBytes += job.memoryBytes;
    return job;
  }

  #attach(job: Job, client: Peer | null): void {
    if (client === null) {
      job.isBackground = true;
      return;
    }
    job.clients = job.clients.length === 0 ? [client] : [...job.clients, client];
    client.watched.add(job);
  }

  #enqueue(job: Job): void {
    job.sequence = ++this.#sequence;
    // Workers are woken even for a job of the future, as gearmand does.
    this.#wake(job.target);
    if (job.epochSeconds > 0 && job.epochSeconds > this.#schedule.nowSeconds()) {
      job.target.setAside(job);
      this.#schedule.add(job.epochSeconds, job.target);
    } else job.target.enqueue(job);
  }

  #wake(target: JobFunction): void {
    let left = this.#options.wakeups;
    for (const peer of target.dozing) {
      this.#stopDozing(peer);
      peer.isNoopSent = true;
      peer.wake();
      if (--left === 0) return;
    }
  }

  #stopDozing(peer: Peer): void {
    if (!peer.isSleeping || peer.isNoopSent) return;
    for (const ability of peer.abilities) ability.target.dozing.delete(peer);
  }

  /** Which of the worker's functions has a job to run now; husks in front are cleared away. */
  #indexOfReady(peer: Peer): number {
    if (this.#onIdle !== null) return -1;
    const { abilities } = peer;
    for (let index = 0; index < abilities.length; index++) {
      const { target } = abilities[index]!;
      if (target.waitingTotal > 0 && this.#firstWanted(target) !== null) return index;
    }
    return -1;
  }

  #firstWanted(target: JobFunction): Job | null {
    if (target.hasScheduled) target.mature(this.#schedule.nowSeconds());
    for (let job = target.first; job !== null; job = target.first) {
      if (isWanted(job)) return job;
      target.removeFirst(job);
      this.#release(job);
    }
    return null;
  }

  #start(job: Job, ability: Ability): void {
    job.target.removeFirst(job);
    job.target.running++;
    job.holder = ability;
    ability.held.append(job);
    if (ability.timeoutMs > 0) job.stopTimer = this.#options.clock.after(ability.timeoutMs, () => this.#giveUp(job));
  }

  #remove(ability: Ability): void {
    const { peer, target } = ability;
    for (const job of ability.held.backwards()) this.#giveUp(job);
    peer.abilities.splice(peer.abilities.indexOf(ability), 1);
    target.workers--;
    if (!peer.abilities.some((other) => other.target === target)) target.dozing.delete(peer);
  }

  /** A run ends without a result: the job waits again, or is dropped when it was given up too often. */
  #giveUp(job: Job): void {
    job.retries++;
    if (job.retries === this.#options.jobRetries) {
      for (const client of job.clients) client.fail(job);
      this.#release(job);
      this.#options.onDrop(job);
      return;
    }
    endRun(job);
    job.numerator = 0;
    job.denominator = 0;
    if (job.isCancelled) job.target.shared.delete(job);
    this.#enqueue(job);
    this.#noteIdle();
  }

  #release(job: Job): void {
    endRun(job);
    this.#ledger?.forget(job);
    this.#memoryBytes -= job.memoryBytes;
    job.target.total--;
    for (const client of job.clients) client.watched.delete(job);
    job.clients = [];
    job.target.shared.delete(job);
    this.jobs.delete(job.number);
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (this.#onIdle === null) return;
    for (const target of this.functions.values()) if (target.running > 0) return;
    this.#onIdle();
  }
}

function endRun(job: Job): void {
  job.stopTimer?.();
  job.stopTimer = null;
  if (job.holder === null) return;
  job.holder.held.remove(job);
  job.holder = null;
  job.target.running--;
}

function hasName({ name }: JobFunction, wanted: Buffer): boolean {
  if (name.length !== wanted.length) return false;
  for (let index = 0; index < name.length; index++) if (name[index] !== wanted[index]) return false;
  return true;
}
