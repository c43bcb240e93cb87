/**
 * The counts of a zone, step by step.
 *
 * @module
 */
import { settled, type WaitingWork } from "../../../common/turns.ts";
import type { Series, ZoneSeriesQuery } from "../../../history/answers.ts";
import type { TimeZone } from "../../../history/calendar.ts";
import {
  DAY_SECONDS,
  HOUR_SECONDS,
  hourOf,
  QUARTER_SECONDS,
  startOf,
} from "../../../history/hour.ts";
import {
  decodeZoneQuarters,
  ZoneQuarters,
} from "../../../history/zone_quarters.ts";
import type { HistoryDayRow } from "../../../store/store.ts";
import type { Zone, Zones } from "../../../zones/mod.ts";
import { ZoneShape } from "../../../zones/tile_mask.ts";
import { oldestRollupDay } from "../oldest.ts";
import {
  type AskedTime,
  checkLength,
  checkRange,
  checkSteps,
  unknownZone,
} from "./checks.ts";
import { countHours } from "./count_hours.ts";
import { inMs, type Question } from "./question.ts";
import { StepSums } from "./step_sums.ts";

/** Rollups that are read at once. */
const DAYS_PER_PAGE = 64;
/** Rollups that are decoded in one step: about a millisecond. */
const DAYS_PER_STEP = 16;

/**
 * Reads the counts of a zone: from its rollups, and of the hours without rollups
 * from the changes of its tiles.
 *
 * @param zones the present ones
 * @param keepSeconds how long rollups are kept
 */
export function* zoneSeries(
  question: Question,
  { zone: name, from, to, step }: ZoneSeriesQuery,
  timezone: TimeZone,
  zones: Zones,
  keepSeconds: number,
): WaitingWork<Series> {
  const zone = zones.get(name);
  // A zone that was deleted has its rollups still.
  const layer = zone?.layer ?? (yield* layerOf(question, name));
  if (layer === undefined) throw unknownZone(name);
  const recorded = rolledUp(question);
  const time = checkRange({ from, to }, QUARTER_SECONDS, recorded);
  checkLength(time, keepSeconds);
  checkSteps(time, step);
  const sums = new StepSums(timezone, time, step);
  const openFrom = zone === undefined ? Infinity : question.openFrom;
  yield* addRollups(question, name, time, startOf(openFrom), sums);
  if (zone !== undefined) {
    yield* addOpenHours(question, zone, time, openFrom, sums);
  }
  const { damaged } = question;
  return {
    from: time.from * 1000,
    to: time.to * 1000,
    step,
    timezone: timezone.name,
    zone: { name, title: zone?.title ?? name },
    layer,
    ...(zone?.capacity !== undefined && { capacity: zone.capacity }),
    ...sums.finish(false),
    gaps: inMs(question.gaps(time)),
    ...(damaged !== undefined && { damaged }),
  };
}

/** The layer of a zone that has rollups. */
function* layerOf(
  { tables }: Question,
  name: string,
): WaitingWork<string | undefined> {
  const zones = yield* settled(tables.zones());
  return zones.find(({ zone }) => zone === name)?.layer;
}

/** The time of which there are rollups or changes. */
export function rolledUp(
  { recorded, tables }: Question,
): { from: number | undefined; now: number } {
  const day = oldestRollupDay(tables);
  if (day === undefined) return recorded;
  const from = Math.min(recorded.from ?? Infinity, day * DAY_SECONDS);
  return { from, now: recorded.now };
}

/** Adds the rollups before a second. */
function* addRollups(
  question: Question,
  name: string,
  { from, to }: AskedTime,
  before: number,
  sums: StepSums,
): WaitingWork<void> {
  const quarters = new ZoneQuarters();
  const firstDay = Math.floor(from / DAY_SECONDS);
  const lastDay = Math.floor((Math.min(to, before) - 1) / DAY_SECONDS);
  for (let day = firstDay; day <= lastDay; day += DAYS_PER_PAGE) {
    const last = Math.min(lastDay, day + DAYS_PER_PAGE - 1);
    const rows = yield* settled(question.tables.zoneDays(name, day, last));
    for (const [i, row] of rows.entries()) {
      if (decode(row, quarters)) {
        sums.addDay(row.day, quarters, from, Math.min(to, before));
      } else {
        const start = row.day * DAY_SECONDS;
        question.noteDamaged(
          Math.max(start, from),
          Math.min(start + DAY_SECONDS, to, before),
        );
      }
      if (i % DAYS_PER_STEP === DAYS_PER_STEP - 1) yield;
    }
    yield;
  }
}

function decode({ bytes }: HistoryDayRow, into: ZoneQuarters): boolean {
  if (bytes === undefined) return false;
  try {
    decodeZoneQuarters(bytes, into);
    return true;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return false;
  }
}

function* addOpenHours(
  question: Question,
  zone: Zone,
  { from, to }: AskedTime,
  openFrom: number,
  sums: StepSums,
): WaitingWork<void> {
  const first = Math.max(openFrom, hourOf(from));
  const end = Math.ceil(to / HOUR_SECONDS);
  if (first >= end) return;
  const shape = new ZoneShape(zone.polygons);
  if (shape.bounds === undefined) return;
  const counted = {
    zone,
    region: shape.bounds,
    maskOf: (tx: number, ty: number) => shape.tileMask(tx, ty),
  };
  yield* countHours(question, counted, first, end, sums, false);
}
