/** Random changes of a tile, and naive models of what becomes of them. */
import fc from "fast-check";
import type { Gap } from "../../src/history/gaps.ts";
import { startOf } from "../../src/history/hour.ts";
import { TileChanges } from "../../src/history/tile_changes.ts";
import { TileFrame } from "../../src/history/tile_frame.ts";
import { randomIntegers } from "../support/random.ts";

/** An hour of the year 2026. */
export const HOUR = 495_000;

/** A change as a row. */
export type Row = readonly [
  key: number,
  second: number,
  value: number,
  stale: number,
];

/** States: few different ones, and any. */
export const state: fc.Arbitrary<readonly [value: number, stale: number]> = fc
  .oneof(
    { weight: 6, arbitrary: fc.constantFrom([0, 0], [1, 0], [-1, 0], [1, 1]) },
    {
      weight: 1,
      arbitrary: fc.tuple(
        fc.oneof(fc.integer({ min: -40, max: 200 }), fc.integer()),
        fc.constantFrom(0, 1),
      ),
    },
  ).map(([value, stale]) => [value!, value! < 0 ? 0 : stale!] as const);

const key = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 31, 1023),
  fc.integer({ min: 0, max: 1023 }),
);

/** A second of an hour. */
export const offset: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(0, 1, 2, 899, 900, 3598, 3599),
  fc.integer({ min: 0, max: 3599 }),
);

/** Changes of one hour, in any order. */
export function rows(maxLength: number, hour = HOUR): fc.Arbitrary<Row[]> {
  return fc.array(
    fc.tuple(key, offset, state).map(([key, offset, [value, stale]]): Row => [
      key,
      startOf(hour) + offset,
      value,
      stale,
    ]),
    { maxLength },
  );
}

/** Puts rows in columns. */
export function changesOf(rows: readonly Row[]): TileChanges {
  const changes = new TileChanges(1);
  for (const row of rows) changes.push(...row);
  return changes;
}

/** Takes rows from columns. */
export function rowsOf(changes: TileChanges, from = 0): Row[] {
  const rows: Row[] = [];
  for (let i = from; i < changes.length; i++) {
    rows.push([
      changes.key[i]!,
      changes.second[i]!,
      changes.value[i]!,
      changes.stale[i]!,
    ]);
  }
  return rows;
}

/** What `TileChanges.sort` leaves, in the simplest way. */
export function sortedRows(rows: readonly Row[]): Row[] {
  const last = new Map(rows.map((row) => [`${row[0]} ${row[1]}`, row]));
  const sorted = [...last.values()]
    .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return sorted.filter((row, i) => {
    const before = sorted[i - 1];
    return before === undefined || before[0] !== row[0] ||
      before[2] !== row[2] || before[3] !== row[3];
  });
}

/** A frame with states: cells of the list, by key. */
export const frame: fc.Arbitrary<TileFrame> = fc.array(
  fc.tuple(key, state),
  { maxLength: 40 },
).map((cells) => {
  const frame = new TileFrame();
  for (const [key, [value, stale]] of cells) {
    if (frame.has[key] === 0) frame.count++;
    frame.has[key] = 1;
    frame.value[key] = value;
    frame.stale[key] = stale;
  }
  return frame;
});

/** Gaps in and around an hour. */
export function gapsIn(hour: number): fc.Arbitrary<Gap[]> {
  const gap = fc.tuple(
    fc.integer({ min: -100, max: 3600 }),
    fc.oneof(fc.nat({ max: 400 }), fc.constant(5000)),
  ).map(([from, length]) => ({
    from: startOf(hour) + from,
    to: startOf(hour) + from + length,
  }));
  return fc.array(gap, { maxLength: 4 });
}

/**
 * Changes of an hour in a tile: each of `cells` cells is occupied and free in
 * turns of random lengths around a mean.
 *
 * @param cells how many
 * @param meanSeconds of a turn
 * @param seed of the random numbers
 */
export function occupancy(
  cells: number,
  meanSeconds: number,
  seed = 1,
): TileChanges {
  const integers = randomIntegers(seed);
  const next = () => integers(2 ** 32) / 2 ** 32;
  const changes = new TileChanges();
  for (let key = 0; key < cells; key++) {
    let value = next() < 0.5 ? 0 : 1;
    for (let second = 0;;) {
      second += Math.ceil(-Math.log(1 - next()) * meanSeconds);
      if (second >= 3600) break;
      value = 1 - value;
      changes.push(key, startOf(HOUR) + second, value, 0);
    }
  }
  return changes;
}
