/** When readings are due; time is passed in. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ReadingBatch } from "../../src/protocol/mod.ts";
import {
  Feed,
  FullPace,
  makeScene,
  type Pace,
  RatePace,
  SpeedPace,
} from "../../src/simulate/mod.ts";

const pure = { permissions: "none" } as const;

/** Waits as it is told, with some delay each time. @returns readings given in that time */
function run(pace: Pace, feed: Feed, ms: number, delay = 0): number {
  const out = new ReadingBatch();
  let turns = 0;
  for (let now = 0; now < ms; turns++) {
    now += Math.max(pace.take(feed, now, out), 0.01) + delay;
    assert.ok(turns < 1_000_000, "it goes on");
  }
  return out.length;
}

Deno.test(
  "RatePace gives what is asked for a second, however late it is called",
  pure,
  () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.5, max: 50_000, noNaN: true }),
        fc.integer({ min: 0, max: 150 }),
        (rate, delay) => {
          const given = run(
            new RatePace(rate),
            new Feed(makeScene("rooms")),
            4000,
            delay,
          );
          const wanted = rate * 4;
          const slack = 2 + rate * (delay + 1) / 1000;
          assert.ok(Math.abs(given - wanted) <= slack, `${given} of ${wanted}`);
        },
      ),
      { numRuns: 40 },
    );
  },
);

Deno.test("RatePace does not make up for a long break", pure, () => {
  const pace = new RatePace(100);
  const feed = new Feed(makeScene("desks"));
  const out = new ReadingBatch();
  pace.take(feed, 0, out);
  assert.equal(out.length, 1);
  out.clear();
  pace.take(feed, 3_600_000, out);
  assert.equal(out.length, 100, "one second of it");
});

Deno.test(
  "SpeedPace lets the scene's time go as fast as is asked",
  pure,
  () => {
    for (const speed of [0.5, 1, 60, 600]) {
      for (const delay of [0, 90]) {
        const feed = new Feed(makeScene("desks"));
        run(new SpeedPace(speed), feed, 10_000, delay);
        const off = Math.abs(feed.elapsed - 10_000 * speed);
        assert.ok(
          off <= (delay + 1) * speed + 2000,
          `${speed}: ${feed.elapsed}`,
        );
      }
    }
  },
);

Deno.test(
  "SpeedPace begins with all sensors and waits for the next step",
  pure,
  () => {
    const feed = new Feed(makeScene("desks", { size: 50 }));
    const out = new ReadingBatch();
    assert.equal(new SpeedPace(2).take(feed, 0, out), 500);
    assert.equal(out.length, 50);
  },
);

Deno.test("SpeedPace does not make up for a long break", pure, () => {
  const pace = new SpeedPace(1);
  const feed = new Feed(makeScene("desks"));
  const out = new ReadingBatch();
  pace.take(feed, 0, out);
  pace.take(feed, 3_600_000, out);
  assert.ok(feed.elapsed <= 2000, `${feed.elapsed}`);
  assert.ok(pace.take(feed, 3_600_000, out) <= 1000);
});

Deno.test("FullPace is always due", pure, () => {
  const feed = new Feed(makeScene("robots"), 25_000);
  const out = new ReadingBatch();
  const pace = new FullPace();
  for (let turn = 0; turn < 3; turn++) {
    assert.equal(pace.take(feed, 0, out), 0);
  }
  assert.equal(out.length, 25_000);
  assert.ok(feed.ended);
});
