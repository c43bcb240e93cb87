import assert from "node:assert/strict";
import {
  abortable,
  deadline,
  delay,
  doneWithin,
} from "../../src/common/async.ts";
import { FakeClock } from "../support/fake_clock.ts";

const late = () => new Error("late");
const never = new Promise<never>(() => {});

Deno.test({
  name: "deadline() returns the result of the work and clears its timer",
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
  name: "doneWithin() returns whether the work was done in time",
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
  name: "abortable() returns the result of the work, or throws at the abort",
  permissions: "none",
  fn: async () => {
    assert.equal(await abortable(Promise.resolve(7), undefined), 7);
    const controller = new AbortController();
    const { signal } = controller;
    assert.equal(await abortable(Promise.resolve(7), signal), 7);
    const result = abortable(never, signal);
    controller.abort(new Error("interrupted"));
    await assert.rejects(result, /interrupted/);
    await assert.rejects(abortable(never, signal), /interrupted/);
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
