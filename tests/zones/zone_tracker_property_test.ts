/**
 * After any sequence of readings, expiry, deletions, removals, edits of zones
 * and restarts, every zone equals a recount from the cells, and its events are
 * exactly the changes from update to update.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Freshness, OccupancyMap } from "../../src/grid/mod.ts";
import type { TileZonesMaker } from "../../src/zones/tile_zones.ts";
import type { OccupiedWhen, Zone } from "../../src/zones/zone.ts";
import type { ZoneEventName, ZoneRecord } from "../../src/zones/zone_events.ts";
import { ZoneIndex } from "../../src/zones/zone_index.ts";
import { ZoneTracker } from "../../src/zones/zone_tracker.ts";
import {
  columns,
  type Reading,
  removeLongUnknown,
  restored,
} from "../grid/model.ts";
import {
  hasCell,
  type Rectangle,
  rectangleIndex,
  zoneOf,
} from "./rectangles.ts";

const START = 1_700_000_000_000;
const STALE_AFTER = 300;
const FORGET_AFTER = 900;
const LAYERS = ["one", "two"];

/** Counts as a state has them. */
interface Recount {
  cells: number;
  occupiedCells: number;
  staleCells: number;
  unknownCells: number;
  count: number;
}

/** What the test expects of a zone, by its own rules. */
interface Expected {
  occupied: boolean | null;
  full: boolean;
  heldSince: number | undefined;
}

const coordinate = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.integer({ min: -40, max: 40 }),
);
const reading = fc.record({
  x: coordinate,
  y: fc.integer({ min: -2, max: 2 }),
  value: fc.integer({ min: -1, max: 3 }),
  age: fc.oneof(fc.constantFrom(0, 1), fc.nat(1000)),
});
const rectangle = fc.tuple(
  fc.oneof(
    fc.integer({ min: -4, max: 3 }),
    fc.integer({ min: -70, max: 40 }),
  ),
  fc.oneof(
    fc.integer({ min: -2, max: 1 }),
    fc.integer({ min: -34, max: 2 }),
  ),
  fc.constantFrom(1, 2, 5, 40, 110),
  fc.constantFrom(1, 2, 5, 40, 80),
).map(([x, y, width, height]): Rectangle => [x, y, x + width, y + height]);
const zone = fc.record({
  layer: fc.constantFrom(...LAYERS),
  rectangles: fc.array(rectangle, { minLength: 1, maxLength: 2 }),
  capacity: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  occupiedWhen: fc.oneof(
    fc.constantFrom(1, 1, 3).map((cells): OccupiedWhen => ({ cells })),
    fc.integer({ min: 1, max: 5 }).map((count): OccupiedWhen => ({ count })),
    fc.integer({ min: 1, max: 99 }).map(
      (percent): OccupiedWhen => ({ percent }),
    ),
  ),
  clearAfter: fc.constantFrom(0, 0, 150),
  staleAfter: fc.constantFrom(undefined, undefined, 100, 500),
}).map(({ rectangles, ...options }) => zoneOf("", rectangles, options));
/** Some of the zones z0 to z3; an edit of one often keeps the others. */
const zones = fc.array(fc.tuple(fc.nat(3), zone), { maxLength: 5, size: "max" })
  .map(
    (list) => [
      ...new Map(list.map(([i, zone]) => [i, { ...zone, name: `z${i}` }]))
        .values(),
    ],
  );

