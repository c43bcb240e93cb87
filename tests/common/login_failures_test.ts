/** Unit tests of the delays of wrong tokens. */
import assert from "node:assert/strict";
import { LoginFailures } from "../../src/common/login_failures.ts";
import { FakeClock } from "../support/fake_clock.ts";

Deno.test({
  name:
    "each wrong token of a network waits twice as long as the last one, up to a maximum",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const wrong = new LoginFailures({
      now: () => clock.now,
      firstDelayMs: 100,
      maxDelayMs: 400,
      forgetAfterMs: 60_000,
    });
    const delayOf = async (address: string) => {
      const start = clock.now;
      let ended = false;
      const waiting = wrong.wait(address).then(() => ended = true);
      while (!ended) {
        clock.tick(50);
        for (let i = 0; i < 10; i++) await Promise.resolve();
      }
      await waiting;
      return clock.now - start;
    };
    for (const ms of [100, 200, 400, 400]) {
      assert.equal(await delayOf("192.0.2.1"), ms);
    }
    assert.equal(await delayOf("192.0.2.2"), 100, "another network");
    assert.equal(await delayOf("2001:db8::1"), 100);
    assert.equal(await delayOf("2001:db8::2"), 200, "the same /64");
    clock.tick(60_001);
    assert.equal(await delayOf("192.0.2.1"), 100, "forgotten");
  },
});

Deno.test({
  name:
    "above the maximum of waiting answers a wrong token does not wait, in all and by network",
  permissions: "none",
  fn: async () => {
    const ending = new AbortController();
    const wrong = new LoginFailures({ waiting: 3, waitingPerNetwork: 2 });
    const waits = [
      wrong.wait("192.0.2.1", ending.signal),
      wrong.wait("192.0.2.1", ending.signal),
    ];
    assert.equal(await wrong.wait("192.0.2.1", ending.signal), false);
    waits.push(wrong.wait("192.0.2.2", ending.signal));
    assert.equal(await wrong.wait("192.0.2.3", ending.signal), false);
    ending.abort();
    assert.deepEqual(await Promise.all(waits), [true, true, true]);
    assert.equal(await wrong.wait("192.0.2.1", ending.signal), true);
  },
});

Deno.test({
  name: "the number of remembered networks is bounded",
  permissions: "none",
  fn: async () => {
    const wrong = new LoginFailures({ firstDelayMs: 0, networks: 100 });
    for (let i = 0; i < 1000; i++) {
      await wrong.wait(`2001:db8:${i.toString(16)}:1::1`, AbortSignal.abort());
    }
    assert.equal(wrong.size, 100);
  },
});
