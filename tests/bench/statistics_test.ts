/** Medians and quantiles. */
import assert from "node:assert/strict";
import { quantile, spreadOf } from "../../bench/harness/statistics.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

test("quantile() interpolates between the nearest two samples", () => {
  assert.equal(quantile([3], 0.99), 3);
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5);
  assert.equal(quantile([4, 1, 3, 2], 0), 1);
  assert.equal(quantile([4, 1, 3, 2], 1), 4);
  const hundred = Array.from({ length: 101 }, (_, i) => i);
  assert.equal(quantile(hundred, 0.99), 99);
});

test("quantile() throws RangeError without samples or for a share out of range", () => {
  assert.throws(() => quantile([], 0.5), RangeError);
  for (const share of [-0.1, 1.1, NaN]) {
    assert.throws(() => quantile([1], share), RangeError);
  }
});

test("spreadOf() returns median, minimum and maximum, and keeps the samples", () => {
  const samples = [5, 1, 9];
  assert.deepEqual(spreadOf(samples), { median: 5, min: 1, max: 9 });
  assert.deepEqual(samples, [5, 1, 9]);
});
