import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeCsv, ReadingBatch } from "../../src/protocol/mod.ts";
import {
  DAY_MS,
  makeScene,
  SceneReader,
  SCENES,
} from "../../src/simulate/mod.ts";

const pure = { permissions: "none" } as const;
const anyScene = fc.constantFrom(...SCENES);

Deno.test(
  "SceneReader.read() reads as many as requested, up to the count",
  pure,
  () => {
    fc.assert(
      fc.property(
        anyScene,
        fc.integer({ min: 1, max: 5000 }),
        fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 8 }),
        (name, count, portions) => {
          const reader = new SceneReader(makeScene(name), count);
          const out = new ReadingBatch();
          let expected = 0;
          for (const portion of portions) {
            reader.read(portion, out);
            expected = Math.min(count, expected + portion);
            assert.equal(out.length, expected);
          }
          assert.equal(reader.ended, expected === count);
          reader.readUntil(30 * DAY_MS, out);
          assert.equal(out.length, count, "also by time");
          assert.ok(reader.ended);
        },
      ),
      { numRuns: 50 },
    );
  },
);

Deno.test(
  "SceneReader reads the same sequence by number and by time",
  pure,
  () => {
    fc.assert(
      fc.property(
        anyScene,
        fc.array(
          fc.record({
            by: fc.constantFrom("number", "time"),
            amount: fc.integer({ min: 0, max: 5000 }),
          }),
          { maxLength: 10 },
        ),
        (name, portions) => {
          const reader = new SceneReader(makeScene(name));
          const out = new ReadingBatch();
          for (const { by, amount } of portions) {
            if (by === "number") reader.read(amount, out);
            else reader.readUntil(reader.elapsedMs + amount, out);
          }
          const whole = new ReadingBatch();
          new SceneReader(makeScene(name)).read(out.length, whole);
          assert.deepEqual(encodeCsv(out), encodeCsv(whole));
        },
      ),
      { numRuns: 50 },
    );
  },
);

Deno.test(
  "SceneReader.readUntil() stops after the maximum number of steps and can continue",
  pure,
  () => {
    const reader = new SceneReader(makeScene("desks"));
    const out = new ReadingBatch();
    assert.equal(reader.readUntil(60_000, out, 10), false);
    assert.equal(reader.elapsedMs, 10_000);
    assert.equal(reader.readUntil(60_000, out, 100), true);
    assert.equal(reader.elapsedMs, 60_000);
  },
);
