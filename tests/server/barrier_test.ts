import assert from "node:assert/strict";
import { Barrier } from "../../src/server/barrier.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, incoming, settled } from "../support/fake_link.ts";

const TOPIC = "occupancy/server/barrier/me";
const REQUEST = "occupancy/request";

function barrier() {
  const link = new FakeLink({ manual: true });
  const released: string[] = [];
  const barrier = new Barrier({
    link,
    topic: TOPIC,
    requestTopic: REQUEST,
    release: ({ payload }) => released.push(new TextDecoder().decode(payload)),
  });
  return {
    link,
    released,
    barrier,
    /** A request at QoS 0. */
    ask: (text: string) => barrier.stops(incoming(REQUEST, text, { qos: 0 })),
    /** The marker published as the nth comes back. */
    comesBack: (n: number) =>
      barrier.stops(incoming(TOPIC, link.published[n - 1]!.payload)),
  };
}

Deno.test({
  name: "Barrier.stops() lets readings and requests at QoS 1 pass",
  permissions: "none",
  fn: () => {
    const { barrier: it, link } = barrier();
    assert.equal(it.stops(incoming("occupancy/data", "1,2,1")), false);
    assert.equal(
      it.stops(incoming("occupancy/data", "1,2,1", { qos: 0 })),
      false,
    );
    assert.equal(it.stops(incoming(REQUEST, "{}")), false);
    assert.equal(link.published.length, 0);
  },
});

Deno.test({
  name: "Barrier holds a request at QoS 0 until its marker is back",
  permissions: "none",
  fn: () => {
    using _ = new FakeClock();
    const { ask, comesBack, link, released } = barrier();
    assert.equal(ask("a"), true);
    assert.equal(link.published.length, 1);
    assert.equal(link.published[0]!.topic, TOPIC);
    assert.equal(link.published[0]!.options.qos, 1);
    assert.deepEqual(released, []);
    assert.equal(comesBack(1), true);
    assert.deepEqual(released, ["a"]);
    assert.equal(link.acknowledged.length, 1, "the marker is acknowledged");
  },
});

Deno.test({
  name:
    "Barrier has one marker under way; what comes meanwhile waits for the next",
  permissions: "none",
  fn: () => {
    using _ = new FakeClock();
    const { ask, comesBack, link, released } = barrier();
    ask("a");
    ask("b");
    ask("c");
    assert.equal(link.published.length, 1);
    comesBack(1);
    assert.deepEqual(released, ["a"]);
    assert.equal(link.published.length, 2);
    comesBack(2);
    assert.deepEqual(released, ["a", "b", "c"]);
    assert.equal(link.published.length, 2);
  },
});

Deno.test({
  name:
    "Barrier.reset() lets all go, and late markers of before let nothing go",
  permissions: "none",
  fn: () => {
    using _ = new FakeClock();
    const { barrier: it, ask, comesBack, released } = barrier();
    ask("a");
    ask("b");
    it.reset();
    assert.deepEqual(released, ["a", "b"]);
    ask("c");
    comesBack(1);
    assert.deepEqual(released, ["a", "b"], "the marker of before came late");
    comesBack(2);
    assert.deepEqual(released, ["a", "b", "c"]);
    comesBack(2);
    assert.deepEqual(released, ["a", "b", "c"], "QoS 1 may deliver it twice");
  },
});

Deno.test({
  name: "Barrier answers out of order where the broker refuses its marker",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { ask, link, released } = barrier();
    ask("a");
    link.published[0]!.settle(new Error("not authorised"));
    await settled();
    assert.deepEqual(released, ["a"]);
  },
});

Deno.test({
  name: "Barrier answers out of order where the broker drops its first marker",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { ask, comesBack, released } = barrier();
    ask("a");
    clock.tick(1999);
    assert.deepEqual(released, []);
    clock.tick(1);
    assert.deepEqual(released, ["a"]);
    ask("b");
    comesBack(2);
    assert.deepEqual(released, ["a", "b"]);
    ask("c"); // markers come back: from now on only a reconnect ends the wait
    clock.tick(60_000);
    assert.deepEqual(released, ["a", "b"]);
    assert.equal(clock.pending, 0);
  },
});
