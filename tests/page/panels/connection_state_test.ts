import assert from "node:assert/strict";
import { Health } from "../../../src/page/panels/connection_state.ts";
import type { StatusMessage } from "../../../src/feed/messages.ts";

const options = { permissions: "none" } as const;

function status(changed: Partial<StatusMessage> = {}): StatusMessage {
  return {
    type: "status",
    revision: 1,
    time: 1000,
    broker: "up",
    store: "ok",
    rate: { readings: 0, messages: 0, changes: 0, bytes: 0 },
    layers: [],
    layersOmitted: 0,
    viewers: 1,
    ...changed,
  };
}

Deno.test(
  "Health.state() is live only while there is a connection",
  options,
  () => {
    const health = new Health();
    assert.deepEqual(health.state(0), { kind: "connecting" });
    health.lost();
    assert.deepEqual(health.state(500), { kind: "connecting" });
    health.hello(1000);
    assert.equal(health.state(1000).kind, "live");
    health.update(4000);
    health.lost();
    assert.deepEqual(health.state(9000), {
      kind: "lost",
      since: 4000,
      now: 9000,
    });
    health.lost();
    assert.deepEqual(health.state(9500), {
      kind: "lost",
      since: 4000,
      now: 9500,
    });
    health.hello(10_000);
    assert.equal(health.state(10_000).kind, "live");
  },
);

Deno.test(
  "Health.state() counts the updates of the last two seconds",
  options,
  () => {
    const health = new Health();
    health.hello(0);
    for (let time = 0; time < 10_000; time += 200) health.update(time);
    assert.deepEqual(health.state(10_000), {
      kind: "live",
      hertz: 5,
      lag: undefined,
    });
    assert.deepEqual(health.state(13_000), {
      kind: "live",
      hertz: 0,
      lag: undefined,
    });
  },
);

Deno.test(
  "Health.state() tells how far behind the last update was, while it is live",
  options,
  () => {
    const health = new Health();
    health.hello(0);
    health.lag(240);
    assert.deepEqual(health.state(0), { kind: "live", hertz: 0, lag: 240 });
    health.lost();
    health.hello(900);
    assert.deepEqual(health.state(900), {
      kind: "live",
      hertz: 0,
      lag: undefined,
    });
  },
);

Deno.test(
  "Health.state() tells what is wrong behind the server, and since when",
  options,
  () => {
    const health = new Health();
    health.hello(0);
    health.status(status({ broker: "down" }), 2000);
    health.status(status({ broker: "down" }), 3000);
    assert.deepEqual(health.state(4000), { kind: "no-broker", since: 2000 });
    health.status(status({ store: "the disk is full" }), 5000);
    assert.deepEqual(health.state(5000), {
      kind: "store",
      problem: "the disk is full",
    });
    health.status(status(), 6000);
    assert.equal(health.state(6000).kind, "live");
    health.refused("Too many viewers");
    assert.deepEqual(health.state(6000), {
      kind: "refused",
      reason: "Too many viewers",
    });
  },
);
