import assert from "node:assert/strict";
import {
  Level,
  levelOf,
  LEVELS,
  statusOf,
  wasStale,
} from "../../src/grid/status.ts";

Deno.test({
  name: "statusOf() returns unknown below 0, fresh or stale",
  permissions: "none",
  fn: () => {
    const values = [-(2 ** 31), -1, 0, 1, 7];
    assert.deepEqual(
      values.map((value) => statusOf(value, false)),
      ["unknown", "unknown", "free", "occupied", "occupied"],
    );
    assert.deepEqual(
      values.map((value) => statusOf(value, true)),
      ["unknown", "unknown", "stale", "stale", "stale"],
    );
  },
});

Deno.test({
  name: "wasStale() compares the age with the threshold, if both are known",
  permissions: "none",
  fn: () => {
    assert.equal(wasStale(1000, { time: 1500, staleAfter: 500 }), false);
    assert.equal(wasStale(1000, { time: 1501, staleAfter: 500 }), true);
    assert.equal(wasStale(2000, { time: 1500, staleAfter: 0 }), false);
    assert.equal(wasStale(NaN, { time: 1500, staleAfter: 0 }), false);
    assert.equal(wasStale(0, { time: 1500 }), false);
    assert.equal(wasStale(0, { staleAfter: 500 }), false);
  },
});

Deno.test({
  name: "levelOf() increases from free through stale and unknown to occupied",
  permissions: "none",
  fn: () => {
    const rising = [
      Level.None,
      levelOf(0, false),
      levelOf(0, true),
      levelOf(-1, false),
      levelOf(3, true),
      levelOf(1, false),
      levelOf(2, false),
      levelOf(10, false),
    ];
    assert.deepEqual([...rising].sort((a, b) => a - b), rising);
    assert.equal(levelOf(2 ** 31 - 1, false), levelOf(10, false));
    assert.equal(levelOf(2 ** 31 - 1, false), LEVELS - 1);
    assert.equal(levelOf(-5, true), Level.Unknown);
  },
});
