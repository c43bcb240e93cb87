/** The limits of logins that are checked at the same time. */
import assert from "node:assert/strict";
import { LoginSlots } from "../../../src/broker/access/login_slots.ts";

Deno.test({
  name: "logins of a network wait for its slots, in order; others do not",
  permissions: "none",
  fn: async () => {
    const slots = new LoginSlots({ perNetwork: 2 });
    const order: number[] = [];
    assert.deepEqual(
      [await slots.enter("a"), await slots.enter("a")],
      [true, true],
    );
    assert.equal(slots.isFree("a"), false);
    assert.equal(slots.isFree("b"), true);
    const third = slots.enter("a").then(() => order.push(3));
    const fourth = slots.enter("a").then(() => order.push(4));
    assert.equal(await slots.enter("b"), true);
    assert.deepEqual(order, []);
    slots.leave("a");
    await third;
    assert.deepEqual(order, [3]);
    assert.equal(slots.isFree("a"), false, "the slot has passed on");
    slots.leave("a");
    await fourth;
    for (const network of ["a", "a", "b"]) slots.leave(network);
    assert.equal(slots.size, 0);
  },
});

Deno.test({
  name: "above the limits a login is refused at once",
  permissions: "none",
  fn: async () => {
    const slots = new LoginSlots({
      perNetwork: 1,
      waitingPerNetwork: 2,
      waiting: 3,
    });
    assert.equal(await slots.enter("a"), true);
    const waiting = [slots.enter("a"), slots.enter("a")];
    assert.equal(await slots.enter("a"), false);
    assert.equal(await slots.enter("b"), true);
    waiting.push(slots.enter("b"));
    assert.equal(await slots.enter("b"), false, "three wait in all");
    assert.equal(await slots.enter("c"), true);
    for (const network of ["a", "a", "b"]) slots.leave(network);
    assert.deepEqual(await Promise.all(waiting), [true, true, true]);
    for (const network of ["a", "b", "c"]) slots.leave(network);
    assert.equal(slots.size, 0);
  },
});
