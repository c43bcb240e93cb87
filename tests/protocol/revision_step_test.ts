import assert from "node:assert/strict";
import { checkStep } from "../../src/protocol/revision_step.ts";

Deno.test({
  name: "checkStep() applies deltas that follow or overlap, and reports gaps",
  permissions: "none",
  fn: () => {
    for (
      const [from, to, expected] of [
        [10, 11, "apply"],
        [8, 11, "apply"],
        [8, 10, "known"],
        [8, 9, "known"],
        [10, 10, "known"],
        [9, 9, "gap"],
        [11, 11, "gap"],
        [11, 12, "gap"],
      ] as const
    ) {
      assert.equal(checkStep(10, { from, to }), expected, `${from} to ${to}`);
    }
  },
});
