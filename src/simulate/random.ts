/**
 * Numbers by chance that are the same for the same seed, on every machine: only
 * 32-bit integers and IEEE 754 arithmetic. Not for secrets.
 *
 * The generator is sfc32 ("small fast counter", Chris Doty-Humphrey, PractRand).
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /**
   * @param seed int32
   * @param stream Which of the sequences of this seed: two or more int32, such as
   * the number of a desk and of a day, so that each has chances of its own
   */
  constructor(seed: number, ...stream: readonly number[]) {
    this.#a = 0;
    this.#b = seed | 0;
    this.#c = 0;
    for (let i = 0; i < 8; i++) this.next();
    for (const number of stream) {
      this.#a = (this.#a ^ number) | 0;
      for (let i = 0; i < 8; i++) this.next();
    }
  }

  /** A uint32. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** From 0 to 1, 1 not included. */
  unit(): number {
    return this.next() / 0x1_0000_0000;
  }

  /** A whole number from 0 to `limit` - 1. @param limit 1 to 2^31 */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** A whole number, both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True with that probability, 0 to 1. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /**
   * Around a mean, as many habits are: the sum of four even chances, which is
   * close to a bell and never further than 3.5 deviations from the mean.
   */
  around(mean: number, deviation: number): number {
    const sum = this.unit() + this.unit() + this.unit() + this.unit();
    return mean + (sum - 2) * Math.sqrt(3) * deviation;
  }
}
