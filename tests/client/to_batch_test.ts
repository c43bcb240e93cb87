import assert from "node:assert/strict";
import { toBatch } from "../../src/client/mod.ts";

Deno.test({
  name: "toBatch() accepts objects and columns",
  permissions: "none",
  fn: () => {
    const each = toBatch([
      { x: 1, y: -2, value: true },
      { x: 3, y: 4, value: null, time: 5.9 },
      { x: 5, y: 6, value: false, time: new Date(7) },
    ]);
    assert.deepEqual([...each.value.subarray(0, 3)], [1, -1, 0]);
    assert.deepEqual([...each.time.subarray(0, 3)], [NaN, 5, 7]);
    const columns = toBatch({ length: 2, x: [1, 2], y: [3, 4], value: [5, 6] });
    assert.deepEqual([...columns.y.subarray(0, 2)], [3, 4]);
    assert.ok(Number.isNaN(columns.time[1]));
    assert.equal(toBatch(each).length, 3, "a batch has columns");
  },
});

Deno.test({
  name: "toBatch() throws RangeError that names the reading and the field",
  permissions: "none",
  fn: () => {
    const good = { x: 1, y: 2, value: 3 };
    const bad: Record<string, unknown>[] = [
      { x: 0.5 },
      { y: 2 ** 31 },
      { value: NaN },
      { value: undefined },
      { value: "1.5" },
      { time: -1 },
      { time: 1e15 },
      { time: 1_700_000_000 }, // seconds
      { time: NaN },
      { time: new Date("nonsense") },
    ];
    for (const wrong of bad) {
      assert.throws(
        () => toBatch([good, { ...good, ...wrong }]),
        (error) =>
          error instanceof RangeError &&
          /reading 2: (x|y|value|time) /.test(error.message),
        JSON.stringify(wrong),
      );
    }
    assert.throws(
      () => toBatch({ length: 2, x: [1], y: [1, 2], value: [1, 2] }),
      RangeError,
    );
  },
});
