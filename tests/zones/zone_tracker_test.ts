/** States and events of zones, by example. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import type { Zone } from "../../src/zones/zone.ts";
import type { ZoneEventName, ZoneRecord } from "../../src/zones/zone_events.ts";
import { ZoneTracker, type ZoneUpdate } from "../../src/zones/zone_tracker.ts";
import { columns, type Reading } from "../grid/model.ts";
import { rectangleIndex, zoneOf } from "./rectangles.ts";

const NOW = 1_700_000_000_000;

function test(name: string, fn: () => void) {
  Deno.test({ name: `zones: ${name}`, permissions: "none", fn });
}

/** A map with a tracker, whose records are stored at once. */
class Fixture {
  readonly map: OccupancyMap;
  readonly records = new Map<string, ZoneRecord>();
  readonly events: string[] = [];
  tracker!: ZoneTracker;
  now = NOW;
  #zones: readonly Zone[];

  constructor(zones: readonly Zone[], map = new OccupancyMap()) {
    this.map = map;
    this.#zones = zones;
    this.restart();
  }

  restart(): void {
    this.tracker = new ZoneTracker({
      map: this.map,
      makeIndex: rectangleIndex,
      stored: this.records.values(),
    });
    this.tracker.replace(this.#zones);
  }

  replace(zones: readonly Zone[]): void {
    this.#zones = zones;
    this.tracker.replace(zones);
  }

  /** Applies readings with the present time, without an update. */
  apply(...cells: [x: number, y: number, value: number][]): void {
    const readings = cells.map((cell): Reading => [...cell, this.now]);
    this.map.apply("default", columns(readings), this.now);
  }

  /** Returns the events of an update. */
  update(): ZoneEventName[] {
    const { changes, removed } = run(this.tracker, this.now);
    for (const { zone, record } of changes) {
      if (record !== undefined) this.records.set(zone, record);
    }
    for (const zone of removed) this.records.delete(zone);
    assert.equal(this.tracker.isDue(this.now), false);
    return changes.flatMap(({ events }) => events.map(({ event }) => event));
  }
}

function run(tracker: ZoneTracker, now: number): ZoneUpdate {
  const work = tracker.update(now);
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

test("the state counts the cells of the zone by status", () => {
  const zone = zoneOf("lobby", [[0, 0, 40, 1]], { title: "Hall", capacity: 8 });
  const map = new OccupancyMap({ staleAfter: 100, forgetAfter: 1000 });
  const fixture = new Fixture([zone], map);
  fixture.update();
  assert.deepEqual({ ...fixture.tracker.state("lobby") }, {
    ...{ zone: "lobby", title: "Hall", layer: "default", occupied: null },
    ...{ count: 0, certain: false, capacity: 8, percent: null, cells: 0 },
    ...{ occupiedCells: 0, staleCells: 0, unknownCells: 0 },
    ...{ since: NOW, time: NOW, revision: 0 },
  });
  fixture.apply([0, 0, 3]);
  fixture.now += 950;
  map.age(fixture.now);
  fixture.apply([1, 0, -1], [2, 0, 0], [39, 0, 2], [40, 0, 9], [3, 1, 9]);
  map.apply(
    "default",
    columns([[4, 0, 1, NOW + 500], [5, 0, 0, NOW - 200]]),
    fixture.now,
  );
  assert.deepEqual(fixture.update(), ["occupied"]);
  assert.deepEqual(JSON.parse(JSON.stringify(fixture.tracker.state("lobby"))), {
    ...{ zone: "lobby", title: "Hall", layer: "default", occupied: true },
    ...{ count: 2, certain: false, capacity: 8, percent: 25, cells: 6 },
    ...{ occupiedCells: 1, staleCells: 2, unknownCells: 2 },
    ...{ since: NOW + 950, time: NOW + 950, revision: map.revision },
  });
});

test("percent has one decimal, and is of the cells without a capacity", () => {
  const fixture = new Fixture([
    zoneOf("a", [[0, 0, 3, 1]]),
    zoneOf("b", [[0, 0, 3, 1]], { capacity: 7 }),
  ]);
  fixture.apply([0, 0, 5], [1, 0, 0], [2, 0, 0]);
  fixture.update();
  assert.equal(fixture.tracker.state("a")?.percent, 33.3);
  assert.equal(fixture.tracker.state("b")?.percent, 71.4);
});

test("occupiedWhen: cells, count or percent", () => {
  const box = [[0, 0, 4, 1]] as const;
  const fixture = new Fixture([
    zoneOf("cells", box, { occupiedWhen: { cells: 2 } }),
    zoneOf("count", box, { occupiedWhen: { count: 3 } }),
    zoneOf("percent", box, { occupiedWhen: { percent: 75 } }),
  ]);
  const occupied = (...values: number[]) => {
    fixture.now++;
    fixture.apply(
      ...values.map((value, x): [number, number, number] => [x, 0, value]),
    );
    fixture.update();
    return [...fixture.tracker.states()].filter(({ occupied }) => occupied)
      .map(({ zone }) => zone);
  };
  assert.deepEqual(occupied(1, 0, 0, 0), []);
  assert.deepEqual(occupied(3, 0, 0, 0), ["count"]);
  assert.deepEqual(occupied(1, 1, 0, 0), ["cells"]);
  assert.deepEqual(occupied(1, 1, 1, 0), ["cells", "count", "percent"]);
});

test("a new zone has no event until its state changes", () => {
  const fixture = new Fixture([zoneOf("a", [[0, 0, 1, 1]])]);
  fixture.apply([0, 0, 1]);
  assert.deepEqual(fixture.update(), []);
  assert.equal(fixture.tracker.state("a")?.occupied, true);
  fixture.now++;
  fixture.apply([0, 0, 0]);
  assert.deepEqual(fixture.update(), ["cleared"]);
  assert.deepEqual(fixture.update(), []);
  fixture.now++;
  fixture.apply([0, 0, -1]);
  assert.deepEqual(fixture.update(), ["unknown"]);
});

test("full and available", () => {
  const fixture = new Fixture([zoneOf("a", [[0, 0, 1, 1]], { capacity: 2 })]);
  fixture.update();
  const set = (value: number) => {
    fixture.now++;
    fixture.apply([0, 0, value]);
    return fixture.update();
  };
  assert.deepEqual(set(1), ["occupied"]);
  assert.deepEqual(set(2), ["full"]);
  assert.deepEqual(set(3), []);
  assert.deepEqual(set(0), ["available", "cleared"]);
  assert.deepEqual(set(2), ["occupied", "full"]);
  assert.deepEqual(set(-1), ["unknown"], "nothing says that it is available");
  assert.deepEqual(set(4), ["occupied"]);
  assert.deepEqual(set(1), ["available"]);
});

test("clearAfter holds a zone occupied, also across a restart", () => {
  const fixture = new Fixture([
    zoneOf("a", [[0, 0, 1, 1]], { clearAfter: 50 }),
  ]);
  fixture.apply([0, 0, 1]);
  fixture.update();
  fixture.now += 10;
  fixture.apply([0, 0, 0]);
  assert.deepEqual(fixture.update(), []);
  assert.equal(fixture.tracker.nextDue, NOW + 60);
  const state = fixture.tracker.state("a")!;
  assert.deepEqual([state.occupied, state.count], [true, 0]);
  fixture.now += 20;
  fixture.restart();
  assert.deepEqual(fixture.update(), []);
  assert.equal(fixture.tracker.nextDue, NOW + 60);
  fixture.now = NOW + 59;
  assert.equal(fixture.tracker.isDue(fixture.now), false);
  fixture.now = NOW + 60;
  assert.equal(fixture.tracker.isDue(fixture.now), true);
  assert.deepEqual(fixture.update(), ["cleared"]);
  assert.equal(fixture.tracker.nextDue, Infinity);
});

test("a zone is removed while its hold time is in progress", () => {
  const a = zoneOf("a", [[0, 0, 1, 1]], { clearAfter: 50 });
  const fixture = new Fixture([a]);
  fixture.apply([0, 0, 1]);
  fixture.update();
  fixture.apply([0, 0, 0]);
  fixture.update();
  fixture.replace([]);
  fixture.update();
  assert.equal(fixture.tracker.nextDue, Infinity);
  fixture.now += 50;
  assert.deepEqual(fixture.update(), []);
});

test("occupancy within clearAfter begins a new hold time", () => {
  const fixture = new Fixture([
    zoneOf("a", [[0, 0, 1, 1]], { clearAfter: 50 }),
  ]);
  const set = (value: number, pause: number) => {
    fixture.now += pause;
    fixture.apply([0, 0, value]);
    return fixture.update();
  };
  assert.deepEqual(set(1, 0), []);
  assert.deepEqual(set(0, 1), []);
  assert.deepEqual(set(1, 40), []);
  assert.equal(fixture.tracker.nextDue, Infinity);
  assert.deepEqual(set(0, 40), []);
  assert.equal(fixture.tracker.nextDue, fixture.now + 50);
  assert.deepEqual(set(-1, 40), ["unknown"], "unknown is not held");
  assert.deepEqual(set(0, 40), ["cleared"]);
});

test("a clock that is set back does not prolong a hold time", () => {
  const fixture = new Fixture([
    zoneOf("a", [[0, 0, 1, 1]], { clearAfter: 50 }),
  ]);
  fixture.apply([0, 0, 1]);
  fixture.update();
  fixture.apply([0, 0, 0]);
  fixture.update();
  fixture.now -= 1_000_000;
  assert.deepEqual(fixture.update(), []);
  assert.equal(fixture.tracker.nextDue, fixture.now + 50);
});

test("a change while the server was down is one event", () => {
  const fixture = new Fixture([zoneOf("a", [[0, 0, 1, 1]])]);
  fixture.apply([0, 0, 0]);
  fixture.update();
  for (const value of [1, 0, -1, 2]) {
    fixture.now++;
    fixture.apply([0, 0, value]);
  }
  fixture.restart();
  assert.deepEqual(fixture.update(), ["occupied"]);
  fixture.restart();
  assert.deepEqual(fixture.update(), []);
  assert.equal(fixture.tracker.state("a")?.since, fixture.now);
});

test("cells become stale by the zone's own staleAfter, and fresh by new times", () => {
  const fixture = new Fixture([
    zoneOf("own", [[0, 0, 2, 1]], { staleAfter: 100 }),
    zoneOf("map", [[0, 0, 2, 1]]),
  ]);
  fixture.apply([0, 0, 1]);
  fixture.update();
  assert.equal(fixture.tracker.nextDue, NOW + 101);
  fixture.now = NOW + 60;
  fixture.apply([0, 0, 1]); // a new time only
  assert.deepEqual(fixture.update(), []);
  fixture.now = NOW + 101;
  assert.deepEqual(fixture.update(), []);
  assert.equal(fixture.tracker.nextDue, NOW + 161);
  fixture.now = NOW + 161;
  assert.equal(fixture.tracker.isDue(fixture.now), true);
  assert.deepEqual(fixture.update(), ["unknown"]);
  assert.equal(fixture.tracker.state("own")?.staleCells, 1);
  assert.equal(fixture.tracker.state("map")?.staleCells, 0);
  const { revision } = fixture.map;
  fixture.now = NOW + 500;
  fixture.apply([0, 0, 1]);
  assert.equal(fixture.map.revision, revision, "a new time only");
  assert.equal(fixture.tracker.isDue(fixture.now), true);
  assert.deepEqual(fixture.update(), ["occupied"]);
  assert.equal(fixture.tracker.nextDue, NOW + 601);
  fixture.now++;
  fixture.apply([0, 0, -1]);
  assert.deepEqual(fixture.update(), ["unknown", "unknown"]);
  assert.equal(fixture.tracker.nextDue, Infinity);
});

test("stale cells in many tiles become fresh in several updates", () => {
  const tiles = 600;
  const zone = zoneOf("a", [[0, 0, 32 * tiles, 1]], { staleAfter: 100 });
  const fixture = new Fixture([zone]);
  const cells = Array.from(
    { length: tiles },
    (_, i): [number, number, number] => [32 * i, 0, 1],
  );
  fixture.apply(...cells);
  fixture.update();
  fixture.now += 200;
  fixture.update();
  assert.equal(fixture.tracker.state("a")?.staleCells, tiles);
  fixture.now += 200;
  fixture.apply(...cells);
  const left: number[] = [];
  while (fixture.tracker.isDue(fixture.now)) {
    run(fixture.tracker, fixture.now);
    left.push(fixture.tracker.state("a")!.staleCells);
  }
  assert.deepEqual(left, [344, 88, 0]);
});

test("staleAfter is edited", () => {
  const zone = zoneOf("a", [[0, 0, 1, 1]]);
  const fixture = new Fixture([zone]);
  fixture.apply([0, 0, 1]);
  fixture.update();
  fixture.now += 100;
  fixture.replace([{ ...zone, staleAfter: 99 }]);
  assert.deepEqual(fixture.update(), ["unknown"]);
  fixture.replace([{ ...zone, staleAfter: 100 }]);
  assert.deepEqual(fixture.update(), ["occupied"]);
});

test("after the clock was set back, an earlier time counts for staleAfter", () => {
  const zone = zoneOf("a", [[0, 0, 1, 1]], { staleAfter: 100 });
  const fixture = new Fixture([zone]);
  fixture.apply([0, 0, 1]);
  fixture.now -= 1_000_000;
  fixture.map.age(fixture.now);
  fixture.update();
  fixture.apply([0, 0, 1]); // replaces the time ahead of the clock
  fixture.update();
  fixture.now += 101;
  assert.equal(fixture.tracker.isDue(fixture.now), true);
  assert.deepEqual(fixture.update(), ["unknown"]);
});

test("the corners of the coordinates and the largest values", () => {
  const low = -(2 ** 31);
  const high = 2 ** 31 - 1;
  const zone = zoneOf("a", [[low, low, high + 1, high + 1]]);
  const fixture = new Fixture([
    zone,
    zoneOf("corner", [[high, high, high + 1, high + 1]]),
  ]);
  fixture.apply(
    ...[low, high].flatMap((x) =>
      [low, high].map((y): [number, number, number] => [x, y, high])
    ),
    [0, 0, high],
    [1, 0, high],
  );
  fixture.update();
  assert.equal(fixture.tracker.state("a")?.count, 6 * high);
  assert.equal(fixture.tracker.state("corner")?.count, high);
  assert.equal(fixture.tracker.state("corner")?.cells, 1);
});

test("an edited zone keeps its events, a removed one does not", () => {
  const a = zoneOf("a", [[0, 0, 1, 1]]);
  const fixture = new Fixture([a]);
  fixture.apply([0, 0, 1], [50, 50, 0]);
  fixture.update();
  fixture.replace([zoneOf("a", [[50, 50, 51, 51]])]);
  assert.deepEqual(fixture.update(), ["cleared"]);
  fixture.replace([a]);
  assert.deepEqual(fixture.update(), ["occupied"]);
  fixture.replace([{ ...a, capacity: 1 }]);
  assert.deepEqual(fixture.update(), ["full"]);
  fixture.replace([a]);
  assert.deepEqual(fixture.update(), ["available"]);
  fixture.replace([]);
  const { changes, removed } = run(fixture.tracker, fixture.now);
  assert.deepEqual([changes, removed], [[], ["a"]]);
  assert.equal(fixture.tracker.state("a"), undefined);
  fixture.replace([zoneOf("a", [[50, 50, 51, 51]])]);
  assert.deepEqual(fixture.update(), []);
});

test("equal zones keep their state, and nothing is published of them", () => {
  const zones =
    () => [zoneOf("a", [[0, 0, 1, 1]]), zoneOf("b", [[0, 0, 9, 9]])];
  const fixture = new Fixture(zones());
  fixture.apply([0, 0, 1]);
  fixture.update();
  const state = fixture.tracker.state("a");
  const [a, b] = zones();
  fixture.replace([a!, { ...b!, title: "Bar" }]);
  const { changes } = run(fixture.tracker, fixture.now + 5);
  assert.deepEqual(changes.map(({ state }) => state?.title), ["Bar"]);
  assert.equal(fixture.tracker.state("a"), state);
});

test("the records of zones that are gone after a restart are removed", () => {
  const fixture = new Fixture([zoneOf("a", [[0, 0, 1, 1]])]);
  fixture.update();
  fixture.replace([]);
  fixture.restart();
  assert.deepEqual(run(fixture.tracker, NOW).removed, ["a"]);
});

test("two zones of one name are refused, and the zones stay", () => {
  const fixture = new Fixture([zoneOf("a", [[0, 0, 1, 1]])]);
  fixture.update();
  assert.throws(
    () => fixture.tracker.replace([zoneOf("b", []), zoneOf("b", [])]),
    /two zones with the name b/,
  );
  fixture.update();
  assert.deepEqual([...fixture.tracker.states()].map(({ zone }) => zone), [
    "a",
  ]);
});

test("if an index cannot be made, the zones stay", () => {
  const map = new OccupancyMap();
  const tracker = new ZoneTracker({
    map,
    makeIndex: (zones) => {
      if (zones.length > 1) throw new RangeError("too many");
      return rectangleIndex(zones);
    },
  });
  const zone = zoneOf("a", [[0, 0, 1, 1]]);
  tracker.replace([zone]);
  run(tracker, NOW);
  const other = zoneOf("b", [[0, 0, 1, 1]], { layer: "other" });
  tracker.replace([other, zone, { ...zone, name: "c" }]);
  assert.throws(() => run(tracker, NOW), /too many/);
  map.apply("default", columns([[0, 0, 1, NOW]]), NOW);
  assert.equal(run(tracker, NOW).changes.length, 1);
  assert.deepEqual([...tracker.states()].map(({ zone }) => zone), ["a"]);
});

test("a person who changes tiles in a pause is counted once", () => {
  const map = new OccupancyMap();
  const zone = zoneOf("a", [[0, 0, 6400, 1]]);
  const tracker = new ZoneTracker({
    ...{ map, makeIndex: rectangleIndex, sliceCost: 1 },
  });
  tracker.replace([zone]);
  const tiles = 20;
  const move = (to: number) => {
    const rows = Array.from(
      { length: tiles },
      (_, i): Reading => [i * 32, 0, i === to ? 1 : 0, NOW],
    );
    map.apply("default", columns(rows), NOW);
  };
  move(0);
  const work = tracker.update(NOW);
  let pauses = 0;
  let step = work.next();
  for (; !step.done; step = work.next()) {
    // Always to a tile that may have been counted already, or not yet.
    if (pauses++ < 200) move(pauses * 7 % tiles);
  }
  assert.ok(pauses > tiles);
  assert.equal(tracker.state("a")?.count, 1);
  assert.equal(tracker.state("a")?.revision, map.revision);
});

test("two updates at the same time are refused", () => {
  const map = new OccupancyMap();
  const paused = new ZoneTracker({
    ...{ map, makeIndex: rectangleIndex, sliceCost: 1 },
  });
  paused.replace([zoneOf("a", [[0, 0, 64, 1]])]);
  map.apply("default", columns([[0, 0, 1, NOW], [40, 0, 1, NOW]]), NOW);
  const work = paused.update(NOW);
  assert.equal(work.next().done, false);
  assert.throws(() => paused.update(NOW).next(), /an update is running/);
  while (!work.next().done);
  run(paused, NOW);
  assert.equal(paused.state("a")?.count, 2);
});
