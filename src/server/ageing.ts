/**
 * Divides the ageing of many cells into entries.
 *
 * @module
 */
import type { MapShard, OccupancyMap } from "../grid/mod.ts";
import type { Entry } from "../store/store.ts";

/** As many tiles as one entry without tiles may age, in about a millisecond. */
const MAX_TOGETHER_TILES = 4096;
/** Entries of one commit: a few milliseconds of work. */
const MAX_COMMIT_ENTRIES = 16;

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
  let together = 0;
  for (const [layer, grid] of shard.layers()) {
    if (!(now > grid.due)) continue;
    let next: number | undefined = 0;
    while (next !== undefined) {
      const isWhole: boolean = next === 0;
      const found = grid.dueTiles(next, now);
      const { tiles } = found;
      next = found.next;
      if (isWhole && next === undefined) {
        together += tiles.length;
        if (together <= MAX_TOGETHER_TILES) continue; // the last entry ages them
      }
      yield tiles.length > 0
        ? { kind: "age-tiles", now, layer, tiles }
        : undefined;
    }
  }
}
