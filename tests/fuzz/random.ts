/**
 * Random choices of one case: the same seed and number give the same case.
 *
 * @module
 */
import { randomIntegers } from "../support/random.ts";

/** Random choices. */
export class Random {
  readonly #below: (below: number) => number;

  /**
   * @param seed of the run
   * @param index the number of the case
   */
  constructor(seed: number, index: number) {
    // Neighbouring numbers must not give similar sequences.
    this.#below = randomIntegers(
      Math.imul(seed ^ Math.imul(index + 1, 0x9e3779b1), 0x85ebca6b),
    );
    for (let i = 0; i < 4; i++) this.#below(2);
  }

  /** Returns an integer from 0 to `count` - 1. */
  below(count: number): number {
    return this.#below(count);
  }

  /** Returns true once in `count` times. */
  once(count: number): boolean {
    return this.#below(count) === 0;
  }

  /** Returns one of the values. */
  of<T>(values: readonly T[]): T {
    return values[this.#below(values.length)]!;
  }

  /** Returns random bytes. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.#below(256));
  }

  /** Returns a length: mostly short, sometimes about `max`. */
  length(max: number): number {
    return this.#below(1 + this.#below(1 + this.of([4, 40, 400, max])));
  }
}

/**
 * Changes bytes at random: replaces, inserts, deletes, repeats or cuts off.
 */
export function mutate(random: Random, bytes: Uint8Array): Uint8Array {
  let changed = bytes;
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(changed.length + 1);
    const end = Math.min(changed.length, at + random.length(200));
    const [before, middle, after] = [
      changed.subarray(0, at),
      changed.subarray(at, end),
      changed.subarray(end),
    ];
    changed = join(
      ...random.of([
        () => [before, random.bytes(1), changed.subarray(at + 1)],
        () => [before, random.of(INSERTIONS), middle, after],
        () => [before, random.bytes(random.length(30)), middle, after],
        () => [before, after],
        () => [before, middle, middle, after],
        () => [before],
      ])(),
    );
  }
  return changed;
}

/** Bytes with a meaning in HTTP, JSON, CSV or UTF-8. */
const INSERTIONS = [
  ...["\0", "\r", "\n", "\r\n", "\r\n\r\n", "\xff", "\xc3", ":", " ", "%", ","],
  ...[
    "0",
    "-",
    "9".repeat(20),
    '"',
    "{",
    "[",
    "}",
    "é",
    "\x7f",
    "\t",
    ";",
    "=",
  ],
].map((text) => latin1(text));

/** Returns the characters up to U+00FF as bytes. */
export function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** Joins pieces. */
export function join(...pieces: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(
    pieces.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Splits bytes into up to four pieces. */
export function split(random: Random, bytes: Uint8Array): Uint8Array[] {
  const cuts = Array.from(
    { length: random.of([0, 0, 1, 3]) },
    () => random.below(bytes.length + 1),
  ).sort((a, b) => a - b);
  return [0, ...cuts].map((cut, i) => bytes.subarray(cut, cuts[i]))
    .filter(({ length }) => length > 0);
}
