/** The short way for background jobs of a set: no promise and no timer for each, only a place in the connection's line of replies. */
import type { Deadline, Expiring } from "../net/deadline.ts";
import { refusal, tooLate } from "./call.ts";
import type { Connection, Request } from "./connection.ts";
import type { GearmanError } from "./errors.ts";
import type { JobContent, JobPacket, JobReceipt } from "./job.ts";
import type { PooledServer } from "./pool.ts";

/** The set that a task belongs to; but for `accepted` it hears of each task exactly once. */
export interface TaskOwner<R> {
  /** A task reached its server, whether someone still waits for it or not. */
  accepted(): void;
  succeeded(task: Task<R>, receipt: JobReceipt): void;
  failed(task: Task<R>, error: GearmanError): void;
  /** The connection is gone, after the task's bytes were written or before. */
  lost(task: Task<R>, reason: GearmanError, wasWritten: boolean): void;
}

/** When the tasks of a batch run out of time. */
export type TaskBounds = Pick<JobContent, "deadlines" | "timeoutMs">;

/** Background jobs that were sent together and run out of time together. */
export class TaskBatch implements Expiring {
  readonly tasks: Task<unknown>[] = [];
  readonly #bounds: TaskBounds;
  readonly #all: Set<TaskBatch>;
  readonly #deadline: Deadline | null;
  #settled = 0;

  constructor(bounds: TaskBounds, all: Set<TaskBatch>) {
    this.#bounds = bounds;
    this.#all = all;
    this.#deadline = bounds.deadlines.add(this, bounds.timeoutMs);
  }

  get timeLeftMs(): number {
    const { deadlines, timeoutMs } = this.#bounds;
    return this.#deadline === null ? timeoutMs : Math.max(1, Math.ceil(deadlines.leftMs(this.#deadline)));
  }

  /** One of its tasks is settled. */
  note(): void {
    if (++this.#settled < this.tasks.length) return;
    this.#all.delete(this);
    this.#bounds.deadlines.remove(this.#deadline);
  }

  expire(): void {
    this.fail((name) => tooLate(name, this.#bounds.timeoutMs), true);
  }

  /** Fails the tasks that are not settled. */
  fail(error: (name: string) => GearmanError, isOverdue = false): void {
    for (const task of this.tasks) if (!task.isSettled) task.giveUp(error(task.packet.name), isOverdue);
  }
}

/** One background job on the short way. */
export class Task<R> implements Request {
  readonly expects = "JOB_CREATED";
  readonly owner: TaskOwner<R>;
  readonly batch: TaskBatch;
  readonly index: number;
  readonly request: R;
  readonly packet: JobPacket;
  readonly servers: readonly PooledServer[];
  isSettled = false;
  sentInBatch = 0;
  readsWhenSent = 0;
  #connection: Connection | null = null;

  constructor(
    owner: TaskOwner<R>,
    batch: TaskBatch,
    index: number,
    request: R,
    packet: JobPacket,
    servers: readonly PooledServer[],
  ) {
    this.owner = owner;
    this.batch = batch;
    this.index = index;
    this.request = request;
    this.packet = packet;
    this.servers = servers;
  }

  sent(connection: Connection): void {
    this.#connection = connection;
  }

  answered(): void {}

  accepted(handle: string, connection: Connection): void {
    this.owner.accepted();
    if (this.isSettled) return;
    this.#settle();
    this.owner.succeeded(this, { handle, server: connection.server });
  }

  refused(code: string, text: string): void {
    if (this.isSettled) return;
    this.#settle();
    this.owner.failed(this, refusal(this.#connection, this.packet.name, code, text));
  }

  lost(reason: GearmanError, wasWritten: boolean): void {
    if (this.isSettled) return;
    this.#settle();
    this.owner.lost(this, reason, wasWritten);
  }

  /** Nobody waits any more, though the reply may still come. */
  giveUp(error: GearmanError, isOverdue = false): void {
    this.#settle();
    this.owner.failed(this, error);
    this.#connection?.abandoned(this, isOverdue);
  }

  #settle(): void {
    this.isSettled = true;
    this.batch.note();
  }
}
