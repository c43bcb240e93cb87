import assert from "node:assert/strict";
import { Contention } from "../../src/mqtt/client_id_conflict.ts";

Deno.test({
  name: "Contention.down() tells, after the fifth brief connection in a row",
  permissions: "none",
  fn: () => {
    const contention = new Contention();
    const told = [];
    for (let now = 0; told.length < 6; now += 500) {
      contention.up(now);
      told.push(contention.down(now + 300));
    }
    assert.deepEqual(told, [false, false, false, false, true, true]);
  },
});

Deno.test({
  name: "Contention.down() forgets brief connections when one lasts",
  permissions: "none",
  fn: () => {
    const contention = new Contention();
    for (let round = 0; round < 20; round++) {
      const lasting = round % 5 === 4 ? 1000 : 10;
      contention.up(round * 5000);
      assert.equal(contention.down(round * 5000 + lasting), false);
    }
  },
});

Deno.test({
  name: "Contention.down() takes attempts that fail for a broker that is down",
  permissions: "none",
  fn: () => {
    const contention = new Contention();
    contention.up(0);
    assert.equal(contention.down(10), false);
    for (let now = 20; now < 60; now++) {
      assert.equal(contention.down(now), false);
    }
  },
});
