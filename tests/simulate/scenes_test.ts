/** Properties of realistic readings that each simulated scene must have. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeCsv, ReadingBatch } from "../../src/protocol/mod.ts";
import { Desks } from "../../src/simulate/desks.ts";
import {
  DAY_MS,
  makeScene,
  type SceneName,
  SceneReader,
  SCENES,
} from "../../src/simulate/mod.ts";
import { Parking } from "../../src/simulate/parking.ts";
import { Robots } from "../../src/simulate/robots.ts";
import { Rooms } from "../../src/simulate/rooms.ts";

const HOUR_MS = 3_600_000;
const pure = { permissions: "none" } as const;
const anySeed = fc.integer();

for (const name of SCENES) {
  Deno.test(
    `makeScene("${name}") gives the same bytes for the same seed, different bytes for another`,
    pure,
    () => {
      fc.assert(
        fc.property(anySeed, anySeed, (seed, other) => {
          const bytes = bytesOf(name, seed, 2000);
          assert.deepEqual(bytesOf(name, seed, 2000), bytes);
          if (other !== seed) {
            assert.notDeepEqual(bytesOf(name, other, 2000), bytes);
          }
        }),
        { numRuns: 20 },
      );
    },
  );

  Deno.test(
    `makeScene("${name}") reports all its cells, and no others`,
    pure,
    () => {
      const scene = makeScene(name, { size: 12 });
      const seen = new Set<string>();
      const out = new ReadingBatch();
      new SceneReader(scene).read(200_000, out);
      for (let i = 0; i < out.length; i++) {
        const [x, y] = [out.x[i]!, out.y[i]!];
        assert.ok(x >= 0 && x < scene.width && y >= 0 && y < scene.height);
        assert.ok(out.value[i]! >= 0);
        seen.add(`${x},${y}`);
      }
      assert.equal(seen.size, scene.cells);
    },
  );
}

Deno.test(
  "Robots reports the cells of its robots as occupied, no two in one cell",
  pure,
  () => {
    fc.assert(
      fc.property(
        anySeed,
        fc.integer({ min: 1, max: 60 }),
        (seed, size) => {
          const robots = new Robots({ seed, size });
          const out = new ReadingBatch();
          const occupied = new Set<string>();
          const apply = () => {
            for (let i = 0; i < out.length; i++) {
              const cell = `${out.x[i]},${out.y[i]}`;
              assert.ok(robots.isFloor(out.x[i]!, out.y[i]!), cell);
              if (out.value[i] === 1) occupied.add(cell);
              else occupied.delete(cell);
            }
            out.clear();
          };
          robots.begin(out);
          apply();
          for (let step = 0; step < 200; step++) {
            const before = robots.positions();
            robots.step(out);
            apply();
            const now = robots.positions();
            assert.deepEqual(occupied, new Set(now.map(String)));
            assert.equal(occupied.size, size, "one robot a cell");
            now.forEach(([x, y], i) => {
              const [bx, by] = before[i]!;
              const distance = Math.abs(x - bx) + Math.abs(y - by);
              assert.ok(distance <= 1, "at most one cell a step");
            });
          }
        },
      ),
      { numRuns: 15 },
    );
  },
);

Deno.test(
  "Robots moves all over the floor, and several robots report the same cells",
  pure,
  () => {
    const robots = new Robots({ size: 24 });
    const out = new ReadingBatch();
    robots.begin(out);
    const start = robots.positions();
    let repeated = 0;
    for (let step = 0; step < 600; step++) {
      out.clear();
      robots.step(out);
      const cells = new Set<string>();
      for (let i = 0; i < out.length; i++) cells.add(`${out.x[i]},${out.y[i]}`);
      repeated += out.length - cells.size;
    }
    const moved = robots.positions()
      .filter(([x, y], i) => x !== start[i]![0] || y !== start[i]![1]);
    assert.ok(moved.length > 18, `${moved.length} of 24 have moved`);
    assert.ok(repeated > 1000, `${repeated} readings of cells reported before`);
  },
);

Deno.test(
  "Rooms reports 0 people or more, and at most 5 above the capacity",
  pure,
  () => {
    fc.assert(
      fc.property(anySeed, fc.integer({ min: 0, max: 6 }), (seed, day) => {
        const rooms = new Rooms({ seed, size: 20, start: day * DAY_MS });
        const out = new ReadingBatch();
        new SceneReader(rooms).readUntil(DAY_MS + HOUR_MS, out);
        for (let i = 0; i < out.length; i++) {
          const room = out.y[i]! * rooms.width + out.x[i]!;
          const max = rooms.capacityOf(room) + 5;
          assert.ok(out.value[i]! >= 0 && out.value[i]! <= max);
        }
      }),
      { numRuns: 10 },
    );
  },
);

Deno.test(
  "Rooms are empty at night and at weekends, and busy during meetings",
  pure,
  () => {
    const at = (start: number) => sumOf(new Rooms({ size: 200, start }));
    assert.equal(at(3 * HOUR_MS), 0);
    assert.equal(at(21 * HOUR_MS), 0);
    assert.equal(at(5 * DAY_MS + 11 * HOUR_MS), 0);
    const busy = at(10.25 * HOUR_MS);
    assert.ok(busy > 200, `${busy} people at 10:15`);
    const between = at(10.5 * HOUR_MS);
    assert.ok(between < busy * 0.85, `${between} at 10:30, ${busy} at 10:15`);
  },
);

Deno.test(
  "Desks fill in the morning, empty at lunch and in the evening",
  pure,
  () => {
    const at = (start: number) => sumOf(new Desks({ size: 2000, start }));
    assert.equal(at(3 * HOUR_MS), 0);
    const eight = at(8 * HOUR_MS);
    const eleven = at(11 * HOUR_MS);
    const lunch = at(12.5 * HOUR_MS);
    const three = at(15 * HOUR_MS);
    const evening = at(20 * HOUR_MS);
    assert.ok(eight > 0 && eight < 0.5 * eleven, `${eight} at 8`);
    assert.ok(eleven > 800 && eleven < 1500, `${eleven} at 11`);
    assert.ok(lunch < 0.6 * eleven, `${lunch} at lunch`);
    assert.ok(three > 0.7 * eleven, `${three} at 15`);
    assert.ok(evening < 0.1 * eleven, `${evening} at 20`);
    const sunday = at(6 * DAY_MS + 11 * HOUR_MS);
    assert.ok(sunday < 0.1 * eleven, `${sunday} on a Sunday`);
  },
);

Deno.test(
  "Parking fills over the day, more on workdays, most near the entrance",
  pure,
  () => {
    const size = 2000;
    const at = (start: number) => sumOf(new Parking({ size, start }));
    assert.equal(at(3 * HOUR_MS), 0);
    const eight = at(8 * HOUR_MS);
    const eleven = at(11 * HOUR_MS);
    const night = at(23.9 * HOUR_MS);
    const saturday = at(5 * DAY_MS + 11 * HOUR_MS);
    assert.ok(eight > 0.1 * size && eight < 0.8 * eleven, `${eight} at 8`);
    assert.ok(eleven > 0.6 * size && eleven < 0.9 * size, `${eleven} at 11`);
    assert.ok(night < 0.01 * size, `${night} at night`);
    assert.ok(saturday < 0.9 * eleven && saturday > 0.3 * eleven);
    // How often the first and the last bays are taken.
    const out = new ReadingBatch();
    const reader = new SceneReader(new Parking({ size: 200, start: 0 }));
    reader.readUntil(DAY_MS - 1, out);
    const taken = new Map<number, boolean>();
    let [near, far] = [0, 0];
    for (let i = 0; i < out.length; i++) {
      const bay = out.y[i]! * 1000 + out.x[i]!;
      const isTaken = out.value[i] === 1;
      if (isTaken && taken.get(bay) === false) {
        if (out.y[i]! < 2) near++;
        else if (out.y[i]! >= 8) far++;
      }
      taken.set(bay, isTaken);
    }
    assert.ok(near > 2 * far && far > 10, `${near} near, ${far} far away`);
  },
);

Deno.test(
  "Campus speeds up its offices, not its robots",
  pure,
  () => {
    const readings = (officeSpeed: number) => {
      const reader = new SceneReader(makeScene("campus", { officeSpeed }));
      const out = new ReadingBatch();
      reader.readUntil(HOUR_MS / 60, out);
      const robots = new ReadingBatch();
      let offices = 0;
      for (let i = 0; i < out.length; i++) {
        const x = out.x[i]!;
        if (x >= 32) robots.push(x, out.y[i]!, out.value[i]!);
        else offices++;
      }
      return { robots: encodeCsv(robots), offices };
    };
    const slow = readings(1);
    const fast = readings(60);
    assert.deepEqual(fast.robots, slow.robots);
    assert.equal(
      slow.offices,
      288 + 240 + 2 * 48,
      "the first readings, then those of a minute",
    );
    assert.equal(fast.offices, 288 + 60 * (240 + 2 * 48));
  },
);

Deno.test("Desks reports each desk once a minute, as 1 or 0", pure, () => {
  const desks = new Desks({ size: 100, start: 10 * HOUR_MS });
  const out = new ReadingBatch();
  desks.begin(out);
  out.clear();
  for (let second = 0; second < 600; second++) desks.step(out);
  const times = new Map<string, number>();
  for (let i = 0; i < out.length; i++) {
    assert.ok(out.value[i] === 0 || out.value[i] === 1);
    const cell = `${out.x[i]},${out.y[i]}`;
    times.set(cell, (times.get(cell) ?? 0) + 1);
  }
  assert.equal(times.size, 100);
  assert.deepEqual(new Set(times.values()), new Set([10]));
});

function bytesOf(name: SceneName, seed: number, count: number): Uint8Array {
  const out = new ReadingBatch();
  new SceneReader(makeScene(name, { seed })).read(count, out);
  return encodeCsv(out);
}

/** The sum of the first readings of all sensors. */
function sumOf(scene: Desks | Rooms | Parking): number {
  const out = new ReadingBatch();
  scene.begin(out);
  return out.value.subarray(0, out.length).reduce((sum, one) => sum + one, 0);
}
