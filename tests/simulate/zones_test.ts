/** The zones of the simulated scenes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import {
  DAY_MS,
  makeScene,
  type Scene,
  SCENES,
  zonesOf,
} from "../../src/simulate/mod.ts";
import { Rooms } from "../../src/simulate/rooms.ts";
import { writeZones, ZoneIndex, ZoneTracker } from "../../src/zones/mod.ts";
import type { Zone, ZoneState } from "../../src/zones/mod.ts";
import { holdsCell } from "../zones/recount.ts";
import { atOnce } from "../../src/common/at_once.ts";
import { read } from "../zones/support.ts";

const pure = { permissions: "none" } as const;
const HOUR_MS = 3_600_000;
const START_MS = 1_700_000_000_000;

/** The zones of a whole scene, and how the names of their parts begin. */
const PART_PREFIXES = new Map([
  ["office", "desks-"],
  ["meeting-rooms", "room-"],
  ["car-park", "bays-"],
  ["warehouse", "aisle-"],
]);

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly value: number;
}

const options = fc.record({
  seed: fc.integer(),
  size: fc.integer({ min: 1, max: 90 }),
});

/** Returns the last values of a scene once all its cells were reported. */
function play(scene: Scene): Cell[] {
  const cells = new Map<string, Cell>();
  const out = new ReadingBatch();
  scene.begin(out);
  for (;;) {
    for (let i = 0; i < out.length; i++) {
      const [x, y, value] = [out.x[i]!, out.y[i]!, out.value[i]!];
      cells.set(`${x},${y}`, { x, y, value });
    }
    if (cells.size === scene.cells) return [...cells.values()];
    out.clear();
    for (let i = 0; i < 100; i++) scene.step(out);
  }
}

/** Returns the states of zones on a map with these cells, as a server has. */
function statesOf(zones: readonly Zone[], cells: readonly Cell[]) {
  const map = new OccupancyMap();
  const readings = new ReadingBatch();
  for (const { x, y, value } of cells) readings.push(x, y, value, START_MS);
  map.apply("default", readings, START_MS);
  const tracker = new ZoneTracker({
    map,
    makeIndex: (zones) => new ZoneIndex(zones),
  });
  tracker.replace(zones);
  atOnce(tracker.update(START_MS));
  return new Map([...tracker.states()].map((state) => [state.zone, state]));
}

for (const name of SCENES) {
  Deno.test(
    `the zones of ${name} are valid: a server accepts them`,
    pure,
    () => {
      fc.assert(
        fc.property(options, fc.constantFrom("default", "hall/l2"), (
          options,
          layer,
        ) => {
          const zones = zonesOf(makeScene(name, options).areas(), layer);
          assert.deepEqual(read([...writeZones(zones)].join("")), zones);
          assert.ok(zones.every((zone) => zone.layer === layer));
        }),
        { numRuns: 20 },
      );
    },
  );

  Deno.test(
    `the states of the zones of ${name} are counts of its readings`,
    pure,
    () => {
      fc.assert(
        fc.property(options, (options) => {
          const scene = makeScene(name, options);
          const cells = play(scene);
          const zones = zonesOf(scene.areas(), "default");
          const states = statesOf(zones, cells);
          for (const zone of zones) {
            const inside = cells.filter(({ x, y }) => holdsCell(zone, x, y));
            assert.ok(inside.length > 0, `${zone.name} has no cell`);
            const state = states.get(zone.name)!;
            assert.equal(state.cells, inside.length, zone.name);
            const sum = inside.reduce((sum, { value }) => sum + value, 0);
            assert.equal(state.count, sum, zone.name);
          }
        }),
        { numRuns: 20 },
      );
    },
  );

  Deno.test(
    `each cell of ${name} is in one whole and in one of its parts`,
    pure,
    () => {
      fc.assert(
        fc.property(options, (options) => {
          const scene = makeScene(name, options);
          const zones = zonesOf(scene.areas(), "default");
          const wholes = zones.filter(({ name }) => PART_PREFIXES.has(name));
          assert.equal(wholes.length, name === "campus" ? 3 : 1);
          for (const { x, y } of play(scene)) {
            const at = zones.filter((zone) => holdsCell(zone, x, y));
            const [whole, ...parts] = at.map(({ name }) => name);
            const prefix = PART_PREFIXES.get(whole!)!;
            const isPart = (name: string) => name.startsWith(prefix);
            // A whole of one part has no zone for the part.
            const isDivided = zones.some(({ name }) => isPart(name));
            assert.equal(parts.length, isDivided ? 1 : 0, `${x},${y}`);
            assert.ok(parts.every(isPart), `${whole}: ${parts}`);
          }
        }),
        { numRuns: 20 },
      );
    },
  );
}

Deno.test("each room of a campus is a zone of one cell", pure, () => {
  const { zones, states } = campusAtEleven();
  const rooms = zones.filter(({ name }) => name.startsWith("room-"));
  assert.equal(rooms.length, 48);
  for (const { name } of rooms) assert.equal(states.get(name)!.cells, 1);
});

Deno.test(
  "the capacity of an area of desks or bays is their number",
  pure,
  () => {
    const names = fc.constantFrom("desks" as const, "parking" as const);
    fc.assert(
      fc.property(names, options, (name, options) => {
        const scene = makeScene(name, options);
        const zones = zonesOf(scene.areas(), "default");
        const states = statesOf(zones, play(scene));
        for (const { name, capacity } of zones) {
          assert.equal(states.get(name)!.cells, capacity, name);
        }
      }),
      { numRuns: 20 },
    );
  },
);

Deno.test(
  "rooms are filled to their capacity, and rarely beyond",
  pure,
  () => {
    const scene = new Rooms({ seed: 5, start: 0 });
    const zones = zonesOf(scene.areas(), "default").slice(1);
    const readings = new ReadingBatch();
    scene.begin(readings);
    while (readings.length < 60 * DAY_MS / 30_000) scene.step(readings);
    let [full, over] = [0, 0];
    for (let i = 0; i < readings.length; i++) {
      const { x, y, value } = readings;
      const { capacity } = zones[y[i]! * scene.width + x[i]!]!;
      if (value[i]! >= capacity!) full++;
      if (value[i]! > capacity!) over++;
    }
    assert.ok(full > readings.length / 100, `${full} of ${readings.length}`);
    assert.ok(over < readings.length / 100, `${over} of ${readings.length}`);
  },
);

Deno.test(
  "a campus at eleven has full, partly filled and empty zones",
  pure,
  () => {
    const { zones, states } = campusAtEleven();
    const of = (name: string) => states.get(name)!;
    assert.ok(within(of("office").percent!, 40, 90), `${of("office").percent}`);
    assert.ok(within(of("meeting-rooms").percent!, 10, 70));
    // The robots: a warehouse has no capacity.
    assert.equal(of("warehouse").count, 19);
    assert.equal(of("warehouse").capacity, undefined);
    const rooms = zones.filter(({ name }) => name.startsWith("room-"))
      .map(({ name }) => of(name).percent!);
    assert.ok(rooms.some((percent) => percent >= 100));
    assert.ok(rooms.some((percent) => within(percent, 10, 90)));
    assert.ok(rooms.some((percent) => percent === 0));
  },
);

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}

/** The campus with its default options, at eleven on a workday. */
function campusAtEleven(): {
  zones: Zone[];
  states: Map<string, ZoneState>;
} {
  const scene = makeScene("campus", { start: 11 * HOUR_MS });
  const zones = zonesOf(scene.areas(), "default");
  return { zones, states: statesOf(zones, play(scene)) };
}
