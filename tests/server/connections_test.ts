/** What a server of a group does for its connections. */
import assert from "node:assert/strict";
import type { Incoming } from "../../src/mqtt/link.ts";
import { GroupTopics, Topics } from "../../src/protocol/mod.ts";
import { Connections } from "../../src/server/connections.ts";
import type { MarkerEvents } from "../../src/server/markers.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { FakeJournal } from "../support/fake_shared_store.ts";
import { fakeContext } from "./support.ts";

const WINDOW = 20;

function start() {
  const link = new FakeLink();
  const context = fakeContext({
    link,
    store: new FakeJournal().open("me"),
    group: new GroupTopics(new Topics(), "hall"),
  });
  const pushed: Incoming[] = [];
  const markers: MarkerEvents[] = [];
  const connections = new Connections(context, {
    flush: () => true,
    processed: () => Promise.resolve(),
    commit: () => Promise.resolve(true),
    push: (request) => pushed.push(request as Incoming),
  }, {
    publish: (_, events) => {
      markers.push(events);
      return { cancel: () => {} };
    },
  });
  return { link, context, connections, pushed, markers };
}

Deno.test({
  name:
    "Connections: requests that wait for the group do not fill the window of the broker",
  permissions: "none",
  fn: () => {
    const { link, context, connections, pushed, markers } = start();
    const session = { isLost: false, acknowledge: () => {} };
    const requests = Array.from(
      { length: 100 },
      (_, i) =>
        incoming(context.topics.request, `${i}`, i === 99 ? { session } : {}),
    );
    const measured: number[] = [];
    context.telemetry.onReply = (ms) => measured.push(ms);
    for (const request of requests) connections.hold(request);
    // The broker delivers the marker behind them.
    const inFlight = requests.length - link.acknowledged.length;
    assert.ok(inFlight < WINDOW, `${inFlight} in flight`);
    assert.ok(inFlight >= 16);
    assert.ok(link.acknowledged.includes(requests[99]!));
    while (pushed.length < 100) markers.shift()!.onReturn();
    assert.deepEqual(
      pushed.map(({ payload }) => new TextDecoder().decode(payload)),
      requests.map((_, i) => `${i}`),
      "all are answered, in their order",
    );
    assert.equal(pushed.filter(({ qos }) => qos === 1).length, 16);
    // What was acknowledged is answered here, whatever happens to its session.
    assert.equal(pushed[99]!.session, undefined);
    for (const request of pushed) context.telemetry.replySent(request);
    assert.equal(measured.length, 84);
    // There is room again.
    connections.hold(incoming(context.topics.request, "next"));
    assert.equal(requests.length - link.acknowledged.length, inFlight);
  },
});

Deno.test({
  name:
    "Connections: a lost connection drops no request that was acknowledged already",
  permissions: "none",
  fn: () => {
    const { link, context, connections, pushed } = start();
    for (let i = 0; i < 20; i++) {
      connections.hold(incoming(context.topics.request, `${i}`));
    }
    connections.disconnected(link, "closed");
    connections.releaseAll();
    assert.equal(pushed.length, 4);
  },
});
