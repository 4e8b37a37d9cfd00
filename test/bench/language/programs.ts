/** The programs of the language benchmark, each written once in every language that has what it needs. */

export interface BenchProgram {
  /** The name of its files in `programs/`. */
  readonly name: string;
  readonly title: string;
  /** How often the program does its work: so often that JavaScript and Basil take a second and more. Time is linear in it. */
  readonly rounds: number;
  /** Most that Basil may take of the time of JavaScript. */
  readonly ratioBar: number;
}

/** No program but the one with GOTO may take more than this of the time of JavaScript. */
const RATIO_BAR = 2.5;
const GOTO_RATIO_BAR = 4;

export const PROGRAMS: readonly BenchProgram[] = [
  { name: "fib", title: "recursive Fibonacci", rounds: 100, ratioBar: RATIO_BAR },
  { name: "sieve", title: "sieve of Eratosthenes", rounds: 120, ratioBar: RATIO_BAR },
  { name: "mandelbrot", title: "Mandelbrot set", rounds: 100, ratioBar: RATIO_BAR },
  { name: "nbody", title: "n-body simulation", rounds: 500, ratioBar: RATIO_BAR },
  { name: "matrix", title: "matrix multiplication", rounds: 60, ratioBar: RATIO_BAR },
  { name: "quicksort", title: "quicksort", rounds: 50, ratioBar: RATIO_BAR },
  { name: "strings", title: "string building", rounds: 2000, ratioBar: RATIO_BAR },
  { name: "words", title: "word count with a dictionary", rounds: 80, ratioBar: RATIO_BAR },
  { name: "states", title: "state machine with GOTO", rounds: 700, ratioBar: GOTO_RATIO_BAR },
];

/** Most that Basil may take of the time of JavaScript, as geometric mean over all programs. */
export const MEAN_RATIO_BAR = 1.5;
/** How many times as fast as Lua 5.4 Basil must be, as geometric mean over all programs. */
export const LUA_SPEED_BAR = 2;
