/** Environment variables of one program: its own copy, so that nothing it sets leaks into the process around it. */
import type { EnvironmentHost } from "../../../runtime/capabilities.ts";

export class NodeEnvironment implements EnvironmentHost {
  /** What SETENV set for this program alone. */
  readonly #own = new Map<string, string>();
  readonly #exported: Map<string, string>;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#exported = new Map(
      Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
  }

  get(name: string): string | undefined {
    return this.#own.get(name) ?? this.#exported.get(name);
  }

  set(name: string, value: string, isExported: boolean): void {
    if (isExported) {
      this.#own.delete(name);
      this.#exported.set(name, value);
    } else this.#own.set(name, value);
  }

  /** What programs started by this one see. */
  forChildren(): NodeJS.ProcessEnv {
    return Object.fromEntries(this.#exported);
  }
}
