import assert from "node:assert/strict";
import fc from "fast-check";
import { shade, sparkline } from "../../../src/cli/terminal/sparkline.ts";

Deno.test({
  name: "sparkline() draws 0 as the lowest block, the largest as a full one",
  permissions: "none",
  fn: () => {
    assert.equal(sparkline([0, 1, 4, 7], 80), "▁▂▅█");
    assert.equal(sparkline([0, 0], 80), "▁▁");
    assert.equal(sparkline([0.01, 100], 80), "▂█", "a little is not none");
    assert.equal(sparkline([5, 10], 80, 20), "▃▅");
    assert.equal(sparkline([30], 80, 20), "█", "above the capacity");
    assert.equal(sparkline([], 80), "");
  },
});

Deno.test({
  name: "sparkline() draws what is unknown as dots, never as 0",
  permissions: "none",
  fn: () => {
    assert.equal(sparkline([null, 1, null], 80), "·█·");
    // The mean of two columns is that of what is known.
    assert.equal(sparkline([null, null, null, 4, 0, 4], 3), "·█▅");
  },
});

Deno.test({
  name: "sparkline() is never wider than its columns",
  permissions: "none",
  fn: () => {
    const number = fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }));
    fc.assert(fc.property(
      fc.array(number),
      fc.integer({ min: 1, max: 50 }),
      (values, columns) => {
        const { length } = sparkline(values, columns);
        assert.equal(length, Math.min(columns, values.length));
      },
    ));
  },
});

Deno.test({
  name: "shade() tells none, some, all and unknown apart",
  permissions: "none",
  fn: () => {
    assert.equal([0, 0.01, 0.3, 0.6, 1, null].map(shade).join(""), " ░▒▓█·");
  },
});
