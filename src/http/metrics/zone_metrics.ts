/**
 * The metrics of zones.
 *
 * @module
 */
import { printable } from "../../common/printable.ts";
import {
  ZONE_EVENT_NAMES,
  type ZoneEditProblem,
  type ZoneEditResult,
  type ZoneService,
  type ZoneState,
} from "../../zones/mod.ts";
import { type ComputedMetric, single } from "./computed_metric.ts";

/**
 * Maximum number of zones with metrics of their own, the first ones of the
 * collection: labels are expensive in Prometheus.
 */
export const MAX_ZONE_LABELS = 200;

/** Counts events and edits of zones, since the server started. */
export class ZoneCounters {
  /** By event; each has a value from the start. */
  readonly #events = new Map(
    Object.keys(ZONE_EVENT_NAMES).map((event) => [event, 0]),
  );
  readonly #edits = { added: 0, changed: 0, deleted: 0, conflicts: 0 };

  /** @param zones whose events to count, as long as the server runs */
  constructor(zones: ZoneService) {
    zones.observe({
      onUpdate: ({ changes }) => {
        for (const { events } of changes) {
          for (const { event } of events) {
            this.#events.set(event, (this.#events.get(event) ?? 0) + 1);
          }
        }
      },
    });
  }

  /** Counts what an edit over HTTP has done. */
  addEdit({ added, changed, deleted }: ZoneEditResult): void {
    this.#edits.added += added;
    this.#edits.changed += changed;
    this.#edits.deleted += deleted;
  }

  /** Counts an edit over HTTP that was not done. */
  addProblem(problem: ZoneEditProblem): void {
    if (problem === "changed") this.#edits.conflicts++;
  }

  /** Metrics that only increase. */
  metrics(): ComputedMetric[] {
    const events = this.#events;
    const edits = this.#edits;
    return [
      {
        name: "occupancy_zone_events_total",
        help: "Events of zones, by event.",
        labels: ["event"],
        *read() {
          for (const [event, count] of events) yield [count, { event }];
        },
      },
      {
        name: "occupancy_zone_edits_total",
        help:
          "Zones that were added, changed or deleted over HTTP, and edits that were not done because of their If-Match or If-None-Match.",
        labels: ["outcome"],
        *read() {
          for (const [outcome, count] of Object.entries(edits)) {
            yield [count, { outcome }];
          }
        },
      },
    ];
  }
}

/** Metrics that increase and decrease. */
export function zoneGauges(zones: ZoneService): ComputedMetric[] {
  return [
    {
      name: "occupancy_zones",
      help: "Zones by state.",
      labels: ["state"],
      read() {
        const counts = { occupied: 0, free: 0, unknown: 0 };
        for (const { occupied } of zones.states()) {
          if (occupied === null) counts.unknown++;
          else if (occupied) counts.occupied++;
          else counts.free++;
        }
        return Object.entries(counts)
          .map(([state, count]) => [count, { state }] as const);
      },
    },
    {
      name: "occupancy_full_zones",
      help: "Zones whose count has reached their capacity.",
      read() {
        let full = 0;
        for (const { count, capacity = Infinity } of zones.states()) {
          if (count >= capacity) full++;
        }
        return single(full);
      },
    },
    {
      name: "occupancy_zone_occupied",
      help:
        `1 if the zone is occupied, 0 if it is free, absent if that is unknown; of the first ${MAX_ZONE_LABELS} zones.`,
      labels: ["zone"],
      *read() {
        for (const { occupied, zone } of labelled(zones)) {
          if (occupied !== null) yield [Number(occupied), { zone }];
        }
      },
    },
    {
      name: "occupancy_zone_people",
      help:
        `Sum of the values of the fresh occupied cells of the zone; of the first ${MAX_ZONE_LABELS} zones.`,
      labels: ["zone"],
      *read() {
        for (const { count, zone } of labelled(zones)) yield [count, { zone }];
      },
    },
    {
      name: "occupancy_zone_capacity",
      help:
        `Capacity of the zone, if it has one; of the first ${MAX_ZONE_LABELS} zones.`,
      labels: ["zone"],
      *read() {
        for (const { capacity, zone } of labelled(zones)) {
          if (capacity !== undefined) yield [capacity, { zone }];
        }
      },
    },
  ];
}

/** The states with metrics of their own; `zone` is the label. */
function* labelled(zones: ZoneService): Generator<ZoneState> {
  const labels = new Set<string>();
  for (const state of zones.states()) {
    const zone = printable(state.zone);
    // Two names can have one label: "\u{202e}" with and without the escape.
    if (labels.has(zone)) continue;
    labels.add(zone);
    yield { ...state, zone };
    if (labels.size === MAX_ZONE_LABELS) return;
  }
}
