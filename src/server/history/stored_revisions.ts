/**
 * What of a map is in the tables, whichever server has written it.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import type { OccupancyMap } from "../../grid/mod.ts";
import type { HistoryTables } from "../../store/store.ts";
import { FULL_FROM, SAMPLED, SEEN } from "./parts.ts";

/** Another server may apply an entry later than this one by this time. */
const MAX_LAG_SECONDS = 5;
const POLL_INTERVAL_MS = 100;

/** Options of {@linkcode StoredRevisions}. */
export interface StoredRevisionsOptions {
  readonly tables: Pick<HistoryTables, "meta" | "refresh" | "shared">;
  readonly map: OccupancyMap;
  /** Returns the clock of the server, ms since 1970. */
  readonly now: () => number;
  /** A clock that never jumps, in ms. */
  readonly monotonic: () => number;
}

/** Compares the revisions of a map with those that are stored. */
export class StoredRevisions {
  readonly #options: StoredRevisionsOptions;

  constructor(options: StoredRevisionsOptions) {
    this.#options = options;
  }

  /** Time since the last second that is stored, in ms; 0 if there is none. */
  get ageMs(): number {
    const { tables: { meta }, now } = this.#options;
    const seen = meta.get(SEEN);
    return seen === undefined ? 0 : Math.max(0, now() - seen * 1000);
  }

  /** True while the server that writes stores no states: there are too many. */
  get isFull(): boolean {
    return (this.#options.tables.meta.get(FULL_FROM) ?? 0) > 0;
  }

  /** Returns true if what a shard was at a revision is stored. */
  covers(shard: number, revision: number): boolean {
    return (this.#stored(SAMPLED + shard) ?? 0) >= revision;
  }

  /** Returns a check whether all that the map was until now is stored. */
  checkOfPresent(): () => boolean {
    const isCovered = this.#checkOfMap();
    // Readings that are too late for the map have no revision.
    const second = this.#options.now() / 1000 + MAX_LAG_SECONDS;
    // While it is full, that is not stored at all.
    return () =>
      isCovered() && (this.isFull || (this.#stored(SEEN) ?? 0) > second);
  }

  /**
   * Waits for the server that writes.
   *
   * @returns resolves to true when the map as it is now is stored, to false if
   * it is not in time
   */
  async untilPresent(timeoutMs: number): Promise<boolean> {
    const { monotonic, tables } = this.#options;
    const isCovered = this.#checkOfMap();
    const end = monotonic() + timeoutMs;
    while (!isCovered()) {
      if (monotonic() >= end) return false;
      await delay(POLL_INTERVAL_MS);
      await tables.refresh();
    }
    return true;
  }

  /** Returns a number that is durable, and not only about to be written. */
  #stored(key: string): number | undefined {
    const { shared, meta } = this.#options.tables;
    return shared === undefined ? meta.get(key) : shared.stored(key);
  }

  #checkOfMap(): () => boolean {
    const revisions = this.#options.map.shards.map(({ revision }) => revision);
    return () => revisions.every((one, shard) => this.covers(shard, one));
  }
}
