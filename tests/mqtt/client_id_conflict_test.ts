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

Deno.test({
  name:
    "ClientIdConflict continues until a connection lasts a minute, and its pauses become longer",
  permissions: "none",
  fn: () => {
    const conflict = new ClientIdConflict();
    const delays: number[] = [];
    let now = 0;
    const connectFor = (ms: number) => {
      conflict.connected(now);
      now += ms;
      return conflict.disconnected(now);
    };
    conflict.takenOver();
    for (let i = 0; i < 8; i++) {
      assert.equal(connectFor(5000), true);
      delays.push(conflict.nextDelay / 1000);
    }
    assert.deepEqual(delays, [1, 2, 4, 8, 16, 30, 30, 30]);
    assert.equal(connectFor(60_000), false);
    conflict.takenOver();
    assert.equal(conflict.disconnected(now), true, "before it was connected");
    assert.equal(conflict.nextDelay, 1000);
  },
});

Deno.test({
  name: "ClientIdConflict can count longer connections as brief",
  permissions: "none",
  fn: () => {
    const conflict = new ClientIdConflict({
      briefDuration: 10_000,
      maxRetryDelay: 1500,
    });
    const results = [];
    for (let now = 0; results.length < 6; now += 9999) {
      conflict.connected(now);
      results.push(conflict.disconnected(now + 9999));
    }
    assert.deepEqual(results, [false, false, false, false, true, true]);
    assert.equal(conflict.nextDelay, 1500);
  },
});