const update = fc.record({
  kind: fc.constant("update" as const),
  /** Readings in the pauses of the update. */
  inPauses: fc.array(reading, { maxLength: 3 }),
  /** Whether all shards are replaced by equal ones in the last pause of them. */
  reload: fc.boolean(),
});
const step = fc.oneof(
  { weight: 6, arbitrary: update },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("apply" as const),
      layer: fc.constantFrom(...LAYERS),
      readings: fc.array(reading, { minLength: 1, maxLength: 12 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.nat(250),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "delete" as const,
        "remove" as const,
        "restart" as const,
      ),
      layer: fc.constantFrom(...LAYERS),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("replace" as const), zones }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("edit" as const),
      number: fc.nat(3),
      zone,
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Returns a map as a restart makes it of the stored tiles. */
function restoredMap(map: OccupancyMap): OccupancyMap {
  for (const [, grid] of map.layers()) {
    for (let tile = 0; tile < grid.tileCount; tile++) grid.markDirty(tile);
  }
  const copy = restored(map, emptyMap(map.shards.length));
  for (const [i, { revision, began }] of map.shards.entries()) {
    copy.shards[i]!.restoreRevision(revision, began);
  }
  return copy;
}

function emptyMap(shards: number): OccupancyMap {
  return new OccupancyMap({
    staleAfter: STALE_AFTER,
    forgetAfter: FORGET_AFTER,
  }, { shards });
}

/** A run of the test. */
class Run {
  map: OccupancyMap;
  zones: readonly Zone[];
  now = START;
  tracker!: ZoneTracker;
  readonly records = new Map<string, ZoneRecord>();
  readonly expected = new Map<string, Expected>();
  /** The names that were removed since the last update. */
  readonly removed = new Set<string>();

  readonly #makeIndex: TileZonesMaker;

  constructor(
    zones: readonly Zone[],
    makeIndex: TileZonesMaker,
    shards: number,
  ) {
    this.map = emptyMap(shards);
    const used = new Set(LAYERS.map((layer) => this.map.shardOf(layer)));
    assert.equal(used.size, Math.min(shards, LAYERS.length));
    this.zones = zones;
    this.#makeIndex = makeIndex;
    this.restart();
  }

  restart(): void {
    this.tracker = new ZoneTracker({
      map: this.map,
      makeIndex: this.#makeIndex,
      stored: [...this.records.values()],
      sliceCost: 1,
    });
    this.tracker.replace(this.zones);
  }

  do(step: Step): void {
    switch (step.kind) {
      case "apply":
        return this.apply(step.layer, step.readings);
      case "wait":
        this.now += step.ms;
        this.map.age(this.now);
        return;
      case "delete":
        this.map.deleteLayer(step.layer, this.now);
        return;
      case "remove":
        if (this.map.layer(step.layer) !== undefined) {
          removeLongUnknown(this.map, step.layer, this.now, 50);
        }
        return;
      case "restart":
        this.map = restoredMap(this.map);
        this.map.age(this.now);
        return this.restart();
      case "replace":
        this.zones = step.zones;
        return this.tracker.replace(this.zones);
      case "edit":
        this.zones = this.zones.map((old) =>
          old.name === `z${step.number}`
            ? { ...step.zone, name: old.name }
            : structuredClone(old)
        );
        return this.tracker.replace(this.zones);
      case "update":
        this.update([
          ...(step.reload ? [() => this.reload()] : []),
          ...step.inPauses.map((reading) => () => {
            this.apply(LAYERS[reading.age % 2]!, [reading]);
          }),
        ]);
    }
  }

  /** Replaces all shards, as a server that was far behind does. */
  reload(): void {
    const { shards } = restoredMap(this.map);
    for (const [i, shard] of shards.entries()) this.map.replaceShard(i, shard);
    this.map.age(this.now);
  }

  apply(
    layer: string,
    readings: { x: number; y: number; value: number; age: number }[],
  ): void {
    const rows = readings.map(({ x, y, value, age }): Reading => [
      ...[x, y, value, this.now - age] as const,
    ]);
    this.map.apply(layer, columns(rows), this.now);
  }

  /** Updates, checks all states, and compares the events with the changes. */
  update(inPauses: (() => void)[] = []): void {
    const wasDue = this.tracker.isDue(this.now);
    const { revision } = this.map;
    const work = this.tracker.update(this.now);
    let next = work.next();
    let isDisturbed = false;
    for (; !next.done; next = work.next()) {
      const change = inPauses.pop();
      change?.();
      isDisturbed ||= change !== undefined;
    }
    const { changes, removed } = next.value;
    if (!wasDue) assert.deepEqual([changes, removed], [[], []]);
    assert.ok(this.map.revision >= revision);
    for (const name of this.expected.keys()) {
      if (this.zones.some((zone) => zone.name === name)) continue;
      this.expected.delete(name);
      assert.ok(removed.includes(name));
    }
    for (const name of removed) this.records.delete(name);
    const events = new Map<string, ZoneEventName[]>();
    for (const { zone, events: found, record } of changes) {
      assert.ok(!events.has(zone), "each zone once");
      events.set(zone, found.map(({ event }) => event));
      if (record !== undefined) this.records.set(zone, record);
    }
    for (const zone of this.zones) {
      // A time that was updated in a pause is counted by the next update.
      const isExact = !isDisturbed || zone.staleAfter === undefined;
      const expected = this.check(zone, isExact);
      assert.deepEqual(events.get(zone.name) ?? [], expected, zone.name);
    }
    if (isDisturbed) this.update();
    else assert.equal(this.tracker.isDue(this.now), false);
  }

  /** Checks the state of a zone. Returns the events that it must have had. */
  check(zone: Zone, isExact: boolean): ZoneEventName[] {
    const state = this.tracker.state(zone.name)!;
    const { cells, occupiedCells, staleCells, unknownCells, count } = state;
    let counts: Recount = {
      ...{ cells, occupiedCells, staleCells, unknownCells, count },
    };
    if (isExact) {
      const recount = recountZone(this.map, zone, this.now);
      assert.deepEqual(counts, recount, zone.name);
      counts = recount;
    }
    const last = this.expected.get(zone.name);
    const next = this.expect(zone, counts, last);
    this.expected.set(zone.name, next);
    assert.equal(state.occupied, next.occupied, zone.name);
    assert.equal(
      state.certain,
      counts.cells > 0 && counts.staleCells + counts.unknownCells === 0,
    );
    if (last === undefined) return [];
    const events: ZoneEventName[] = [];
    if (last.full && !next.full) events.push("available");
    if (last.occupied !== next.occupied) {
      if (next.occupied === null) events.push("unknown");
      else events.push(next.occupied ? "occupied" : "cleared");
    }
    if (!last.full && next.full) events.push("full");
    return events;
  }

  expect(zone: Zone, counts: Recount, last: Expected | undefined): Expected {
    const { capacity, occupiedWhen: when } = zone;
    const known = counts.cells - counts.staleCells - counts.unknownCells;
    if (known === 0) {
      const full = capacity !== undefined && last?.full === true;
      return { occupied: null, full, heldSince: undefined };
    }
    const full = capacity !== undefined && counts.count >= capacity;
    const part = capacity === undefined
      ? counts.occupiedCells / counts.cells
      : counts.count / capacity;
    const isOccupied = "cells" in when
      ? counts.occupiedCells >= when.cells
      : "count" in when
      ? counts.count >= when.count
      : part * 100 >= when.percent;
    if (!isOccupied && last?.occupied === true) {
      const heldSince = last.heldSince ?? this.now;
      if (this.now - heldSince < zone.clearAfter) {
        return { occupied: true, full, heldSince };
      }
    }
    return { occupied: isOccupied, full, heldSince: undefined };
  }
}

function recountZone(map: OccupancyMap, zone: Zone, now: number): Recount {
  const counts: Recount = {
    cells: 0,
    occupiedCells: 0,
    staleCells: 0,
    unknownCells: 0,
    count: 0,
  };
  map.layer(zone.layer)?.scan((x, y, value, time, _revision, freshness) => {
    if (!hasCell(zone, x, y)) return;
    const isStale = zone.staleAfter === undefined
      ? freshness === Freshness.Stale
      : now > time + zone.staleAfter;
    counts.cells++;
    if (value < 0) counts.unknownCells++;
    else if (isStale) counts.staleCells++;
    else if (value > 0) {
      counts.occupiedCells++;
      counts.count += value;
    }
  });
  return counts;
}

for (
  const [name, makeIndex, shards] of [
    ["a simple index", rectangleIndex, 1],
    ["two layers in different shards", rectangleIndex, 3],
    // A cache of a few tiles, so that masks are made again.
    [
      "ZoneIndex",
      (zones: readonly Zone[]) => new ZoneIndex(zones, { maxCacheBytes: 4096 }),
      1,
    ],
  ] as const
) {
  Deno.test({
    name:
      `zones: each equals a recount, and its events are its changes, with ${name}`,
    permissions: "none",
    fn: () => {
      const steps = fc.array(step, {
        minLength: 10,
        maxLength: 80,
        size: "max",
      });
      fc.assert(
        fc.property(zones, steps, (zones, steps) => {
          const run = new Run(zones, makeIndex, shards);
          for (const step of steps) run.do(step);
          run.update();
        }),
        { numRuns: 150 },
      );
    },
  });
}
