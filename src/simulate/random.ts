/**
 * A generator of random numbers, the same for the same seed on every machine:
 * it uses only 32-bit integers and IEEE 754 arithmetic. Not for secrets.
 *
 * The algorithm is sfc32 ("small fast counter", Chris Doty-Humphrey,
 * PractRand).
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /**
   * @param seed an int32
   * @param stream selects one of the sequences of this seed: int32 numbers,
   * such as the number of a desk and of a day
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

  /** Returns the next uint32. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** Returns a number from 0 to 1, without 1. */
  unit(): number {
    return this.next() / 0x1_0000_0000;
  }

  /**
   * Returns an integer from 0 to `limit` - 1.
   *
   * @param limit 1 to 2^31
   */
  below(limit: number): number {
    return Math.floor(this.unit() * limit);
  }

  /** Returns an integer from `min` to `max`, both included. */
  between(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /**
   * Returns true with a probability.
   *
   * @param probability 0 to 1
   */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /**
   * Returns a number of an approximately normal distribution: the sum of four
   * uniform numbers, at most 3.5 standard deviations from the mean.
   */
  normal(mean: number, deviation: number): number {
    const sum = this.unit() + this.unit() + this.unit() + this.unit();
    return mean + (sum - 2) * Math.sqrt(3) * deviation;
  }
}
