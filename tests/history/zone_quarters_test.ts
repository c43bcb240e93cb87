/** Zones second by second, and their quarters of hours. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Gap, gapAt } from "../../src/history/gaps.ts";
import { startOf } from "../../src/history/hour.ts";
import {
  decodeZoneQuarters,
  encodeZoneQuarters,
  ZoneQuarters,
} from "../../src/history/zone_quarters.ts";
import { ZoneSeries } from "../../src/history/zone_series.ts";
import { TileFrame } from "../../src/history/tile_frame.ts";
import { maskHolds } from "../../src/zones/tile_mask.ts";
import type { TileMask } from "../../src/zones/tile_zones.ts";
import type { OccupiedWhen, Zone } from "../../src/zones/zone.ts";
import { isOccupied } from "../../src/zones/zone_state.ts";
import {
  changesOf,
  frame,
  gapsIn,
  HOUR,
  offset,
  rows,
  sortedRows,
} from "./support.ts";

const QUARTER = HOUR % 24 * 4;

function zoneOf(occupiedWhen: OccupiedWhen, capacity?: number): Zone {
  return {
    ...{ name: "hall", layer: "people", title: undefined, capacity },
    ...{ occupiedWhen, clearAfter: 60_000, staleAfter: undefined },
    polygons: [],
  };
}

const zone = fc.constantFrom(
  zoneOf({ cells: 1 }),
  zoneOf({ cells: 3 }),
  zoneOf({ count: 2 }),
  zoneOf({ percent: 20 }),
  zoneOf({ percent: 50 }, 4),
);

const mask: fc.Arbitrary<TileMask> = fc.oneof(
  fc.constant("all" as const),
  fc.uint32Array({ minLength: 32, maxLength: 32 })
    .map((mask) => new Uint32Array(mask)),
);

const tile = fc.record({ frame, rows: rows(40).map(sortedRows), mask });

/** Makes the quarters of the hour, second by second. */
function recount(
  zone: Zone,
  tiles: readonly {
    frame: TileFrame;
    rows: ReturnType<typeof sortedRows>;
    mask: TileMask;
  }[],
  gaps: readonly Gap[],
  seconds: number,
): ZoneQuarters {
  const cells = new Map<string, readonly [value: number, stale: number]>();
  tiles.forEach(({ frame }, tile) => {
    for (let key = 0; key < 1024; key++) {
      if (frame.has[key] === 0 || !maskHolds(tiles[tile]!.mask, key)) continue;
      cells.set(`${tile} ${key}`, [frame.value[key]!, frame.stale[key]!]);
    }
  });
  const count = () => {
    const all = [...cells.values()];
    const known = all.filter(([value]) => value >= 0);
    const fresh = known.filter(([value, stale]) => value > 0 && stale === 0);
    return {
      cells: all.length,
      unknown: all.length - known.length,
      stale: known.filter(([, stale]) => stale === 1).length,
      occupied: fresh.length,
      sum: fresh.reduce((sum, [value]) => sum + value, 0),
    };
  };
  const events = Map.groupBy(
    tiles.flatMap(({ rows, mask }, tile) =>
      rows.filter(([key]) => maskHolds(mask, key))
        .map((row) => ({ tile, row }))
    ),
    ({ row }) => row[1],
  );
  const quarters = new ZoneQuarters();
  const counts: number[][] = [[], [], [], []];
  let counted = count();
  let last = isOccupied(zone, counted);
  for (let at = 0; at < seconds; at++) {
    const changed = events.get(startOf(HOUR) + at) ?? [];
    for (const { tile, row } of changed) {
      cells.set(`${tile} ${row[0]}`, [row[2], row[3]]);
    }
    if (changed.length > 0) counted = count();
    const quarter = QUARTER + Math.floor(at / 900);
    quarters.has[quarter] = 1;
    const occupied = isOccupied(zone, counted);
    if (occupied === null || gapAt(gaps, startOf(HOUR) + at)) continue;
    quarters.knownSeconds[quarter]!++;
    if (occupied) quarters.occupiedSeconds[quarter]!++;
    if (occupied && last === false) quarters.entries[quarter]!++;
    last = occupied;
    counts[quarter - QUARTER]!.push(counted.sum);
  }
  counts.forEach((sums, i) => {
    if (sums.length === 0) return;
    const all = sums.reduce((a, b) => a + b, 0);
    quarters.least[QUARTER + i] = Math.min(...sums);
    quarters.most[QUARTER + i] = Math.max(...sums);
    quarters.mean[QUARTER + i] = all / sums.length;
  });
  return quarters;
}

