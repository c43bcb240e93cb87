/**
 * What is published of a zone: its counts, and whether it is occupied.
 *
 * @module
 */

import type { OccupiedWhen, Zone } from "./zone.ts";
import type { ZoneCounts } from "./zone_counts.ts";

/** The state of a zone; its JSON form has the same fields. */
export interface ZoneState {
  /** The name of the zone. */
  readonly zone: string;
  /** For people: the title of the zone, or its name. */
  readonly title: string;
  /** The layer of the zone. */
  readonly layer: string;
  /** Null if no cell of the zone is both fresh and known. */
  readonly occupied: boolean | null;
  /** The sum of the values of the occupied cells that are fresh. */
  readonly count: number;
  /**
   * False if cells are stale or unknown, or none was ever reported: `count` is
   * then a lower bound.
   */
  readonly certain: boolean;
  /** How many the zone is made for; undefined, and not in JSON, if not known. */
  readonly capacity: number | undefined;
  /**
   * `count` in percent of `capacity`; without a capacity, `occupiedCells` in
   * percent of `cells`. At most one decimal; null if `occupied` is null.
   */
  readonly percent: number | null;
  /** Cells of the map in the zone, without those that were never reported. */
  readonly cells: number;
  /** Fresh cells with a value above 0. */
  readonly occupiedCells: number;
  /** Cells with a known value that is too old. */
  readonly staleCells: number;
  /** Cells of which nothing is known any more, or whose sensor says so. */
  readonly unknownCells: number;
  /** Since when `occupied` has its value, ms since 1970. */
  readonly since: number;
  /** When the state changed last, ms since 1970. */
  readonly time: number;
  /** The revision of the layer at that time. */
  readonly revision: number;
}

/** The fields of a {@linkcode ZoneState} that its counts do not tell. */
export type ZoneMoment = Pick<
  ZoneState,
  "occupied" | "since" | "time" | "revision"
>;

/**
 * Returns whether the cells of a zone make it occupied, without regard to
 * `clearAfter`.
 *
 * @returns null if no cell is both fresh and known
 */
export function isOccupied(zone: Zone, counts: ZoneCounts): boolean | null {
  if (counts.cells === counts.stale + counts.unknown) return null;
  const when: OccupiedWhen = zone.occupiedWhen;
  if ("cells" in when) return counts.occupied >= when.cells;
  if ("count" in when) return counts.sum >= when.count;
  return percentOf(zone, counts) >= when.percent;
}

/** Makes the state of a zone. */
export function stateOf(
  zone: Zone,
  counts: ZoneCounts,
  { occupied, since, time, revision }: ZoneMoment,
): ZoneState {
  return {
    zone: zone.name,
    title: zone.title ?? zone.name,
    layer: zone.layer,
    occupied,
    count: counts.sum,
    certain: counts.cells > 0 && counts.stale + counts.unknown === 0,
    capacity: zone.capacity,
    percent: occupied === null
      ? null
      : Math.round(percentOf(zone, counts) * 10) / 10,
    cells: counts.cells,
    occupiedCells: counts.occupied,
    staleCells: counts.stale,
    unknownCells: counts.unknown,
    since,
    time,
    revision,
  };
}

/**
 * Returns true if two states of one zone differ in more than their time and
 * revision: then the new one is published.
 */
export function differs(a: ZoneState, b: ZoneState): boolean {
  return a.title !== b.title || a.layer !== b.layer ||
    a.occupied !== b.occupied || a.count !== b.count ||
    a.capacity !== b.capacity || a.percent !== b.percent ||
    a.cells !== b.cells || a.occupiedCells !== b.occupiedCells ||
    a.staleCells !== b.staleCells || a.unknownCells !== b.unknownCells ||
    a.since !== b.since;
}

/** Not rounded; 0 for a zone without cells. */
function percentOf({ capacity }: Zone, counts: ZoneCounts): number {
  if (capacity !== undefined) return counts.sum / capacity * 100;
  return counts.cells === 0 ? 0 : counts.occupied / counts.cells * 100;
}
