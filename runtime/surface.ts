/** The scripting surface of one interpreter: all rows of its modules, found by name the way scripts write them. */

import { nameKey } from "../grammar/ast.ts";
import type { AnyModule, ConstantRow, FunctionRow, PropertyRow } from "./host.ts";

/** A function or property row and the module it belongs to. */
export interface SurfaceRow {
  /** Index of the module in the list the interpreter was made with. */
  readonly module: number;
  /** `GEARMAN.SUBMIT$` or `LEFT$`, with the spelling of the table: names the row in compiled programs. */
  readonly id: string;
  readonly row: FunctionRow<unknown> | PropertyRow<unknown>;
}

/** One named module and its members by upper-case name. */
export interface SurfaceModule {
  readonly index: number;
  readonly name: string;
  readonly members: ReadonlyMap<string, SurfaceRow>;
}

/** Everything scripts can name that is not their own. */
export class Surface {
  readonly modules: readonly AnyModule[];
  /** Plain functions: `LEFT$`. */
  readonly builtins = new Map<string, SurfaceRow>();
  /** Modules by upper-case name: `GEARMAN`. */
  readonly named = new Map<string, SurfaceModule>();
  /** Plain constants: `GEARMAN_OK%`. */
  readonly constants = new Map<string, ConstantRow>();
  readonly #byId = new Map<string, SurfaceRow>();

  constructor(modules: readonly AnyModule[]) {
    this.modules = modules;
    for (const [index, module] of modules.entries()) this.#add(module, index);
  }

  /** The row with an id of `SurfaceRow.id`, or undefined. */
  byId(id: string): SurfaceRow | undefined {
    return this.#byId.get(id);
  }

  /** Changes when anything changes that compiled programs depend on: names, parameters and flags of rows, constants. */
  get fingerprint(): string {
    const rows = [...this.#byId].map(([id, { row }]) => [id, row]);
    return JSON.stringify([rows, [...this.constants], this.modules.map((module) => module.name)], (key, value) =>
      key === "doc" || typeof value === "function" ? undefined : value,
    );
  }

  #add(module: AnyModule, index: number): void {
    const isPlain = module.name === "";
    const members = isPlain ? this.builtins : new Map<string, SurfaceRow>();
    for (const row of module.rows) {
      if (row.kind === "constant") {
        this.constants.set(nameKey(row.name), row);
        continue;
      }
      const meant = row.kind === "alias" ? module.rows.find((other) => other.name === row.of) : row;
      if (meant?.kind !== "function" && meant?.kind !== "property") {
        throw new Error(`module ${module.name}: ${row.name} stands for a row that is not there`);
      }
      const id = `${isPlain ? "" : `${module.name}.`}${meant.name}`;
      const bound: SurfaceRow = { module: index, id, row: meant };
      members.set(nameKey(row.name), bound);
      this.#byId.set(id, bound);
    }
    if (!isPlain) this.named.set(nameKey(module.name), { index, name: module.name, members });
  }
}

/** `NAME expects N arguments`, when `given` does not fit; else undefined. */
export function wrongCount({ id, row }: SurfaceRow, given: number): string | undefined {
  const params = row.kind === "function" ? Object.values(row.params) : [];
  const restParam = params.find((param) => param.rest);
  const least = params.filter((param) => !param.optional && !param.rest).length + (restParam?.least ?? 0);
  if (restParam) return given >= least ? undefined : `${id} expects at least ${least} argument${least === 1 ? "" : "s"}`;
  const most = params.length;
  if (given >= least && given <= most) return undefined;
  const word = most === 1 ? "argument" : "arguments";
  if (least === most) return `${id} expects ${most} ${word}`;
  return `${id} expects ${least}${most === least + 1 ? " or " : " to "}${most} ${word}`;
}
