/**
 * The counts of the cells of a region, step by step.
 *
 * @module
 */
import type { WaitingWork } from "../../../common/turns.ts";
import type { RegionSeriesQuery, Series } from "../../../history/answers.ts";
import { type TimeZone, timeZoneOf } from "../../../history/calendar.ts";
import {
  HOUR_SECONDS,
  hourOf,
  QUARTER_SECONDS,
  startOf,
} from "../../../history/hour.ts";
import type { Zone } from "../../../zones/mod.ts";
import {
  type AskedTime,
  checkLength,
  checkRange,
  checkSteps,
} from "./checks.ts";
import { countHours } from "./count_hours.ts";
import { maskOfRegion } from "./past_cells.ts";
import { inMs, type Question } from "./question.ts";
import { StepSums } from "./step_sums.ts";
import { TileUse } from "./tile_use.ts";
import { ALL_HOURS, useHours } from "./use_hours.ts";
import { rolledUp } from "./zone_series.ts";

/**
 * Counts the cells of a region: from their changes, and before the first of them
 * from their rollups, of which only the mean follows.
 *
 * @param keepSeconds how long rollups are kept
 */
export function* regionSeries(
  question: Question,
  { layer, region, from, to, step }: RegionSeriesQuery,
  timezone: TimeZone,
  keepSeconds: number,
): WaitingWork<Series> {
  const time = checkRange({ from, to }, QUARTER_SECONDS, rolledUp(question));
  checkLength(time, keepSeconds);
  checkSteps(time, step);
  const sums = new StepSums(timezone, time, step);
  const changesFrom = hourOf(question.recorded.from ?? question.now);
  yield* addRollups(question, { layer, region }, time, changesFrom, sums);
  const counted = {
    zone: zoneOf(layer),
    region,
    maskOf: (tx: number, ty: number) => maskOfRegion(region, tx, ty),
  };
  const first = Math.max(hourOf(time.from), changesFrom);
  const end = Math.ceil(time.to / HOUR_SECONDS);
  yield* countHours(question, counted, first, end, sums, true);
  const { damaged } = question;
  return {
    from: time.from * 1000,
    to: time.to * 1000,
    step,
    timezone: timezone.name,
    layer,
    ...(region !== undefined && { region }),
    ...sums.finish(true),
    gaps: inMs(question.gaps(time)),
    ...(damaged !== undefined && { damaged }),
  };
}

const HOUR_QUARTERS = HOUR_SECONDS / QUARTER_SECONDS;

/** Adds the hours before one from the rollups. */
function* addRollups(
  question: Question,
  { layer, region }: Pick<RegionSeriesQuery, "layer" | "region">,
  { from, to }: AskedTime,
  before: number,
  sums: StepSums,
): WaitingWork<void> {
  const first = hourOf(from);
  const end = Math.min(before, Math.ceil(to / HOUR_SECONDS));
  if (first >= end) return;
  const hours = yield* useHours(
    ...[timeZoneOf("UTC"), first, end, ALL_HOURS] as const,
    ...[question.gaps({ from: startOf(first), to: startOf(end) })] as const,
    startOf(end),
  );
  const use = new TileUse(question, hours, false);
  let cells = 0;
  const tiles = question.tiles(layer, region);
  for (let tile; (tile = yield* tiles.next()) !== undefined;) {
    yield* use.add(tile, region);
    for (const has of use.sums.has) cells += has;
    yield;
  }
  // All quarters of an hour have its mean.
  for (let second = from; second < Math.min(to, startOf(end));) {
    const i = hourOf(second) - first;
    const known = hours.known[i]! > 0 ? hours.available[i]! : 0;
    sums.addMean(
      ...[second, known / HOUR_QUARTERS] as const,
      ...[hours.occupied[i]! / HOUR_QUARTERS, cells] as const,
      hours.known[i]! / HOUR_QUARTERS,
    );
    second += QUARTER_SECONDS;
  }
}

/** A region is occupied if one of its cells is. */
function zoneOf(layer: string): Zone {
  return {
    name: "",
    layer,
    title: undefined,
    capacity: undefined,
    occupiedWhen: { cells: 1 },
    clearAfter: 0,
    staleAfter: undefined,
    polygons: [],
  };
}
