/**
 * The history of an office over a month: desks that are free or occupied over
 * the day, as in the scene of `src/simulate/desks.ts`, in about 15 seconds for
 * 100,000 desks. For tests and benchmarks.
 */
import { keyOf, TILE_BITS } from "../../src/grid/tiles.ts";
import {
  DAY_SECONDS,
  dayOf,
  HOUR_SECONDS,
  hourOf,
} from "../../src/history/hour.ts";
import { TileChanges } from "../../src/history/tile_changes.ts";
import type { Zone } from "../../src/zones/zone.ts";
import {
  type OpenedTables,
  writeTile,
  writeTime,
  writeZone,
  type WrittenTime,
} from "./history_tables.ts";
import { randomIntegers } from "./random.ts";

/** Desks stand in blocks of this size, with aisles of one cell between. */
const BLOCK = { columns: 4, rows: 2 };
const MINUTE = 60;
/** Hours of one tile that are collected before they are written. */
type Hours = Map<number, TileChanges>;

/** A history to make. */
export interface OfficeMonth {
  readonly layer: string;
  /** Number of desks; each is a cell. */
  readonly desks: number;
  readonly days: number;
  /** The second after the last, since 1970. */
  readonly end: number;
  /** Its rollups are written too. */
  readonly zones: readonly Zone[];
}

/** Writes the history of an office. Returns the number of changes. */
export function writeOffice(
  opened: OpenedTables,
  { layer, desks, days, end, zones }: OfficeMonth,
): number {
  const hour = hourOf(end);
  const time: WrittenTime = {
    began: end - days * DAY_SECONDS,
    end,
    closedTo: hour - 1,
    rolledTo: dayOf(hour - 1),
    gaps: [],
  };
  let count = 0;
  opened.write((tables) => writeTime(tables, time));
  for (const [tile, numbers] of tilesOf(desks)) {
    const hours: Hours = new Map();
    for (const desk of numbers) count += addDesk(hours, desk, time);
    for (const changes of hours.values()) changes.sort();
    opened.write((tables) =>
      writeTile(tables, { layer, ...tile }, hours, time)
    );
  }
  for (const zone of zones) {
    opened.write((tables) => writeZone(tables, zone, time));
  }
  return count;
}

interface Desk {
  readonly number: number;
  readonly key: number;
}

/** The desks of each tile. */
function tilesOf(desks: number): [{ tx: number; ty: number }, Desk[]][] {
  const tiles = new Map<string, [{ tx: number; ty: number }, Desk[]]>();
  const columns = Math.ceil(Math.sqrt(desks * 2) / BLOCK.columns) *
    BLOCK.columns;
  for (let number = 0; number < desks; number++) {
    const column = number % columns;
    const row = Math.floor(number / columns);
    const x = column + Math.floor(column / BLOCK.columns);
    const y = row + Math.floor(row / BLOCK.rows);
    const [tx, ty] = [x >> TILE_BITS, y >> TILE_BITS];
    let tile = tiles.get(`${tx} ${ty}`);
    if (tile === undefined) tiles.set(`${tx} ${ty}`, tile = [{ tx, ty }, []]);
    tile[1].push({ number, key: keyOf(x, y) });
  }
  return [...tiles.values()];
}

/** Adds the changes of a desk. Returns their number. */
function addDesk(
  hours: Hours,
  { number, key }: Desk,
  { began, end }: WrittenTime,
): number {
  const random = randomIntegers(number * 2_654_435_761);
  for (let i = 0; i < 8; i++) random(2);
  /** About normal: the sum of four dice. */
  const around = (mean: number, deviation: number) => {
    const sum = random(1000) + random(1000) + random(1000) + random(1000);
    return mean + Math.round((sum - 1998) / 577 * deviation);
  };
  const presence = 35 + random(60);
  const usualArrival = around(8.9 * HOUR_SECONDS, 0.8 * HOUR_SECONDS);
  let count = 0;
  const put = (second: number, value: number) => {
    if (second < began || second >= end) return;
    const hour = hourOf(second);
    let changes = hours.get(hour);
    if (changes === undefined) hours.set(hour, changes = new TileChanges());
    changes.push(key, second, value, 0);
    count++;
  };
  put(began, 0);
  for (let day = dayOf(hourOf(began)); day <= dayOf(hourOf(end)); day++) {
    const isWorkday = (day + 3) % 7 < 5;
    if (random(100) >= (isWorkday ? presence : 3)) continue;
    const midnight = day * DAY_SECONDS;
    const arrival = midnight + around(usualArrival, 15 * MINUTE);
    const departure = arrival + around(8.4 * HOUR_SECONDS, 42 * MINUTE);
    put(arrival, 1);
    const breaks = 2 + random(5);
    const length = (departure - arrival) / breaks;
    for (let i = 0; i < breaks; i++) {
      const start = arrival + Math.round(length * i) + random(length * 0.6) + 1;
      const duration = random(10) < 4
        ? (1 + random(3)) * 30 * MINUTE
        : Math.max(MINUTE, around(12 * MINUTE, 3 * MINUTE));
      put(start, 0);
      const back = start + Math.min(duration, Math.round(length * 0.35));
      put(back, 1);
    }
    put(Math.min(departure + 1, midnight + DAY_SECONDS - 1), 0);
  }
  return count;
}
