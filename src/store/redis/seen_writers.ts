/**
 * Recognizes entries that were written more than once.
 *
 * @module
 */

/**
 * A run that wrote nothing for this time is forgotten, in ms of Redis' clock:
 * after a longer failure of Redis, a repeat would be applied.
 */
const FORGET_AFTER_MS = 24 * 3600_000;
/** Runs that are remembered at most: those that wrote last. */
const MAX_RUNS = 4096;

/** What is remembered of a run: for checkpoints. */
export type SeenWriter = readonly [run: string, sequence: number, time: number];

/**
 * The highest sequence number of each run in a journal. A writer repeats its
 * entries in their order, so an entry whose number is not higher is a repeat.
 *
 * What it remembers depends only on the entries before: all servers recognize
 * the same repeats, also those that start from a checkpoint.
 */
export class SeenWriters {
  /** By run, those that wrote last at the end. */
  readonly #seen = new Map<string, { sequence: number; time: number }>();

  /** @param seen what {@linkcode SeenWriters.list} returned */
  constructor(seen: Iterable<SeenWriter> = []) {
    for (const [run, sequence, time] of seen) {
      this.#seen.set(run, { sequence, time });
    }
  }

  /**
   * Notes an entry.
   *
   * @param run who wrote it
   * @param sequence its number, from 1
   * @param time that of its id, ms since 1970
   * @returns how many entries of the run are missing before it; undefined if it
   * is a repeat
   */
  note(run: string, sequence: number, time: number): number | undefined {
    this.#forget(time);
    const known = this.#seen.get(run);
    if (known !== undefined && sequence <= known.sequence) return undefined;
    this.#seen.delete(run);
    this.#seen.set(run, { sequence, time });
    if (this.#seen.size > MAX_RUNS) this.#deleteFirst();
    return known === undefined ? 0 : sequence - known.sequence - 1;
  }

  /** Returns all that is remembered, in the order of the last entries. */
  list(): SeenWriter[] {
    return Array.from(
      this.#seen,
      ([run, { sequence, time }]) => [run, sequence, time],
    );
  }

  #forget(now: number): void {
    for (const { time } of this.#seen.values()) {
      if (now - time <= FORGET_AFTER_MS) return;
      this.#deleteFirst();
    }
  }

  #deleteFirst(): void {
    for (const run of this.#seen.keys()) {
      this.#seen.delete(run);
      return;
    }
  }
}
