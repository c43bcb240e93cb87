/**
 * Makes the rows of what was logged: one part for each tile and hour.
 *
 * @module
 */
import type { LoggedChanges, StateColumns } from "../../grid/mod.ts";
import { keyOf, TILE_BITS, tileKeyOf } from "../../grid/tiles.ts";
import { encodeChanges } from "../../history/changes_codec.ts";
import { hourOf } from "../../history/hour.ts";
import { TileChanges } from "../../history/tile_changes.ts";
import type { Write } from "./flush.ts";

/** States that are grouped by tile in one step: about a millisecond. */
const GROUPED_STATES = 16_384;
/** States that are grouped together: about 10 MB if no two share a tile. */
const MAX_GROUPED_STATES = 1 << 16;
/** The end of a list of states. */
const NONE = -1;

/** Reused: the changes of one tile are encoded before the next. */
const changes = new TileChanges();

/** With the number of a shard: the revision up to which it is sampled. */
export const SAMPLED = "sampled";
/** With the number of a shard: the time of the last deletion of a layer, ms. */
export const DELETED_TO = "deletedTo";
/** The last second at which the server was recording. */
export const SEEN = "seen";
/** Since this second nothing is recorded: it is too large; 0: it is not. */
export const FULL_FROM = "fullFrom";
/** The first second of the history. */
export const BEGAN = "began";
/** Hours before this one are closed. */
export const CLOSED_TO = "closedTo";
/** Rollups of days (UTC) before this one are deleted, or will be. */
export const ROLLUPS_FROM = "rollupsFrom";
/** Days (UTC) before this one have their rollups of cells. */
export const ROLLED_TO = "rolledTo";

/**
 * Returns the writes that store what was logged, in order; undefined to pause.
 * Each may be repeated.
 *
 * @param logged of one shard; must not be changed
 * @param shard its number
 * @param deletedTo layers deleted up to this time are deleted already, ms
 * since 1970
 */
export function* partWrites(
  { deletions, states }: LoggedChanges,
  shard: number,
  deletedTo: number,
): Generator<Write | undefined, void, void> {
  for (const { layer, now } of deletions) {
    if (now <= deletedTo) continue; // replayed
    yield (tables) => {
      tables.deleteLayer(layer);
      tables.putMeta(DELETED_TO + shard, now);
    };
  }
  for (const [layer, columns] of states) yield* partsOf(layer, columns);
}

/** The states of a tile in an hour, as a linked list. */
interface TileStates {
  readonly tx: number;
  readonly ty: number;
  readonly first: number;
  last: number;
}

function* partsOf(
  layer: string,
  columns: StateColumns,
): Generator<Write | undefined, void, void> {
  const { length } = columns;
  const next = new Int32Array(length);
  for (let from = 0; from < length; from += MAX_GROUPED_STATES) {
    const to = Math.min(from + MAX_GROUPED_STATES, length);
    yield* groupParts(
      layer,
      columns,
      yield* groupByTile(columns, from, to, next),
      next,
    );
  }
}

function* groupParts(
  layer: string,
  { x, y, second, value, stale }: StateColumns,
  hours: ReadonlyMap<number, Iterable<TileStates>>,
  next: Int32Array,
): Generator<Write | undefined, void, void> {
  for (const [hour, tiles] of hours) {
    for (const { tx, ty, first } of tiles) {
      changes.clear();
      for (let i = first; i !== NONE; i = next[i]!) {
        const key = keyOf(x[i]!, y[i]!);
        changes.push(key, second[i]!, value[i]!, stale[i]!);
      }
      changes.sortPart();
      const bytes = encodeChanges(changes, hour, { compress: false });
      yield (tables) => tables.appendPart(layer, tx, ty, hour, bytes);
    }
  }
}

/** Links the states of each tile and hour, in their order. */
function* groupByTile(
  { x, y, second }: StateColumns,
  from: number,
  to: number,
  next: Int32Array,
): Generator<undefined, Map<number, Iterable<TileStates>>, void> {
  const hours = new Map<number, Map<number, TileStates>>();
  let hour = NaN;
  let key = NaN;
  let tiles = new Map<number, TileStates>();
  let tile: TileStates | undefined;
  for (let i = from; i < to; i++) {
    if (i % GROUPED_STATES === GROUPED_STATES - 1) yield undefined;
    next[i] = NONE;
    const hourHere = hourOf(second[i]!);
    const keyHere = tileKeyOf(x[i]!, y[i]!);
    // Most states are in the tile of the one before.
    if (keyHere !== key || hourHere !== hour) {
      if (hourHere !== hour) {
        tiles = hours.get(hourHere) ?? new Map();
        hours.set(hourHere, tiles);
      }
      [key, hour] = [keyHere, hourHere];
      tile = tiles.get(key);
      if (tile === undefined) {
        const tx = x[i]! >> TILE_BITS;
        const ty = y[i]! >> TILE_BITS;
        tiles.set(key, tile = { tx, ty, first: i, last: i });
        continue;
      }
    }
    next[tile!.last] = i;
    tile!.last = i;
  }
  return new Map([...hours].map(([hour, tiles]) => [hour, tiles.values()]));
}
