/**
 * Divides the ageing of many cells into entries.
 *
 * @module
 */
import {
  type MapShard,
  MAX_DUE_SLOTS,
  MAX_DUE_TILES,
  type OccupancyMap,
} from "../grid/mod.ts";
import type { Entry } from "../store/store.ts";
import type { GroupEntry } from "./group_reader.ts";

/** Entries of one commit: a few milliseconds of work. */
const MAX_COMMIT_ENTRIES = 16;

/**
 * Returns the time to which the map must be aged before entries are applied;
 * undefined if that is not necessary.
 *
 * It is necessary for late readings that are stale when they arrive, and that
 * were not at the time to which the map was aged. A message with that time would
 * show them as fresh, and no later change would correct it.
 *
 * @param agedTo the map was aged to this time, ms since 1970; NaN for never
 */
export function ageBefore(
  map: OccupancyMap,
  entries: readonly GroupEntry[],
  agedTo: number,
): number | undefined {
  for (const { entry } of entries) {
    if (entry.kind !== "apply") continue;
    const { now, layer, readings: { length, time } } = entry;
    const { staleAfter } = map.ageingOf(layer);
    const from = agedTo - staleAfter;
    const to = now - staleAfter;
    for (let i = 0; i < length; i++) {
      if (time[i]! >= from && time[i]! < to) return now;
    }
  }
  return undefined;
}

/**
 * Returns the entries that age all cells to a time, in one list for each
 * commit. Between two lists the caller applies them, and nothing else.
 *
 * Yields undefined to pause. Usually few cells are due: then there is only one
 * entry, which ages all of them; of a map with several shards, one for each
 * shard with such cells. The list is empty if no shard has any.
 *
 * @param map not changed
 * @param now the clock, ms since 1970
 */
export function* ageingEntries(
  map: OccupancyMap,
  now: number,
): Generator<readonly Entry[] | undefined, void, void> {
  const isOnly = map.shards.length === 1;
  let entries: Entry[] = [];
  for (const [number, shard] of map.shards.entries()) {
    if (!isOnly && !shard.isDue(now)) continue;
    for (const entry of tileEntries(shard, now)) {
      if (entry !== undefined) entries.push(entry);
      const isFull = entries.length === MAX_COMMIT_ENTRIES;
      yield isFull ? entries : undefined;
      if (isFull) entries = [];
    }
    entries.push({ kind: "age", now, ...(!isOnly && { shard: number }) });
    if (isOnly || entries.length < MAX_COMMIT_ENTRIES) continue;
    yield entries;
    entries = [];
  }
  yield entries;
}

/**
 * Returns the entries that age the tiles of a shard which are too many for its
 * entry `age`; undefined for a piece of the work without one.
 */
function* tileEntries(
  shard: MapShard,
  now: number,
): Generator<Entry | undefined, void, void> {
  // The clock was set back, or thresholds have changed.
  const everything = now < shard.latest;
  let togetherTiles = 0;
  let togetherSlots = 0;
  for (const [layer, grid] of shard.layers()) {
    if (!everything && !(now > grid.due)) continue;
    let next: number | undefined = 0;
    while (next !== undefined) {
      const isWhole: boolean = next === 0;
      const found = grid.dueTiles(next, now, everything);
      const { tiles } = found;
      next = found.next;
      if (isWhole && next === undefined) {
        togetherTiles += tiles.length;
        togetherSlots += found.slots;
        const isFew = togetherTiles <= MAX_DUE_TILES &&
          togetherSlots <= MAX_DUE_SLOTS;
        if (isFew) continue; // the last entry ages them
      }
      yield tiles.length > 0
        ? { kind: "age-tiles", now, layer, tiles }
        : undefined;
    }
  }
}
