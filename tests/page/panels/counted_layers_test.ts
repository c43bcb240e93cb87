import assert from "node:assert/strict";
import { CountedLayers } from "../../../src/page/panels/counted_layers.ts";

Deno.test({
  name:
    "CountedLayers.has() is false where values are and were only 0 and 1, also in the history",
  permissions: "none",
  fn: () => {
    const counted = new CountedLayers();
    counted.add("desks", { people: 2, occupied: 2 });
    assert.equal(counted.has("desks"), false);
    counted.add("rooms", { people: 3, occupied: 2 });
    // At night each occupied room may have one person.
    counted.add("rooms", { people: 1, occupied: 1 });
    assert.equal(counted.has("rooms"), true);
    counted.addHistory("hall", [[0, 1, 1], [1, 5, 2], [2, 0, 0]]);
    assert.equal(counted.has("hall"), true);
    counted.addHistory("desks", [[0, 1, 1]]);
    assert.equal(counted.has("desks"), false);
  },
});
