/** One job that `basil gearman submit` waits for: its pieces as they come, its warnings, and how it ended. */
import type { GearmanClient } from "../../../core/gearman/client.ts";
import { GearmanError } from "../../../core/gearman/errors.ts";
import type { JobEvent, JobReceipt } from "../../../core/gearman/job.ts";
import type { JobRequest } from "../../../core/gearman/requests.ts";

/** What happens to a job besides its result. */
export interface JobNotes {
  readonly onCreated?: (receipt: JobReceipt) => void;
  readonly onWarning: (text: string) => void;
  readonly onStatus?: (numerator: number, denominator: number) => void;
}

/** A job that was submitted and has to be read. */
export class SubmittedJob {
  receipt: JobReceipt | null = null;
  readonly #events: AsyncIterableIterator<JobEvent>;
  readonly #result: Promise<Buffer>;
  readonly #notes: JobNotes;
  readonly #acceptance = new AbortController();
  readonly #timer: NodeJS.Timeout;

  /**
   * Submits the job at once, on a connection that goes at the reader's pace.
   * @param acceptMs longest wait for a server to accept the job; how long it runs is bounded by the request alone
   */
  constructor(client: GearmanClient, request: JobRequest, acceptMs: number, notes: JobNotes) {
    this.#notes = notes;
    const job = client.start({
      ...request,
      signal: this.#acceptance.signal,
      onCreated: (receipt) => {
        clearTimeout(this.#timer);
        this.receipt = receipt;
        notes.onCreated?.(receipt);
      },
    });
    const refusal = new GearmanError("TIMEOUT", `no server accepted the ${request.name} job within ${acceptMs} ms`);
    this.#timer = setTimeout(() => this.#acceptance.abort(refusal), acceptMs);
    // Taken now, so that reports which come before anybody reads are kept, and slow the worker down when they are many.
    this.#events = job[Symbol.asyncIterator]();
    this.#result = job.result;
  }

  /** The data and then the result, byte for byte. Throws the GearmanError of a job that failed. */
  async *pieces(): AsyncGenerator<Buffer> {
    try {
      for await (const event of this.#events) {
        if (event.type === "data") yield event.payload;
        else if (event.type === "warning") this.#notes.onWarning(event.payload.toString());
        else this.#notes.onStatus?.(event.numerator, event.denominator);
      }
      yield await this.#result;
    } catch (error) {
      throw this.#acceptance.signal.aborted ? this.#acceptance.signal.reason : error;
    } finally {
      clearTimeout(this.#timer);
    }
  }

  /** Whether the failure says that no server could be reached, so that further jobs would fare no better. */
  isUnreachable(error: unknown): boolean {
    if (this.receipt !== null || !(error instanceof GearmanError)) return false;
    return error.kind === "IO" || error === this.#acceptance.signal.reason;
  }
}
