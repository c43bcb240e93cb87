import assert from "node:assert/strict";
import { Barrier } from "../../src/server/barrier.ts";
import { Markers } from "../../src/server/markers.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { FakeLink, incoming, settled } from "../support/fake_link.ts";
import { fakeContext } from "./support.ts";

const MARKERS = "occupancy/server/barrier/me";
const REQUEST = "occupancy/request";

function start() {
  const link = new FakeLink({ manual: true });
  const markers = new Markers(fakeContext({ link }), link);
  const released: string[] = [];
  const barrier = new Barrier(markers, {
    push: ({ payload }) => released.push(new TextDecoder().decode(payload)),
  });
  return {
    link,
    released,
    barrier,
    hold: (text: string) => barrier.hold(incoming(REQUEST, text, { qos: 0 })),
    /** Returns the nth marker that was published. */
    returnMarker: (n: number) =>
      markers.handle(incoming(MARKERS, link.published[n - 1]!.payload)),
  };
}

Deno.test({
  name: "Barrier.hold() holds a request until its marker returns",
  permissions: "none",
  fn: () => {
    using _ = new FakeClock();
    const { hold, returnMarker, link, released } = start();
    hold("a");
    assert.equal(link.published.length, 1);
    assert.equal(link.published[0]!.topic, MARKERS);
    assert.equal(link.published[0]!.options.qos, 1);
    assert.deepEqual(released, []);
    returnMarker(1);
    assert.deepEqual(released, ["a"]);
    assert.equal(link.acknowledged.length, 1, "the marker is acknowledged");
  },
});

Deno.test({
  name: "Barrier.hold() waits for a new marker while one is in flight",
  permissions: "none",
  fn: () => {
    using _ = new FakeClock();
    const { hold, returnMarker, link, released } = start();
    hold("a");
    hold("b");
    hold("c");
    assert.equal(link.published.length, 1);
    returnMarker(1);
    assert.deepEqual(released, ["a"]);
    assert.equal(link.published.length, 2);
    returnMarker(2);
    assert.deepEqual(released, ["a", "b", "c"]);
    assert.equal(link.published.length, 2);
  },
});

Deno.test({
  name:
    "Barrier.releaseAll() releases all requests; earlier markers have no effect",
  permissions: "none",
  fn: () => {
    using _ = new FakeClock();
    const { barrier, hold, returnMarker, released } = start();
    hold("a");
    hold("b");
    barrier.releaseAll();
    assert.deepEqual(released, ["a", "b"]);
    hold("c");
    returnMarker(1);
    assert.deepEqual(released, ["a", "b"], "an earlier marker");
    returnMarker(2);
    assert.deepEqual(released, ["a", "b", "c"]);
    returnMarker(2);
    assert.deepEqual(released, ["a", "b", "c"], "a duplicate");
  },
});

Deno.test({
  name: "Barrier releases requests when the broker refuses the marker",
  permissions: "none",
  fn: async () => {
    using _ = new FakeClock();
    const { hold, link, released } = start();
    hold("a");
    link.published[0]!.settle(new Error("not authorised"));
    await settled();
    assert.deepEqual(released, ["a"]);
  },
});

Deno.test({
  name: "Barrier releases requests after 2 s when no marker has ever returned",
  permissions: "none",
  fn: () => {
    using clock = new FakeClock();
    const { hold, returnMarker, released } = start();
    hold("a");
    clock.tick(1999);
    assert.deepEqual(released, []);
    clock.tick(1);
    assert.deepEqual(released, ["a"]);
    hold("b");
    returnMarker(2);
    assert.deepEqual(released, ["a", "b"]);
    hold("c"); // a marker has returned: no timeout
    clock.tick(60_000);
    assert.deepEqual(released, ["a", "b"]);
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name:
    "Barrier.connectionLost() drops requests that are delivered again, no others",
  permissions: "none",
  fn: () => {
    using _ = new FakeClock();
    const { barrier, hold, released } = start();
    const session = { isLost: false, acknowledge: () => {} };
    const lost = { isLost: true, acknowledge: () => {} };
    hold("a");
    barrier.hold(incoming(REQUEST, "b"));
    barrier.hold(incoming(REQUEST, "c", { session }));
    barrier.hold(incoming(REQUEST, "d", { session: lost }));
    assert.equal(barrier.unacknowledged, 3);
    barrier.connectionLost();
    assert.equal(barrier.unacknowledged, 1);
    barrier.releaseAll();
    assert.deepEqual(released, ["a", "c"]);
    assert.equal(barrier.unacknowledged, 0);
  },
});
