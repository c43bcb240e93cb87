/**
 * The readings of one layer in a group, and which message contained them.
 *
 * @module
 */
import { ReadingBatch, Refusals } from "../protocol/mod.ts";

const FIRST_CAPACITY_MESSAGES = 64;

/** The readings of a message that the map or a limit dropped. */
export interface Dropped {
  /** The topic of the message. */
  readonly topic: string;
  readonly refusals: Refusals;
}

/** A dropped reading of a message. */
export interface DroppedReading {
  /** Of its message. */
  readonly refusals: Refusals;
  /** The index of the first reading of its message. */
  readonly start: number;
}

/**
 * Readings in columns. Of each message only the index of its first reading is
 * kept, and its topic if it differs from that of the message before.
 */
export class LayerReadings {
  readonly batch = new ReadingBatch();
  /** The index of the first reading of each message with readings. */
  #starts = new Uint32Array(FIRST_CAPACITY_MESSAGES);
  #count = 0;
  /** The topics, each with the number of its first message. */
  readonly #topics: string[] = [];
  readonly #firsts: number[] = [];
  /** By number of the message. */
  readonly #dropped = new Map<number, Dropped>();

  /**
   * Adds a message whose readings were added to the batch.
   *
   * @param topic its topic
   * @param start the index of its first reading
   */
  addMessage(topic: string, start: number): void {
    const number = this.#count++;
    if (number === this.#starts.length) this.#grow();
    this.#starts[number] = start;
    if (this.#topics.at(-1) === topic) return;
    this.#topics.push(topic);
    this.#firsts.push(number);
  }

  /** The index of the first reading of each message; to be updated in place. */
  get starts(): Uint32Array {
    return this.#starts.subarray(0, this.#count);
  }

  /**
   * Returns where to add the refusal of a reading.
   *
   * @param index the index of the reading
   * @param onFirst called for the first one of its message
   */
  drop(index: number, onFirst: (dropped: Dropped) => void): DroppedReading {
    const number = lastAtMost(this.#starts, this.#count, index);
    const start = this.#starts[number]!;
    const before = this.#dropped.get(number);
    if (before !== undefined) return { refusals: before.refusals, start };
    const { length } = this.#firsts;
    const topic = this.#topics[lastAtMost(this.#firsts, length, number)]!;
    const refusals = new Refusals();
    const dropped = { topic, refusals };
    this.#dropped.set(number, dropped);
    onFirst(dropped);
    return { refusals, start };
  }

  /** Removes all readings and messages, and keeps the memory. */
  clear(): void {
    this.batch.clear();
    this.#count = 0;
    this.#topics.length = 0;
    this.#firsts.length = 0;
    this.#dropped.clear();
  }

  #grow(): void {
    const starts = new Uint32Array(2 * this.#starts.length);
    starts.set(this.#starts);
    this.#starts = starts;
  }
}

/** Returns the index of the last of some ascending numbers up to `value`. */
function lastAtMost(
  numbers: ArrayLike<number>,
  length: number,
  value: number,
): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (numbers[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
