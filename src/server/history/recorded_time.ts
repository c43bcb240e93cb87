/**
 * At which times the history is recorded: all others are gaps.
 *
 * @module
 */
import type { Write } from "./flush.ts";
import { BEGAN, FULL_FROM, SEEN } from "./parts.ts";

/** A longer pause of the recording is a gap. */
const MIN_GAP_SECONDS = 5;

/** Notes the begin of the recording, and its gaps. */
export class RecordedTime {
  /** True while nothing is stored: the history is too large. */
  isFull = false;
  /** Since when it is too large, in seconds; 0: it is not. */
  #fullFrom: number;
  /** The last second of the run before; undefined: there was none. */
  readonly #seen: number | undefined;
  /** The time of the last replayed entry, ms since 1970. */
  #replayedTo = -Infinity;

  /** @param meta of the tables */
  constructor(meta: ReadonlyMap<string, number>) {
    this.#seen = meta.get(SEEN);
    this.#fullFrom = meta.get(FULL_FROM) ?? 0;
  }

  /** An entry of the journal is replayed. */
  replayed(now: number): void {
    this.#replayedTo = Math.max(this.#replayedTo, now);
  }

  /**
   * The recording begins.
   *
   * @param second the present one
   * @returns what is to be written
   */
  loaded(second: number): Write[] {
    this.isFull = this.#fullFrom > 0;
    if (this.#seen === undefined) {
      return [(tables) => tables.putMeta(BEGAN, second)];
    }
    const last = Math.max(this.#seen, this.#replayedTo / 1000);
    if (second - last <= MIN_GAP_SECONDS) return [];
    const gap = { from: Math.floor(last), to: second };
    return [(tables) => tables.addGap(gap)];
  }

  /**
   * The recording stops, or goes on.
   *
   * @param second the present one
   * @returns what is to be written
   */
  setFull(isFull: boolean, second: number): Write {
    this.isFull = isFull;
    const from = this.#fullFrom;
    const fullFrom = this.#fullFrom = isFull ? second : 0;
    return (tables) => {
      if (!isFull) tables.addGap({ from, to: second });
      tables.putMeta(FULL_FROM, fullFrom);
    };
  }

  /** Returns what is to be written with everything up to a second. */
  seen(second: number): Write {
    const { isFull } = this;
    return (tables) => {
      if (!isFull) tables.putMeta(SEEN, second);
    };
  }
}
