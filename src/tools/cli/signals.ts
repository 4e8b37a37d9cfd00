/** Ctrl-C, SIGTERM and SIGHUP while a worker runs: the first asks for a graceful end, the second ends the process at once. */
import { monotonicMs } from "../../../runtime/engine/clock.ts";

/** Exit codes that tell a shell which signal ended a program. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/** Signals closer together than this are one: nobody presses a key twice that fast. */
const ONE_SIGNAL_MS = 50;
type StopSignal = keyof typeof SIGNAL_CODES;

/**
 * Modes: *off*, where Node ends the process by itself; *armed*, from `arm()` on, where the first signal calls
 * `onFirst`; *stopping*, after it, where the next signal exits. `disarm()` leads back from armed to off.
 */
export class StopSignals {
  readonly #onFirst: (signal: StopSignal) => void;
  readonly #exit: (code: number) => void;
  readonly #now: () => number;
  #received: StopSignal | undefined;
  #receivedAt = 0;
  #isArmed = false;
  readonly #handle = (signal: NodeJS.Signals): void => this.#take(signal as StopSignal);

  /** @param onFirst starts the graceful end */
  constructor(
    onFirst: (signal: StopSignal) => void,
    exit: (code: number) => void = (code) => process.exit(code),
    now: () => number = () => monotonicMs(),
  ) {
    this.#onFirst = onFirst;
    this.#exit = exit;
    this.#now = now;
  }

  /** 130, 143 or 129 when a signal asked for the end, else undefined. */
  get exitCode(): number | undefined {
    return this.#received && SIGNAL_CODES[this.#received];
  }

  arm(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    for (const signal of Object.keys(SIGNAL_CODES) as StopSignal[]) process.on(signal, this.#handle);
  }

  /** Gives the signals back to Node, except while stopping: then the second one still has to be immediate and coded. */
  disarm(): void {
    if (this.#isArmed && !this.#received) this.#release();
  }

  /** Gives the signals back in every mode. */
  close(): void {
    this.#release();
  }

  #release(): void {
    this.#isArmed = false;
    for (const signal of Object.keys(SIGNAL_CODES)) process.off(signal, this.#handle);
  }

  #take(signal: StopSignal): void {
    if (this.#received) {
      // A terminal that closes after another signal is no wish to hurry; shells and systemd send this one on their own.
      if (signal === "SIGHUP") return;
      // A terminal sends Ctrl-C to the whole group, and the process in front passes it on: that is one signal.
      if (this.#now() - this.#receivedAt > ONE_SIGNAL_MS) this.#exit(SIGNAL_CODES[signal]);
    } else {
      this.#received = signal;
      this.#receivedAt = this.#now();
      this.#onFirst(signal);
    }
  }
}
