/**
 * `deno bench bench/zone_tracker_bench.ts`: the time of an update of the zones
 * after cells have changed, beside the time to apply these changes to the map.
 *
 * @module
 */

import { OccupancyMap, type ReadingColumns } from "../src/grid/mod.ts";
import { type Zone, ZoneIndex, ZoneTracker } from "../src/zones/mod.ts";
import { rectangle, zoneOf } from "../tests/zones/shapes.ts";

const NOW = 1_700_000_000_000;
const MAX_INT32 = 2 ** 31 - 1;

function square(x: number, y: number, size: number): Zone {
  return zoneOf(`${x},${y}`, [rectangle(x, y, x + size, y + size)]);
}

/** Zones of 10 by 10 cells that cover a square. */
function tiled(size: number): Zone[] {
  const zones: Zone[] = [];
  for (let y = 0; y < size; y += 10) {
    for (let x = 0; x < size; x += 10) zones.push(square(x, y, 10));
  }
  return zones;
}

function readings(
  length: number,
  at: (i: number) => readonly [x: number, y: number],
): ReadingColumns {
  const cells = Array.from({ length }, (_, i) => at(i));
  return {
    length,
    x: Int32Array.from(cells, ([x]) => x),
    y: Int32Array.from(cells, ([, y]) => y),
    value: new Int32Array(length),
    time: new Float64Array(length).fill(NOW),
  };
}

/** A map with all cells of a square, and its zones. */
function prepare(size: number, zones: readonly Zone[]) {
  const map = new OccupancyMap();
  for (let y = 0; y < size; y++) {
    map.apply("default", readings(size, (x) => [x, y]), NOW);
  }
  const makeIndex = (zones: readonly Zone[]) => new ZoneIndex(zones);
  const tracker = new ZoneTracker({ map, makeIndex });
  const update = () => {
    for (const work = tracker.update(NOW); !work.next().done;);
  };
  tracker.replace(zones);
  update();
  return { map, update };
}

const CASES = [
  { name: "10,000 zones, 1M cells", size: 1000, zones: tiled(1000) },
  { name: "1 zone of 10M cells", size: 3160, zones: [square(0, 0, 3160)] },
  { name: "1 zone of 100 of 10M cells", size: 3160, zones: [square(0, 0, 10)] },
];

for (const { name, size, zones } of CASES) {
  for (const cells of [1, 1000]) {
    let fixture: ReturnType<typeof prepare> | undefined;
    let value = 0;
    const change = () => {
      fixture ??= prepare(size, zones);
      const random = () => Math.floor(Math.random() * size);
      const batch = readings(cells, () => [random(), random()]);
      batch.value.fill(value = (value + 1) % MAX_INT32);
      return () => fixture!.map.apply("default", batch, NOW);
    };
    const group = `${name}: ${cells} random cells change`;
    Deno.bench({ name: "apply", group, n: 300, baseline: true }, (bench) => {
      const apply = change();
      bench.start();
      apply();
      bench.end();
    });
    Deno.bench({ name: "update", group, n: 300 }, (bench) => {
      change()();
      bench.start();
      fixture!.update();
      bench.end();
    });
  }
}
