import assert from "node:assert/strict";
import test from "node:test";
import { Backoff, backoffMs, withJitter } from "../../src/common/backoff.ts";

test("each pause is twice as long as the one before, up to the longest", () => {
  const backoff = new Backoff(20, 100);
  const pauses = Array.from({ length: 5 }, () => backoff.next());
  assert.deepEqual(pauses, [20, 40, 80, 100, 100]);
  backoff.reset();
  assert.equal(backoff.next(), 20);
});

test("the pause stays the longest one after any number of failures", () => {
  assert.equal(backoffMs(20, 1000, 1), 20);
  assert.equal(backoffMs(20, 1000, 10_000), 1000);
});

test("jitter leaves at least half of a pause", () => {
  assert.equal(withJitter(100, 0), 50);
  assert.equal(withJitter(100, 1), 100);
  for (let i = 0; i < 100; i++) {
    const pause = withJitter(100);
    assert.ok(pause >= 50 && pause <= 100, `${pause}`);
  }
});
