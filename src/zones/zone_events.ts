/**
 * Which events follow from a new state of a zone, and what must be stored of
 * the zone so that none is lost or repeated by a restart.
 *
 * Two kinds of events are independent: `occupied`, `cleared` and `unknown` say
 * what the state's `occupied` has become; `full` and `available` say whether the
 * count has reached the capacity. Of each kind, no two successive events are
 * the same.
 *
 * @module
 */

import type { Zone } from "./zone.ts";
import type { ZoneCounts } from "./zone_counts.ts";
import { isOccupied } from "./zone_state.ts";

/** What happened in a zone. */
export type ZoneEventName =
  /** It became occupied. */
  | "occupied"
  /** It became free, and was for `clearAfter`. */
  | "cleared"
  /** No cell is fresh and known any more. */
  | "unknown"
  /** The count has reached the capacity. */
  | "full"
  /** The count has fallen below the capacity, or the zone has none any more. */
  | "available";

/** All names of events. */
export const ZONE_EVENT_NAMES: Readonly<Record<ZoneEventName, true>> = {
  occupied: true,
  cleared: true,
  unknown: true,
  full: true,
  available: true,
};

/** An event; its JSON form has the same fields. */
export interface ZoneEvent {
  /** The name of the zone. */
  readonly zone: string;
  /** For people: the title of the zone, or its name. */
  readonly title: string;
  /** The layer of the zone. */
  readonly layer: string;
  /** What happened. */
  readonly event: ZoneEventName;
  /** As in the state of the zone at this time. */
  readonly count: number;
  /** Undefined, and not in JSON, if the zone has none. */
  readonly capacity: number | undefined;
  /** When it was noticed, ms since 1970. */
  readonly time: number;
  /** The revision of the layer at that time. */
  readonly revision: number;
}

/**
 * What is remembered of a zone between two states. Store it in the same commit
 * as the events: the zone then continues after a restart as if there was none.
 */
export interface ZoneRecord {
  /** The name of the zone. */
  readonly zone: string;
  /** The last `occupied` of its state. */
  readonly occupied: boolean | null;
  /** Whether the last of `full` and `available`, or the first state, was full. */
  readonly full: boolean;
  /** Since when `occupied` has its value, ms since 1970. */
  readonly since: number;
  /**
   * When the last occupancy ended, ms since 1970: `occupied` is held until
   * `clearAfter` later. Null if no hold time is in progress.
   */
  readonly heldSince: number | null;
  /** The revision of the layer at the last change of this record. */
  readonly revision: number;
}

/** The result of {@linkcode nextRecord}. */
export interface ZoneStep {
  /** The same object as before if nothing has changed. */
  readonly record: ZoneRecord;
  /** In order of occurrence. */
  readonly events: readonly ZoneEventName[];
}

/**
 * Computes what becomes of a zone.
 *
 * @param zone its present definition
 * @param counts its present counts
 * @param last the record before, perhaps with another definition of the zone;
 * undefined for a new zone, which has no events
 * @param now the clock, ms since 1970
 * @param revision of the layer
 */
export function nextRecord(
  zone: Zone,
  counts: ZoneCounts,
  last: ZoneRecord | undefined,
  now: number,
  revision: number,
): ZoneStep {
  let occupied = isOccupied(zone, counts);
  let heldSince: number | null = null;
  if (occupied === false && last?.occupied === true) {
    // A later time is from before the clock was set back.
    const since = Math.min(last.heldSince ?? now, now);
    if (now < since + zone.clearAfter) {
      occupied = true;
      heldSince = since;
    }
  }
  const { capacity } = zone;
  // As long as nothing is known, a full zone stays full.
  const full = capacity !== undefined &&
    (counts.sum >= capacity || occupied === null && last?.full === true);
  const since = last !== undefined && last.occupied === occupied
    ? last.since
    : now;
  const record = {
    zone: zone.name,
    ...{ occupied, full, since, heldSince, revision },
  };
  if (last === undefined) return { record, events: [] };
  const events: ZoneEventName[] = [];
  if (last.full && !full) events.push("available");
  if (last.occupied !== occupied) events.push(EVENTS[`${occupied}`]);
  if (!last.full && full) events.push("full");
  const isSame = events.length === 0 && last.heldSince === heldSince;
  return { record: isSame ? last : record, events };
}

/**
 * Returns the time from which on a zone is not occupied any more, if its cells
 * do not change.
 *
 * @returns ms since 1970; undefined if no hold time is in progress
 */
export function holdEnd(zone: Zone, record: ZoneRecord): number | undefined {
  const { heldSince } = record;
  return heldSince === null ? undefined : heldSince + zone.clearAfter;
}

const EVENTS = {
  true: "occupied",
  false: "cleared",
  null: "unknown",
} as const;
