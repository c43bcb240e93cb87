/**
 * Divides the ageing of many cells into entries.
 *
 * @module
 */
import type { OccupancyMap } from "../grid/mod.ts";
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
 * entry, which ages all of them.
 *
 * @param map not changed
 * @param now the clock, ms since 1970
 */
export function* ageingEntries(
  map: OccupancyMap,
  now: number,
): Generator<readonly Entry[] | undefined, void, void> {
  let entries: Entry[] = [];
  let together = 0;
  for (const [layer, grid] of map.layers()) {
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
      if (tiles.length > 0) {
        entries.push({ kind: "age-tiles", now, layer, tiles });
      }
      const isFull = entries.length === MAX_COMMIT_ENTRIES;
      yield isFull ? entries : undefined;
      if (isFull) entries = [];
    }
  }
  entries.push({ kind: "age", now });
  yield entries;
}
