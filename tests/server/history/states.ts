/** The states of the cells of a layer: in the map, and in the history. */
import assert from "node:assert/strict";
import type { OccupancyMap, ReadingColumns } from "../../../src/grid/mod.ts";
import { keyOf, TILE_BITS } from "../../../src/grid/tiles.ts";
import { TileFrame } from "../../../src/history/tile_frame.ts";
import { TileReader } from "../../../src/server/history/tile_reader.ts";
import type { HistoryTables } from "../../../src/store/store.ts";
import { resultOf } from "../../support/work.ts";

const SIDE = 80;

/** The shown states of a layer, by "x,y". */
export type Shown = ReadonlyMap<string, string>;

/** The states that the history has for a second. */
export async function recorded(
  tables: HistoryTables,
  layer: string,
  second: number,
): Promise<Shown> {
  const reader = new TileReader(tables);
  const frame = new TileFrame();
  const states = new Map<string, string>();
  for (const { tx, ty } of await tables.tilesOf(layer, undefined, 1e6)) {
    const damaged = await resultOf(
      reader.stateAt({ layer, tx, ty }, second, frame),
    );
    assert.equal(damaged, undefined);
    for (let y = ty << TILE_BITS; y < (ty + 1) << TILE_BITS; y++) {
      for (let x = tx << TILE_BITS; x < (tx + 1) << TILE_BITS; x++) {
        const key = keyOf(x, y);
        if (frame.has[key] === 0) continue;
        states.set(`${x},${y}`, `${frame.value[key]} ${frame.stale[key]}`);
      }
    }
  }
  return states;
}

/** The shown states of a layer of the live map. */
export function shown(map: OccupancyMap, layer: string): Shown {
  const states = new Map<string, string>();
  map.layer(layer)?.scan((x, y, value, _time, _revision, freshness) => {
    const isStale = value >= 0 && freshness === 1;
    states.set(`${x},${y}`, `${value} ${isStale ? 1 : 0}`);
  });
  return states;
}

/** Fails unless they are the same. Unknown and never seen are the same for a reader. */
export function assertStates(
  actual: Shown,
  expected: Shown,
  message: string,
): void {
  const differences: string[] = [];
  const known = (state: string | undefined) =>
    state === undefined || state.startsWith("-") ? "unknown" : state;
  for (const cell of new Set([...actual.keys(), ...expected.keys()])) {
    const [is, should] = [known(actual.get(cell)), known(expected.get(cell))];
    if (is !== should) differences.push(`${cell}: ${is}, not ${should}`);
  }
  assert.deepEqual(differences.slice(0, 5), [], message);
}

/** Some readings of the last 300 ms. */
export function randomReadings(
  random: (below: number) => number,
  now: number,
  count: number,
): ReadingColumns {
  const length = random(count) + 1;
  const columns = {
    length,
    x: new Int32Array(length),
    y: new Int32Array(length),
    value: new Int32Array(length),
    time: new Float64Array(length),
  };
  for (let i = 0; i < length; i++) {
    columns.x[i] = random(SIDE) - SIDE / 2;
    columns.y[i] = random(SIDE);
    columns.value[i] = random(5) - 1;
    columns.time[i] = now - random(300);
  }
  return columns;
}
