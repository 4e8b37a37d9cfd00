/** What the tests of the manager share: a store for each test, classes of small shell lines, and a log that jobs write. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "vitest";
import type { ManagerEvent } from "../../../src/core/obrien/events.ts";
import type { JobClass } from "../../../src/core/obrien/job-class.ts";
import { Manager, type ManagerOptions } from "../../../src/core/obrien/manager.ts";

/** A store for each test, gone after it with all managers. To be made at the top of a test file. */
export class ManagerHarness {
  directory = "";
  path = "";
  /** The file that `$LOG` names in jobs of `shell`. */
  log = "";
  readonly #managers: Manager[] = [];
  readonly #events = new WeakMap<Manager, ManagerEvent[]>();

  constructor() {
    beforeEach(() => {
      this.directory = mkdtempSync(join(tmpdir(), "obrien-manager-"));
      this.path = join(this.directory, "jobs.db");
      this.log = join(this.directory, "log");
    });
    afterEach(async () => {
      for (const manager of this.#managers.splice(0)) await manager.close().catch(() => undefined);
      rmSync(this.directory, { recursive: true, force: true });
    });
  }

  /** Opens the test's store, or another. */
  async open(options: ManagerOptions = {}): Promise<Manager> {
    const manager = await Manager.open({ path: this.path, ...options });
    this.#managers.push(manager);
    const events: ManagerEvent[] = [];
    this.#events.set(manager, events);
    manager.onEvent((event) => events.push(event));
    return manager;
  }

  /** What a manager has told so far. */
  events<T extends ManagerEvent["type"]>(manager: Manager, type: T): Extract<ManagerEvent, { type: T }>[] {
    const all = this.#events.get(manager) ?? [];
    return all.filter((event): event is Extract<ManagerEvent, { type: T }> => event.type === type);
  }

  /** A class whose jobs are a line of shell. */
  shell(name: string, line: string, more: Partial<JobClass> = {}): JobClass {
    return { name, command: { program: line, args: [], isShell: true }, environment: { LOG: this.log }, ...more };
  }

  /** The lines that jobs have appended to `$LOG`. */
  logged(): string[] {
    return existsSync(this.log) ? readFileSync(this.log, "utf8").split("\n").slice(0, -1) : [];
  }

  /** Processes that run with this test's store in their environment. */
  workers(): number[] {
    const mark = `OBRIEN_STORE=${this.path}\0`;
    return readdirSync("/proc").flatMap((name) =>
      /^\d+$/.test(name) && environmentOf(name).includes(mark) ? [Number(name)] : [],
    );
  }

  /** Resolves when no worker runs: one that was killed is listed until the system has taken it apart. Rejects after 5 s. */
  async noWorkers(): Promise<void> {
    const deadline = performance.now() + 5000;
    for (let left = this.workers(); left.length > 0; left = this.workers()) {
      if (performance.now() > deadline) throw new Error(`workers still run: ${left.join(", ")}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** Resolves with the first event that fits. */
export function nextEvent<T extends ManagerEvent["type"]>(
  manager: Manager,
  type: T,
  fits: (event: Extract<ManagerEvent, { type: T }>) => boolean = () => true,
): Promise<Extract<ManagerEvent, { type: T }>> {
  return new Promise((resolve) => {
    const stop = manager.onEvent((event) => {
      if (event.type !== type || !fits(event as Extract<ManagerEvent, { type: T }>)) return;
      stop();
      resolve(event as Extract<ManagerEvent, { type: T }>);
    });
  });
}

/** A process that has ended has none, even before it is collected. */
function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
