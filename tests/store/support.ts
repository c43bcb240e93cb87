/** Opens stores, makes entries and compares maps, for tests of the store. */
import assert from "node:assert/strict";
import { type Cell, type MapShard, OccupancyMap } from "../../src/grid/mod.ts";
import { inOrder } from "../grid/model.ts";
import type { SqliteOptions, SqliteStore } from "../../src/store/sqlite.ts";
import { applyEntry, type Entry, type Store } from "../../src/store/store.ts";

/** An open store and the map that it loaded. */
export interface OpenStore {
  readonly store: SqliteStore;
  readonly map: OccupancyMap;
}

/**
 * Returns a function that opens a store and loads its map.
 *
 * @param defaults options that the function's own options override
 */
export async function storeOpener(
  defaults: SqliteOptions,
): Promise<(options?: Partial<SqliteOptions>) => OpenStore> {
  const { SqliteStore } = await import("../../src/store/sqlite.ts");
  return (options = {}) => {
    const store = new SqliteStore({ ...defaults, ...options });
    const map = new OccupancyMap();
    try {
      store.load(map);
    } catch (error) {
      store.close();
      throw error;
    }
    return { store, map };
  };
}

/** Runs SQL statements on a store file that is not open. */
export async function execSql(path: string, sql: string): Promise<void> {
  const { DatabaseSync } = await import("node:sqlite");
  using db = new DatabaseSync(path);
  db.exec(sql);
}

/** Returns the number that a query selects from a store file. */
export async function queryNumber(path: string, sql: string): Promise<number> {
  const { DatabaseSync } = await import("node:sqlite");
  using db = new DatabaseSync(path);
  return Number(Object.values(db.prepare(sql).get()!)[0]);
}

/** An entry with readings of one layer; their time is `now` by default. */
export function readingsEntry(
  now: number,
  rows: readonly (readonly [
    x: number,
    y: number,
    value: number,
    time?: number,
  ])[],
  layer = "default",
): Entry {
  return {
    kind: "apply",
    now,
    layer,
    readings: {
      length: rows.length,
      x: Int32Array.from(rows, ([x]) => x),
      y: Int32Array.from(rows, ([, y]) => y),
      value: Int32Array.from(rows, ([, , value]) => value),
      time: Float64Array.from(rows, ([, , , time]) => time ?? now),
    },
  };
}

/** Commits entries and applies them, as the server does. */
export function commitAndApply(
  store: Store,
  map: OccupancyMap,
  ...entries: Entry[]
) {
  store.commit(entries);
  for (const entry of entries) applyEntry(map, entry);
  store.applied(map);
}

/** Fails unless both maps have the same content. */
export function assertSameMap(actual: OccupancyMap, expected: OccupancyMap) {
  assert.deepEqual(contentsOf(actual), contentsOf(expected));
}

/** The whole observable content of a map, in a defined order. */
function contentsOf(map: OccupancyMap) {
  return map.shards.map(contentsOfShard);
}

/** The same of one shard. */
export function contentsOfShard(shard: MapShard) {
  const layers = [...shard.layers()].map(([name, grid]) => {
    const cells: Cell[] = [];
    grid.scan((x, y, value, time, revision, freshness) =>
      cells.push({ x, y, value, time, revision, freshness })
    );
    cells.sort((a, b) => a.x - b.x || a.y - b.y);
    const order = inOrder(grid).map(({ x, y }) => `${x},${y}`);
    return { name, began: grid.began, cells, order, counts: grid.counts() };
  }).sort((a, b) => a.name < b.name ? -1 : 1);
  const { revision, began, ageing } = shard;
  return { revision, began, ageing, layers };
}
