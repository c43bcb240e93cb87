/** Tests of paces, with a simulated clock. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import {
  makeScene,
  type Pace,
  RatePace,
  SceneReader,
  SpeedPace,
  UnlimitedPace,
} from "../../src/simulate/mod.ts";

const pure = { permissions: "none" } as const;

/**
 * Reads at a pace for a time, with an additional delay before each call.
 *
 * @returns the number of readings
 */
function run(pace: Pace, reader: SceneReader, ms: number, delay = 0): number {
  const out = new ReadingBatch();
  let calls = 0;
  for (let now = 0; now < ms; calls++) {
    now += Math.max(pace.readDue(reader, now, out), 0.01) + delay;
    assert.ok(calls < 1_000_000, "too many calls");
  }
  return out.length;
}

Deno.test(
  "RatePace.readDue() keeps its rate if it is called late",
  pure,
  () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 50_000, noNaN: true }),
        fc.integer({ min: 0, max: 150 }),
        (rate, delay) => {
          const count = run(
            new RatePace(rate),
            new SceneReader(makeScene("rooms")),
            4000,
            delay,
          );
          const expected = rate * 4;
          const slack = 2 + rate * (delay + 1) / 1000;
          assert.ok(
            Math.abs(count - expected) <= slack,
            `${count} instead of ${expected}`,
          );
        },
      ),
      { numRuns: 40 },
    );
  },
);

Deno.test(
  "RatePace.readDue() does not catch up after a long pause",
  pure,
  () => {
    const pace = new RatePace(100);
    const reader = new SceneReader(makeScene("desks"));
    const out = new ReadingBatch();
    pace.readDue(reader, 0, out);
    assert.equal(out.length, 1);
    out.clear();
    pace.readDue(reader, 3_600_000, out);
    assert.equal(out.length, 100, "the readings of one second");
  },
);

Deno.test(
  "SpeedPace.readDue() keeps its speed if it is called late",
  pure,
  () => {
    for (const speed of [0.5, 1, 60, 600]) {
      for (const delay of [0, 90]) {
        const reader = new SceneReader(makeScene("desks"));
        run(new SpeedPace(speed), reader, 10_000, delay);
        const error = Math.abs(reader.elapsedMs - 10_000 * speed);
        assert.ok(
          error <= (delay + 1) * speed + 2000,
          `${speed}: ${reader.elapsedMs}`,
        );
      }
    }
  },
);

Deno.test(
  "SpeedPace.readDue() reads all sensors first, then waits for the next step",
  pure,
  () => {
    const reader = new SceneReader(makeScene("desks", { size: 50 }));
    const out = new ReadingBatch();
    assert.equal(new SpeedPace(2).readDue(reader, 0, out), 500);
    assert.equal(out.length, 50);
  },
);

Deno.test(
  "SpeedPace.readDue() does not catch up after a long pause",
  pure,
  () => {
    const pace = new SpeedPace(1);
    const reader = new SceneReader(makeScene("desks"));
    const out = new ReadingBatch();
    pace.readDue(reader, 0, out);
    pace.readDue(reader, 3_600_000, out);
    assert.ok(reader.elapsedMs <= 2000, `${reader.elapsedMs}`);
    assert.ok(pace.readDue(reader, 3_600_000, out) <= 1000);
  },
);

Deno.test("UnlimitedPace.readDue() never waits", pure, () => {
  const reader = new SceneReader(makeScene("robots"), 25_000);
  const out = new ReadingBatch();
  const pace = new UnlimitedPace();
  for (let call = 0; call < 3; call++) {
    assert.equal(pace.readDue(reader, 0, out), 0);
  }
  assert.equal(out.length, 25_000);
  assert.ok(reader.ended);
});
