/** Numeric built-ins, RND with its own generator included (language.md §12). */
import { optional, required, rest, type TaskContext } from "../../runtime/host.ts";
import { toInteger, toNumber, type Value } from "../../runtime/values.ts";
import { elementsOf } from "./building.ts";
import { round } from "./decimal.ts";
import { fail, fn } from "./state.ts";

const X = required("number", "The number.");
const RADIANS = required("number", "An angle in radians.");

const roundingRows = [
  fn({
    name: "INT",
    doc: "The greatest whole number that is not greater: INT(-2.1) is -3.",
    params: { x: X },
    yields: true,
    run: (_, { x }) => Math.floor(x) + 0,
  }),
  fn({
    name: "FIX",
    doc: "The number without its fraction: FIX(-2.7) is -2.",
    params: { x: X },
    yields: true,
    run: (_, { x }) => Math.trunc(x) + 0,
  }),
  fn({
    name: "ROUND",
    doc: "The number rounded half away from zero, as people read it: ROUND(1.005, 2) is 1.01.",
    params: { x: X, places: optional("integer", "Places behind the point, 0 unless given; -2 rounds to hundreds.") },
    yields: true,
    run: (_, { x, places }) => round(x, places),
  }),
  fn({ name: "ABS", doc: "The number without its sign.", params: { x: X }, yields: true, run: (_, { x }) => Math.abs(x) }),
  fn({ name: "SGN", doc: "-1, 0 or 1.", params: { x: X }, yields: true, run: (_, { x }) => Math.sign(x) + 0 }),
  fn({
    name: "HEX$",
    doc: "The whole part of a number in upper-case hexadecimal digits, with `-` before negative ones.",
    params: { x: X },
    yields: true,
    run: (_, { x }) => toInteger(x).toString(16).toUpperCase(),
  }),
];

const mathRows = [
  fn({
    name: "SQR",
    doc: "The square root.",
    params: { x: required("number", "0 or more.") },
    yields: true,
    run(_, { x }) {
      if (x < 0) throw fail("ARGUMENT_ERROR", "SQR of a negative number");
      return Math.sqrt(x);
    },
  }),
  fn({ name: "SIN", doc: "The sine.", params: { x: RADIANS }, yields: true, run: (_, { x }) => Math.sin(x) }),
  fn({ name: "COS", doc: "The cosine.", params: { x: RADIANS }, yields: true, run: (_, { x }) => Math.cos(x) }),
  fn({ name: "TAN", doc: "The tangent.", params: { x: RADIANS }, yields: true, run: (_, { x }) => Math.tan(x) }),
  fn({
    name: "ATN",
    doc: "The angle in radians with a tangent: 4 * ATN(1) is pi.",
    params: { x: X },
    yields: true,
    run: (_, { x }) => Math.atan(x),
  }),
  fn({ name: "EXP", doc: "e to the power of a number.", params: { x: X }, yields: true, run: (_, { x }) => Math.exp(x) }),
  fn({
    name: "LOG",
    doc: "The natural logarithm.",
    params: { x: required("number", "More than 0.") },
    yields: true,
    run(_, { x }) {
      if (x <= 0) throw fail("ARGUMENT_ERROR", "LOG of a number that is not positive");
      return Math.log(x);
    },
  }),
];

/** MIN and MAX: over the arguments, or over the elements of the only one. */
function extreme(task: TaskContext, builtin: string, values: Value[], choose: (a: number, b: number) => number): number {
  const elements = (values.length === 1 ? elementsOf(values[0]!) : undefined) ?? values;
  if (elements.length === 0) throw fail("ARGUMENT_ERROR", `${builtin} of an empty list`);
  task.spend(elements.length);
  let best = toNumber(elements[0]!);
  for (let i = 1; i < elements.length; i++) best = choose(best, toNumber(elements[i]!));
  return best;
}

const NUMBERS = rest("any", "Numbers, or one list or array of them.", 1);

const extremeRows = [
  fn({
    name: "MIN",
    doc: "The smallest of some numbers, or of a list or array.",
    params: { numbers: NUMBERS },
    yields: true,
    run: (_, { numbers }, task) => extreme(task, "MIN", numbers, Math.min),
  }),
  fn({
    name: "MAX",
    doc: "The greatest of some numbers, or of a list or array.",
    params: { numbers: NUMBERS },
    yields: true,
    run: (_, { numbers }, task) => extreme(task, "MAX", numbers, Math.max),
  }),
];

const randomRows = [
  fn({
    name: "RND",
    doc: "A random number from 0 up to but not 1. RND(0) gives the previous one again, RND(-n) reseeds first.",
    params: { n: optional("number", "0: the previous number. Negative: the seed of a new sequence.") },
    yields: true,
    niladic: true,
    run({ random }, { n = 1 }) {
      if (n === 0) return random.previous();
      if (n < 0) random.seed(n);
      return random.next();
    },
  }),
  fn({
    name: "RANDOMIZE",
    doc: "Starts the sequence of a seed for RND: equal seeds give equal sequences. Gives 0.",
    params: { seed: optional("number", "Any number; a different sequence each time when left out.") },
    yields: true,
    run({ random }, { seed }) {
      random.seed(seed);
      return 0;
    },
  }),
];

export const numberRows = [...roundingRows, ...mathRows, ...extremeRows, ...randomRows] as const;
