import assert from "node:assert/strict";
import { ConnectionMonitor } from "../../../src/page/panels/connection_state.ts";
import type { StatusMessage } from "../../../src/feed/messages.ts";

const options = { permissions: "none" } as const;

function status(changed: Partial<StatusMessage> = {}): StatusMessage {
  return {
    type: "status",
    revision: 1,
    time: 1000,
    broker: "up",
    brokerSince: 100,
    store: "ok",
    rate: { readings: 0, messages: 0, changes: 0, bytes: 0 },
    layers: [],
    layersOmitted: 0,
    viewers: 1,
    ...changed,
  };
}

Deno.test(
  "ConnectionMonitor.state() is live only while connected",
  options,
  () => {
    const monitor = new ConnectionMonitor();
    assert.deepEqual(monitor.state(0), { kind: "connecting" });
    monitor.onLost();
    assert.deepEqual(monitor.state(500), { kind: "connecting" });
    monitor.onReason("Nothing answers.");
    assert.deepEqual(monitor.state(600), {
      kind: "unreachable",
      reason: "Nothing answers.",
    });
    monitor.onHello(1000);
    assert.equal(monitor.state(1000).kind, "live");
    monitor.onFrame(4000);
    monitor.onLost();
    assert.deepEqual(monitor.state(9000), {
      kind: "lost",
      since: 4000,
      now: 9000,
    });
    monitor.onLost();
    monitor.onReason("/live was refused.");
    assert.deepEqual(monitor.state(9500), {
      kind: "lost",
      since: 4000,
      now: 9500,
      reason: "/live was refused.",
    });
    monitor.onHello(10_000);
    assert.equal(monitor.state(10_000).kind, "live");
  },
);

Deno.test(
  "ConnectionMonitor.state() has the frames per second of the last two seconds",
  options,
  () => {
    const monitor = new ConnectionMonitor();
    monitor.onHello(0);
    for (let time = 0; time < 10_000; time += 200) monitor.onFrame(time);
    assert.deepEqual(monitor.state(10_000), {
      kind: "live",
      hertz: 5,
      lag: undefined,
    });
    assert.deepEqual(monitor.state(13_000), {
      kind: "live",
      hertz: 0,
      lag: undefined,
    });
  },
);

Deno.test(
  "ConnectionMonitor.state() has the delay of the last frame of this connection",
  options,
  () => {
    const monitor = new ConnectionMonitor();
    monitor.onHello(0);
    monitor.onLag(240);
    assert.deepEqual(monitor.state(0), { kind: "live", hertz: 0, lag: 240 });
    monitor.onLost();
    monitor.onHello(900);
    assert.deepEqual(monitor.state(900), {
      kind: "live",
      hertz: 0,
      lag: undefined,
    });
  },
);

Deno.test(
  "ConnectionMonitor.state() has failures of the server's broker and store",
  options,
  () => {
    const monitor = new ConnectionMonitor();
    monitor.onHello(0);
    // Since the time of the server, and not since the page received it.
    monitor.onStatus(status({ broker: "down", brokerSince: 700 }), 2000);
    assert.deepEqual(monitor.state(4000), {
      kind: "broker-down",
      since: 700,
      now: 1000,
    });
    monitor.onStatus(status({ store: "the disk is full" }), 5000);
    assert.deepEqual(monitor.state(5000), {
      kind: "store-failing",
      problem: "the disk is full",
    });
    monitor.onStatus(status(), 6000);
    assert.equal(monitor.state(6000).kind, "live");
    monitor.onRefused("Too many viewers");
    assert.deepEqual(monitor.state(6000), {
      kind: "refused",
      reason: "Too many viewers",
    });
  },
);
