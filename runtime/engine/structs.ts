/** TYPE: structs with fixed fields, their coercions, and their packed form (language.md 6.5). */
import { decodeBytes, encodeText } from "../bytes.ts";
import { BasilError } from "../errors.ts";
import { Dict, toInteger, type Value } from "../values.ts";
import { fixedStore } from "./collections.ts";
import { elementNumber } from "./operators.ts";

/** One field as generated code declares it: its name, what it holds, and the length or TYPE that needs. */
export type FieldDeclaration = readonly [
  name: string,
  kind: "number" | "integer" | "string" | "any" | "fixed" | "struct",
  detail?: number | string,
];

interface Field {
  readonly name: string;
  readonly kind: FieldDeclaration[1];
  /** UTF-8 bytes of a fixed string. */
  readonly bytes: number;
  readonly type: StructType | null;
}

/** Structs nested deeper than this contain themselves. */
const MAX_NESTING = 64;

/** A TYPE of the program. Fields are worked out at the first use, when all TYPEs are known. */
export class StructType {
  readonly name: string;
  readonly #declare: () => readonly FieldDeclaration[];
  readonly #find: (name: string) => StructType;
  #fields: readonly Field[] | undefined;

  constructor(name: string, declare: () => readonly FieldDeclaration[], find: (name: string) => StructType) {
    this.name = name;
    this.#declare = declare;
    this.#find = find;
  }

  get fields(): readonly Field[] {
    this.#fields ??= this.#declare().map(([name, kind, detail]) => ({
      name,
      kind,
      bytes: kind === "fixed" ? Number(detail) : 0,
      type: kind === "struct" ? this.#find(String(detail)) : null,
    }));
    return this.#fields;
  }

  field(name: string): Field | undefined {
    const folded = name.toUpperCase();
    return this.fields.find((field) => field.name.toUpperCase() === folded);
  }

  /** A new instance with every field at its default. */
  create(depth = 0): Struct {
    if (depth > MAX_NESTING) throw new BasilError("STACK_ERROR", `TYPE ${this.name} contains itself`);
    return new Struct(
      this,
      this.fields.map((field) => [field.name, initial(field, depth)] as const),
    );
  }

  /** Packed size in bytes: 4 per `%`, 8 per other number, N per fixed string, 8 for others, nested ones summed. */
  get size(): number {
    return this.fields.reduce((sum, field) => sum + fieldSize(field), 0);
  }

  get isPackable(): boolean {
    return this.fields.every((field) => ["number", "integer", "fixed"].includes(field.kind) || field.type?.isPackable === true);
  }
}

function initial(field: Field, depth: number): Value {
  if (field.kind === "struct") return field.type!.create(depth + 1);
  if (field.kind === "number" || field.kind === "integer") return 0;
  return field.kind === "any" ? null : "";
}

const fieldSize = (field: Field): number =>
  field.kind === "integer" ? 4 : field.kind === "fixed" ? field.bytes : (field.type?.size ?? 8);

/** An instance of a TYPE: a dictionary that keeps its keys and coerces what is stored. */
export class Struct extends Dict {
  readonly type: StructType;

  constructor(type: StructType, entries: readonly (readonly [string, Value])[]) {
    super(entries);
    this.type = type;
  }

  override set(key: string, value: Value): void {
    const field = this.type.field(key);
    if (!field) throw new BasilError("KEY_ERROR", `${this.type.name} has no field ${key}`);
    this.map.set(field.name, coerced(field, value));
  }

  override remove(key: string): boolean {
    if (!this.map.has(key)) return false;
    throw new BasilError("KEY_ERROR", `${this.type.name} keeps its fields: ${key} cannot be removed`);
  }
}

function coerced(field: Field, value: Value): Value {
  switch (field.kind) {
    case "integer":
      return toInteger(value);
    case "number":
      return typeof value === "object" ? value : typeof value === "string" ? value : elementNumber(value);
    case "fixed":
      return fixedStore(value, field.bytes);
    default:
      return value;
  }
}

/** The little-endian bytes of a struct of numbers and fixed strings, as a string. */
export function pack(struct: Struct): string {
  return decodeBytes(packedBytes(struct));
}

function packedBytes(struct: Struct): Buffer {
  const parts = struct.type.fields.map((field) => {
    const value = struct.map.get(field.name)!;
    if (value instanceof Struct) return packedBytes(value);
    const bytes = Buffer.alloc(fieldSize(field));
    if (field.kind === "integer") bytes.writeInt32LE(Number(value) | 0);
    else if (field.kind === "number") bytes.writeDoubleLE(Number(value));
    else encodeText(fixedStore(value, field.bytes) as string).copy(bytes);
    return bytes;
  });
  return Buffer.concat(parts);
}

/** Fills a struct from its packed bytes. */
export function unpack(struct: Struct, text: string): void {
  const bytes = encodeText(text);
  const { size } = struct.type;
  if (bytes.length !== size) throw new BasilError("ARGUMENT_ERROR", `Unpack: expected ${size} bytes, got ${bytes.length}.`);
  let at = 0;
  for (const field of struct.type.fields) {
    const part = bytes.subarray(at, at + fieldSize(field));
    at += part.length;
    const held = struct.map.get(field.name)!;
    if (held instanceof Struct) unpack(held, decodeBytes(part));
    else if (field.kind === "integer") struct.map.set(field.name, part.readInt32LE());
    else if (field.kind === "number") struct.map.set(field.name, part.readDoubleLE());
    else struct.map.set(field.name, decodeBytes(part));
  }
}

/** What `LET s$ = rec` stores: the packed form where there is one. */
export const packIfStruct = (value: Value): Value => (value instanceof Struct && value.type.isPackable ? pack(value) : value);

/** What `LET rec = v` stores: a string is unpacked into the struct that is there. */
export function storeStruct(current: Value, value: Value): Value {
  if (!(current instanceof Struct) || typeof value !== "string") return value;
  unpack(current, value);
  return current;
}

/** Packed size of a struct, undefined for anything else. */
export const structSize = (value: Value): number | undefined => (value instanceof Struct ? value.type.size : undefined);

/** Length of a fixed-string field, 0 for anything else. */
export function fixedFieldBytes(target: Value, name: string): number {
  return target instanceof Struct ? (target.type.field(name)?.bytes ?? 0) : 0;
}
