import assert from "node:assert/strict";
import { areDense } from "../../../src/page/panels/latest_panel.ts";
import type { LatestChange } from "../../../src/feed/messages.ts";

const permissions = "none";

/** @param ms between two changes */
function changes(count: number, ms: number): LatestChange[] {
  return Array.from({ length: count }, (_, i) => [i, 0, 1, 1e6 - i * ms, null]);
}

Deno.test({
  name: "areDense() is true if changes follow each other within a second",
  permissions,
  fn: () => {
    assert.equal(areDense(changes(30, 5)), true);
    assert.equal(areDense(changes(30, 999)), true);
    assert.equal(areDense(changes(30, 1000)), false);
    assert.equal(areDense(changes(30, 0)), false, "one payload");
    assert.equal(areDense(changes(4, 5)), false);
    assert.equal(areDense([]), false);
  },
});
