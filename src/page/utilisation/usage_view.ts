/**
 * What the mode says of cells and places that are loaded.
 *
 * @module
 */

import { formatCount } from "../elements/format.ts";
import type { Point } from "../map/regions.ts";
import type { CellText } from "../modes/mode.ts";
import type { DayTarget } from "./day_loader.ts";
import { cellName, type Place } from "./places.ts";
import type { Measure, Subject } from "./settings.ts";
import type { LoadedUsage } from "./usage_data.ts";
import {
  describeShare,
  describeTimes,
  describeUse,
  formatRate,
  percent,
  type UsageDates,
} from "./usage_text.ts";
import { changesPerDay, type Use } from "./usage.ts";
import type { UsedZone } from "./zone_usage.ts";

/** Places that are used for a smaller share of the time are counted. */
const LITTLE_USED = 0.15;

/** What the tooltip and a screen reader say of a cell. */
export function cellText(
  { usage, places }: LoadedUsage,
  cell: Point,
  measure: Measure,
  dates: UsageDates,
): CellText {
  const row = usage.find(cell);
  const title = cellName(cell);
  if (row === undefined) {
    const text = "No readings in this time";
    return { title, lines: [text], spoken: `${title}: ${text}` };
  }
  const { use, zone } = places.cell(row);
  return {
    title: zone === undefined ? title : `${title} · ${zone}`,
    lines: [
      measure === "changes"
        ? `${formatRate(changesPerDay(use))} changes a day, ${
          describeShare(use)
        }`
        : describeShare(use),
      describeTimes(use),
      Number.isNaN(use.last)
        ? "Never used while recorded"
        : `Last used ${dates.time(use.last)}`,
    ],
    spoken: describeUse(title, use, dates),
  };
}

/** A sentence on all places of the list: `41 below 15% · 3 unknown`. */
export function summaryOf(
  { usage, zones }: LoadedUsage,
  list: Subject,
  zone: UsedZone | undefined,
): string {
  let [few, unknown] = [0, 0];
  const add = ({ share }: Use) => {
    if (Number.isNaN(share)) unknown++;
    else if (share < LITTLE_USED) few++;
  };
  if (list === "zones") zones.forEach(({ use }) => add(use));
  else if (zone) zone.rows.forEach((row) => add(usage.use(row)));
  else for (let row = 0; row < usage.length; row++) add(usage.use(row));
  return [
    `${formatCount(few)} used less than ${percent(LITTLE_USED)}`,
    ...(unknown > 0 ? [`${formatCount(unknown)} unknown`] : []),
  ].join(" · ");
}

/** Returns what to request of a place by day. */
export function targetOf(
  { usage, zones }: LoadedUsage,
  { key, region, zoneName }: Place,
): DayTarget | undefined {
  if (region === undefined) return undefined;
  const { x0, y0, x1, y1 } = region;
  if (zoneName === undefined) {
    return { key, region, has: (x, y) => x === x0 && y === y0 };
  }
  const zone = zones.find(({ definition }) => definition.name === zoneName)!;
  const isBox = zone.rows.length === (x1 - x0 + 1) * (y1 - y0 + 1);
  const rows = isBox ? undefined : new Set(zone.rows);
  return {
    key,
    region,
    has: (x, y) => {
      if (x < x0 || x > x1 || y < y0 || y > y1) return false;
      const row = usage.find({ x, y });
      return rows === undefined || row !== undefined && rows.has(row);
    },
  };
}
