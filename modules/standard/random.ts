/** The numbers of RND: a generator of its own for each interpreter, so that equal seeds give equal sequences. */

/** xoshiro128** with 53 bits a number. */
export class RandomNumbers {
  readonly #words = new Uint32Array(4);
  readonly #randomSeed: () => number;
  #isSeeded = false;
  #previous: number | undefined;

  /** @param randomSeed asked once, at the first number, when nobody seeded */
  constructor(randomSeed: () => number) {
    this.#randomSeed = randomSeed;
  }

  /** Starts the sequence of a seed; any number will do, without one it is a random sequence. */
  seed(seed: number = this.#randomSeed()): void {
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, seed === 0 ? 0 : seed);
    let state = (bits.getUint32(0) ^ Math.imul(bits.getUint32(4), 0x9e3779b9)) >>> 0;
    for (let i = 0; i < 4; i++) {
      // splitmix32: spreads seeds that differ in one bit over all four words, never all zero.
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      this.#words[i] = mixed ^ (mixed >>> 15) ^ (i === 3 ? bits.getUint32(4) : 0);
    }
    if (this.#words.every((word) => word === 0)) this.#words[0] = 1;
    this.#isSeeded = true;
    this.#previous = undefined;
  }

  /** The next number in [0, 1). */
  next(): number {
    if (!this.#isSeeded) this.seed();
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    this.#previous = (high * 0x4000000 + low) / 0x20000000000000;
    return this.#previous;
  }

  /** The number given last. */
  previous(): number {
    return this.#previous ?? this.next();
  }

  #word(): number {
    const words = this.#words;
    const a = words[0]!;
    const b = words[1]!;
    const third = words[2]! ^ a;
    const fourth = words[3]! ^ b;
    const scrambled = Math.imul(b, 5);
    const result = Math.imul((scrambled << 7) | (scrambled >>> 25), 9);
    words[0] = a ^ fourth;
    words[1] = b ^ third;
    words[2] = third ^ (b << 9);
    words[3] = (fourth << 11) | (fourth >>> 21);
    return result >>> 0;
  }
}
