import assert from "node:assert/strict";
import { deadline, delay, doneWithin } from "../../src/common/async.ts";
import { FakeClock } from "../support/fake_clock.ts";

const late = () => new Error("late");
const never = new Promise<never>(() => {});

Deno.test({
  name: "deadline() returns what the work resolves to, and sets no timer after",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    assert.equal(await deadline(Promise.resolve(7), 1000, late), 7);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name: "deadline() throws the given error when time is up",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const result = deadline(never, 1000, late);
    clock.tick(1000);
    await assert.rejects(result, /late/);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name: "deadline() ignores work that rejects after the deadline",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const work = Promise.withResolvers<void>();
    const result = deadline(work.promise, 1000, late);
    clock.tick(1000);
    await assert.rejects(result, /late/);
    work.reject(new Error("too late to matter"));
    await assert.rejects(work.promise);
  },
});

Deno.test({
  name: "doneWithin() reports which came first, work or time",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    assert.equal(await doneWithin(Promise.resolve(), 1000), true);
    const result = doneWithin(never, 1000);
    clock.tick(1000);
    assert.equal(await result, false);
    const failed = Promise.reject(new Error("no"));
    await assert.rejects(doneWithin(failed, 1000), /no/);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name: "delay() ends when its time is up or its signal is aborted",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const whole = delay(1000);
    clock.tick(1000);
    await whole;
    const controller = new AbortController();
    const cut = delay(1000, controller.signal);
    controller.abort();
    await cut;
    await delay(1000, controller.signal);
    assert.equal(clock.pending, 0);
  },
});
