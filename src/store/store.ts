/**
 * Where the map is kept. The server commits what it is about to apply, and only
 * then applies it, acknowledges it and tells others: what anyone has been shown
 * is never gone after a restart.
 *
 * @module
 */
import { AppError } from "../common/errors.ts";
import type { Ageing, OccupancyMap, ReadingColumns } from "../grid/mod.ts";

/**
 * One step in the history of a map. The same steps in the same order make the
 * same map with the same revisions. `now` is the server's clock, ms since 1970.
 */
export type Entry =
  /** Readings of one layer were taken in. */
  | {
    readonly kind: "apply";
    readonly now: number;
    readonly layer: string;
    readonly readings: ReadingColumns;
  }
  /** Time went by: cells turned stale, fresh or forgotten. */
  | { readonly kind: "age"; readonly now: number }
  /** Other thresholds hold from here on. */
  | {
    readonly kind: "configure";
    readonly now: number;
    readonly ageing: Ageing;
  }
  /** The server was there, and had taken in all that the broker had for it. */
  | { readonly kind: "alive"; readonly now: number };

/** What survives: the death of the process, or a power loss too. */
export type Durability = "commit" | "fsync";

/** Keeps one map. One server owns a store at a time. */
export interface Store {
  /** As given on the command line, e.g. `memory:`. */
  readonly description: string;
  /** True if what is committed outlives the process. */
  readonly durable: boolean;
  /**
   * The time of the last entry of the kind `there`, ms since 1970; undefined if
   * none was kept. Meaningful once loaded.
   */
  readonly lastAlive?: number | undefined;
  /**
   * Fills an empty map with what is kept, thresholds and revision included.
   *
   * @throws {StoreError} if what is kept cannot be read
   */
  load(map: OccupancyMap): void;
  /**
   * Keeps entries, all or none. When this returns they are as safe as the store
   * promises.
   *
   * @throws {StoreError} if nothing was kept; it may be tried again
   */
  commit(entries: readonly Entry[]): void;
  /**
   * Told after committed entries have been applied: the store may keep the map
   * itself instead of the steps that led to it. Never throws.
   */
  applied(map: OccupancyMap): void;
  /** Frees everything; with the map, leaves it quick to load. Safe to call twice. */
  close(map?: OccupancyMap): void;
}

/** Takes one step. */
export function applyEntry(
  map: OccupancyMap,
  entry: Entry,
): ReturnType<OccupancyMap["apply"]> | undefined {
  switch (entry.kind) {
    case "apply":
      return map.apply(entry.layer, entry.readings, entry.now);
    case "age":
      map.age(entry.now);
      return undefined;
    case "configure":
      map.configure(entry.ageing);
      return undefined;
    case "alive":
      return undefined; // nothing changes
  }
}

/** A store that cannot be opened, read or written. */
export class StoreError extends AppError {
  override readonly name = "StoreError";

  /**
   * @param message what happened, for people
   * @param options hint and cause
   */
  constructor(
    message: string,
    options: { hint?: string; cause?: unknown } = {},
  ) {
    super("store", message, options);
  }
}
