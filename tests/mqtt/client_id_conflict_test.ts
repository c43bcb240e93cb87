import assert from "node:assert/strict";
import { ClientIdConflict } from "../../src/mqtt/client_id_conflict.ts";

Deno.test({
  name:
    "ClientIdConflict.disconnected() is true from the fifth brief connection in a row",
  permissions: "none",
  fn: () => {
    const conflict = new ClientIdConflict();
    const results = [];
    for (let now = 0; results.length < 6; now += 500) {
      conflict.connected(now);
      results.push(conflict.disconnected(now + 300));
    }
    assert.deepEqual(results, [false, false, false, false, true, true]);
  },
});

Deno.test({
  name:
    "ClientIdConflict.disconnected() starts again after a longer connection",
  permissions: "none",
  fn: () => {
    const conflict = new ClientIdConflict();
    for (let round = 0; round < 20; round++) {
      const duration = round % 5 === 4 ? 1000 : 10;
      conflict.connected(round * 5000);
      assert.equal(conflict.disconnected(round * 5000 + duration), false);
    }
  },
});

Deno.test({
  name: "ClientIdConflict.disconnected() ignores attempts that fail",
  permissions: "none",
  fn: () => {
    const conflict = new ClientIdConflict();
    conflict.connected(0);
    assert.equal(conflict.disconnected(10), false);
    for (let now = 20; now < 60; now++) {
      assert.equal(conflict.disconnected(now), false);
    }
  },
});
