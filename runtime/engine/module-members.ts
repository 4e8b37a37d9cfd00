/** Members of modules that are only known when the program runs: `g = GEARMAN : PRINT g.ERRCODE%`, `WITH GEARMAN`. */
import { nameKey } from "../../grammar/ast.ts";
import { decodeBytes } from "../bytes.ts";
import { BasilError } from "../errors.ts";
import type { SurfaceRow } from "../surface.ts";
import type { Value } from "../values.ts";
import type { ArgumentChecks } from "./argument-helpers.ts";
import { type RowCall, throwingErrors, unknownMember } from "./failures.ts";
import type { EngineServices } from "./services.ts";

export class ModuleMembers {
  readonly #engine: EngineServices;
  readonly #checks: ArgumentChecks;

  constructor(engine: EngineServices, checks: ArgumentChecks) {
    this.#engine = engine;
    this.#checks = checks;
  }

  /** The row a member access means; undefined when the value is no module. */
  find(target: Value, name: string): SurfaceRow | undefined {
    const at = (this.#engine.moduleObjects as readonly Value[]).indexOf(target);
    if (at < 0) return undefined;
    const module = this.#engine.surface.named.get(nameKey(this.#engine.moduleObjects[at]!.displayName))!;
    return module.members.get(nameKey(name)) ?? unknownMember(module.name, name, "");
  }

  /** A property's value, or what a function gives that is called without arguments and does not wait. */
  read(found: SurfaceRow): Value {
    const { row } = found;
    if (row.kind === "property") return this.#value(this.#run(found, row.get as RowCall));
    if (row.waits) throw new BasilError("TYPE_ERROR", `${found.id} waits: call it with parentheses`);
    return this.#value(this.call(found, []));
  }

  /** What a row gives: a value, or a promise when it waits. */
  call(found: SurfaceRow, values: readonly Value[]): unknown {
    if (found.row.kind === "property") return this.read(found);
    const args = this.#checks.all(found, values);
    return this.#run(found, found.row.run as RowCall, args);
  }

  #run(found: SurfaceRow, call: RowCall, ...args: unknown[]): unknown {
    return throwingErrors(call)(this.#engine.states[found.module], ...args, this.#engine.state.task);
  }

  /** What a row gave, as a BASIC value. */
  #value(given: unknown): Value {
    return Buffer.isBuffer(given) ? decodeBytes(given) : ((given ?? null) as Value);
  }
}