Deno.test("ZoneSeries.finish equals a recount second by second", () => {
  const series = new ZoneSeries();
  const tiles = fc.array(tile, { maxLength: 3 });
  const until = fc.option(offset, { nil: undefined });
  fc.assert(
    fc.property(
      ...[zone, tiles, gapsIn(HOUR), until] as const,
      (zone, tiles, gaps, until) => {
        for (const { frame, rows, mask } of tiles) {
          series.add(frame, changesOf(rows), mask, HOUR);
        }
        const quarters = new ZoneQuarters();
        const seconds = until ?? 3600;
        series.finish(zone, gaps, HOUR, quarters, startOf(HOUR) + seconds);
        const expected = recount(zone, tiles, gaps, seconds);
        assert.deepEqual(quarters, expected);
        const into = new ZoneQuarters();
        decodeZoneQuarters(encodeZoneQuarters(quarters), into);
        assert.deepEqual(into, quarters);
      },
    ),
    { numRuns: 80 },
  );
});

Deno.test("an entry is counted after a gap, too, but not from unknown", () => {
  const start = startOf(HOUR);
  const free = new TileFrame();
  free.apply(changesOf([[0, 1, 0, 0]]), 1);
  const entriesOf = (
    frame: TileFrame,
    rows: Parameters<typeof changesOf>[0],
    gaps: Gap[] = [],
  ) => {
    const series = new ZoneSeries();
    const quarters = new ZoneQuarters();
    series.add(frame, changesOf(rows), "all", HOUR);
    series.finish(zoneOf({ cells: 1 }), gaps, HOUR, quarters);
    return [...quarters.entries.subarray(QUARTER, QUARTER + 4)];
  };
  const entered = [[0, start + 950, 1, 0]] as const;
  assert.deepEqual(entriesOf(free, entered), [0, 1, 0, 0]);
  assert.deepEqual(entriesOf(new TileFrame(), entered), [0, 0, 0, 0]);
  const gap = { from: start + 900, to: start + 2000 };
  assert.deepEqual(entriesOf(free, entered, [gap]), [0, 0, 1, 0]);
});

Deno.test("the codec keeps any numbers, and quarters of a full day are short", () => {
  const quarters = new ZoneQuarters();
  for (let i = 0; i < 96; i++) {
    quarters.has[i] = 1;
    quarters.knownSeconds[i] = 900;
    quarters.occupiedSeconds[i] = i * 9;
    quarters.entries[i] = i;
    quarters.least[i] = i;
    quarters.most[i] = i + 5;
    quarters.mean[i] = (i * 900 + 777) / 900;
  }
  const into = new ZoneQuarters();
  const bytes = encodeZoneQuarters(quarters);
  assert.ok(bytes.length < 850, `${bytes.length} bytes`);
  decodeZoneQuarters(bytes, into);
  assert.deepEqual(into, quarters);
  quarters.least[3] = 2 ** 60;
  quarters.mean[3] = 2 ** 60 + 2 ** 20;
  quarters.most[3] = 2 ** 61;
  quarters.mean[4] = 4 + Math.SQRT1_2;
  decodeZoneQuarters(encodeZoneQuarters(quarters), into);
  assert.deepEqual(into, quarters);
});

Deno.test("decodeZoneQuarters: damaged bytes throw RangeError, or are quarters", () => {
  const damage = fc.array(
    fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })),
    { minLength: 1, maxLength: 4 },
  );
  const into = new ZoneQuarters();
  fc.assert(
    fc.property(tile, damage, ({ frame, rows }, damage) => {
      const series = new ZoneSeries();
      const quarters = new ZoneQuarters();
      series.add(frame, changesOf(rows), "all", HOUR);
      series.finish(zoneOf({ cells: 1 }), [], HOUR, quarters);
      const bytes = encodeZoneQuarters(quarters);
      for (const [at, byte] of damage) bytes[at % bytes.length] = byte;
      try {
        decodeZoneQuarters(bytes, into);
      } catch (error) {
        assert.ok(error instanceof RangeError, String(error));
        assert.deepEqual(into, new ZoneQuarters());
      }
      assert.ok(
        into.occupiedSeconds.every((seconds, i) =>
          seconds <= into.knownSeconds[i]! && into.knownSeconds[i]! <= 900
        ),
      );
    }),
    { numRuns: 300 },
  );
});
