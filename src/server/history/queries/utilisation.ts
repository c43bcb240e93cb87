/**
 * How much each cell was used.
 *
 * @module
 */
import type { WaitingWork } from "../../../common/turns.ts";
import { TILE_CELLS, xOf, yOf } from "../../../grid/tiles.ts";
import type {
  Utilisation,
  UtilisationQuery,
} from "../../../history/answers.ts";
import type { TimeZone } from "../../../history/calendar.ts";
import { HOUR_SECONDS, hourOf } from "../../../history/hour.ts";
import {
  checkDays,
  checkHours,
  checkLength,
  checkRange,
  MAX_CELLS,
  MAX_CELLS_BY_DAY,
  tooManyCells,
} from "./checks.ts";
import { grown } from "./past_cells.ts";
import { inMs, type Question } from "./question.ts";
import { TileUse } from "./tile_use.ts";
import { ALL_HOURS, useHours } from "./use_hours.ts";
import { rolledUp } from "./zone_series.ts";

const FIRST_CAPACITY = 1024;

/**
 * Adds up how long each cell of a region was occupied.
 *
 * @param keepSeconds how long rollups are kept
 */
export function* utilisation(
  question: Question,
  query: UtilisationQuery,
  timezone: TimeZone,
  keepSeconds: number,
): WaitingWork<Utilisation> {
  const { layer, region, byDay = false } = query;
  const days = checkDays(query.days ?? ALL_HOURS.days);
  const filter = { days, hours: query.hours ?? ALL_HOURS.hours };
  checkHours(filter.hours);
  const time = checkRange(query, HOUR_SECONDS, rolledUp(question));
  checkLength(time, keepSeconds);
  const [from, to] = [hourOf(time.from), Math.ceil(time.to / HOUR_SECONDS)];
  const gaps = question.gaps(time);
  const hours = yield* useHours(timezone, from, to, filter, gaps, time.to);
  const use = new TileUse(question, hours, byDay);
  const cells = new UsedCells(byDay ? hours.dayStarts.length : undefined);
  const tiles = question.tiles(layer, region);
  for (let tile; (tile = yield* tiles.next()) !== undefined;) {
    yield* use.add(tile, region);
    cells.add(tile.tx, tile.ty, use);
    yield;
  }
  const { damaged } = question;
  return {
    layer,
    ...(region !== undefined && { region }),
    from: time.from * 1000,
    to: time.to * 1000,
    ...filter,
    timezone: timezone.name,
    seconds: hours.seconds,
    dayCount: hours.dayStarts.length,
    cells: cells.finish(),
    week: {
      occupied: hours.week(hours.occupied),
      known: hours.week(hours.known),
    },
    ...(byDay && {
      byDay: {
        start: hours.dayStarts.map((second) => second * 1000),
        occupied: cells.occupiedByDay,
        known: cells.knownByDay,
      },
    }),
    gaps: inMs(gaps),
    ...(damaged !== undefined && { damaged }),
  };
}

/** The columns of {@linkcode Utilisation.cells}, while they are filled in. */
class UsedCells {
  readonly occupiedByDay: number[][] = [];
  readonly knownByDay: number[][] = [];
  readonly #days: number | undefined;
  readonly #max: number;
  #length = 0;
  #x = new Int32Array(FIRST_CAPACITY);
  #y = new Int32Array(FIRST_CAPACITY);
  #occupied = new Float64Array(FIRST_CAPACITY);
  #known = new Float64Array(FIRST_CAPACITY);
  #changes = new Uint32Array(FIRST_CAPACITY);
  #last = new Float64Array(FIRST_CAPACITY);

  /** @param days number of days, if each is asked for */
  constructor(days: number | undefined) {
    this.#days = days;
    this.#max = days === undefined ? MAX_CELLS : MAX_CELLS_BY_DAY;
  }

  /** Adds the cells of a tile. */
  add(tx: number, ty: number, { sums, days }: TileUse): void {
    for (let key = 0; key < TILE_CELLS; key++) {
      if (sums.has[key] === 0) continue;
      const at = this.#length++;
      if (at >= this.#max) throw tooManyCells(this.#max);
      if (at === this.#x.length) this.#grow();
      this.#x[at] = xOf(tx, key);
      this.#y[at] = yOf(ty, key);
      this.#occupied[at] = sums.occupied[key]!;
      this.#known[at] = sums.known[key]!;
      this.#changes[at] = sums.changes[key]!;
      const last = sums.lastSecond[key]!;
      this.#last[at] = last === 0 ? NaN : last * 1000;
      if (days === undefined) continue;
      const ofCell = (column: Float64Array) =>
        Array.from(
          { length: this.#days! },
          (_, day) => column[day * TILE_CELLS + key]!,
        );
      this.occupiedByDay.push(ofCell(days.occupied));
      this.knownByDay.push(ofCell(days.known));
    }
  }

  finish(): Utilisation["cells"] {
    const length = this.#length;
    return {
      length,
      x: this.#x.subarray(0, length),
      y: this.#y.subarray(0, length),
      occupied: this.#occupied.subarray(0, length),
      known: this.#known.subarray(0, length),
      changes: this.#changes.subarray(0, length),
      last: this.#last.subarray(0, length),
    };
  }

  #grow(): void {
    const capacity = Math.min(2 * this.#x.length, MAX_CELLS);
    this.#x = grown(this.#x, new Int32Array(capacity));
    this.#y = grown(this.#y, new Int32Array(capacity));
    this.#occupied = grown(this.#occupied, new Float64Array(capacity));
    this.#known = grown(this.#known, new Float64Array(capacity));
    this.#changes = grown(this.#changes, new Uint32Array(capacity));
    this.#last = grown(this.#last, new Float64Array(capacity));
  }
}
