/** Brings a client's calls to its servers: at once when a connection is ready, else after connecting, with failover and retries. */
import { backoffMs } from "../net/backoff.ts";
import { pause } from "../net/deadline.ts";
import type { Call, Courier } from "./call.ts";
import { RETRY_BACKOFF } from "./config.ts";
import type { Connection } from "./connection.ts";
import { GearmanError } from "./errors.ts";
import type { GearmanHost } from "./host.ts";
import type { ClientCounters } from "./metrics.ts";
import type { PooledServer } from "./pool.ts";

/** What delivering takes. */
export interface DeliveryOptions {
  readonly host: GearmanHost;
  /** How often connecting is tried again, and a call sent again, within one call. */
  readonly retries: number;
  readonly counters: ClientCounters;
}

/** The delivery of one client. Modes: open → closed, in which calls fail with CLOSED. */
export class Delivery implements Courier {
  readonly #options: DeliveryOptions;
  readonly #pausing = new Set<AbortController>();
  #isClosed = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Starts a call's clock and sends it to the first of these servers that takes it. */
  dispatch(call: Call<unknown>, servers: readonly PooledServer[]): void {
    call.courier = this;
    call.resendsLeft = this.#options.retries;
    call.servers = servers;
    call.begin();
    this.#send(call);
  }

  /** As `dispatch`, for a call that was sent by other means and is lost. */
  adopt(call: Call<unknown>, servers: readonly PooledServer[], reason: GearmanError, wasWritten: boolean): void {
    call.courier = this;
    call.resendsLeft = this.#options.retries;
    call.servers = servers;
    call.begin();
    call.lost(reason, wasWritten);
  }

  resend(call: Call<unknown>): void {
    this.#options.counters.resent++;
    this.#send(call);
  }

  /** Ends all pauses; what is not on its way by now fails with CLOSED. */
  close(): void {
    this.#isClosed = true;
    for (const waking of this.#pausing) waking.abort();
  }

  #send(call: Call<unknown>): void {
    if (call.isSettled) return;
    const connection = call.needsOwnConnection ? null : call.servers[0]!.ready;
    if (connection !== null && !connection.isCongested) sendOrFail(call, connection);
    else void this.#deliver(call);
  }

  /** Tries the servers in turn until one takes the call; after each round it pauses, for as many rounds as retries allow. */
  async #deliver(call: Call<unknown>): Promise<void> {
    const { retries, host } = this.#options;
    const failures = new Map<string, string>();
    for (let round = 0; round <= retries; round++) {
      if (round > 0) await this.#pauseBefore(call, backoffMs(round - 1, RETRY_BACKOFF, host.random));
      for (const server of call.servers) {
        if (call.isSettled) return;
        if (this.#isClosed) return call.fail(closedError());
        const failure = await this.#tryServer(call, server);
        if (failure === null) return;
        if (this.#isClosed) return call.fail(closedError());
        if (failure.kind !== "IO") return call.fail(failure);
        call.connectFailure = failure;
        failures.set(server.name, failure.message);
      }
    }
    const tries = retries + 1;
    const text = [...failures.values()].join("; ");
    call.fail(
      new GearmanError("IO", `${text} (after ${tries} ${tries === 1 ? "try" : "tries"})`, { cause: call.connectFailure }),
    );
  }

  /** Null when the call is on its way or needs no sending any more, else the reason why this server does not take it. */
  async #tryServer(call: Call<unknown>, server: PooledServer): Promise<GearmanError | null> {
    let connection: Connection;
    try {
      connection = await (call.needsOwnConnection ? server.borrow() : server.shared());
      await connection.drained();
    } catch (error) {
      return error instanceof GearmanError ? error : new GearmanError("IO", String(error), { cause: error });
    }
    if (!connection.isUsable) return new GearmanError("IO", `${server.name} closed the connection`);
    if (call.isSettled) {
      if (call.needsOwnConnection) server.release(connection);
      return null;
    }
    if (call.needsOwnConnection) call.onSettled = () => server.release(connection);
    sendOrFail(call, connection);
    return null;
  }

  async #pauseBefore(call: Call<unknown>, ms: number): Promise<void> {
    if (call.isSettled || this.#isClosed) return;
    const waking = new AbortController();
    this.#pausing.add(waking);
    call.onSettled = () => waking.abort();
    await pause(ms, waking.signal);
    call.onSettled = null;
    this.#pausing.delete(waking);
  }
}

/** The error of calls to a client that is closed. */
export function closedError(): GearmanError {
  return new GearmanError("CLOSED", "the client is closed");
}

function sendOrFail(call: Call<unknown>, connection: Connection): void {
  try {
    call.sendOver(connection);
  } catch (error) {
    call.fail(error);
  }
}
