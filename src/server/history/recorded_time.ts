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
  #fullFrom = 0;
  readonly #meta: ReadonlyMap<string, number>;
  /** The time of the last replayed entry, ms since 1970. */
  #replayedTo = -Infinity;
  /** Since this second this server has all changes. */
  #loadedAt = Infinity;

  /** @param meta of the tables */
  constructor(meta: ReadonlyMap<string, number>) {
    this.#meta = meta;
  }

  /** An entry of the journal is replayed. */
  replayed(now: number): void {
    this.#replayedTo = Math.max(this.#replayedTo, now);
  }

  /** The journal is replayed. @param second the present one */
  loaded(second: number): void {
    this.#loadedAt = second;
  }

  /**
   * This server begins to write. Others may have written since the journal was
   * replayed.
   *
   * @param lostTo states of the time before this second were dropped. Default:
   * none were
   * @returns what is to be written
   */
  begin(lostTo?: number): Write[] {
    const fullFrom = this.#fullFrom = this.#meta.get(FULL_FROM) ?? 0;
    this.isFull = fullFrom > 0;
    const seen = this.#meta.get(SEEN);
    const to = lostTo ?? this.#loadedAt;
    if (seen === undefined) return [(tables) => tables.putMeta(BEGAN, to)];
    const replayedTo = lostTo === undefined ? this.#replayedTo / 1000 : 0;
    const last = Math.max(seen, replayedTo);
    if (to - last <= MIN_GAP_SECONDS) return [];
    const gap = { from: Math.floor(last), to };
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
