/** How states and events of zones are published when the broker is slow. */
import assert from "node:assert/strict";
import { LinkError } from "../../../src/mqtt/link.ts";
import type { ZoneEvent, ZoneState } from "../../../src/zones/mod.ts";
import { ZoneMessages } from "../../../src/server/zones/zone_messages.ts";
import { untilNextTurn } from "../../../src/common/next_turn.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { FakeLink } from "../../support/fake_link.ts";
import { until } from "../../support/until.ts";
import { fakeContext, NOW } from "../support.ts";

const state = (zone: string, count: number): ZoneState => ({
  ...{ zone, title: zone, layer: "default", occupied: count > 0, count },
  ...{ certain: true, capacity: undefined, percent: 0, cells: 1 },
  ...{ occupiedCells: 0, staleCells: 0, unknownCells: 0 },
  ...{ since: NOW, time: NOW, revision: 1 },
});
const event = (zone: string, count: number): ZoneEvent => ({
  ...{ zone, title: zone, layer: "default", event: "occupied", count },
  ...{ capacity: undefined, time: NOW, revision: 1 },
});

function start({ up = true } = {}) {
  const link = new FakeLink({ manual: true });
  const log: string[] = [];
  const context = fakeContext({ link }, log);
  const setUp = (up: boolean) => {
    context.status.link = { up, since: NOW, problem: up ? undefined : "down" };
  };
  setUp(up);
  const done: string[] = [];
  const cleared: string[] = [];
  const messages = new ZoneMessages(context, {
    onEventsDone: (zone) => done.push(zone),
    onCleared: (zone) => cleared.push(zone),
  });
  return { link, log, context, setUp, done, cleared, messages };
}

/** The zone and count of each message, with `!` for events. */
function sent(link: FakeLink): string[] {
  return link.published.map(({ topic, payload }) => {
    const text = new TextDecoder().decode(payload);
    const { zone, count } = text === ""
      ? { zone: topic, count: "deleted" }
      : JSON.parse(text);
    return `${zone} ${count}${topic.endsWith("/event") ? "!" : ""}`;
  });
}

Deno.test({
  name: "while disconnected, a newer state replaces an older one; events wait",
  permissions: "none",
  fn: async () => {
    const { link, setUp, messages, done } = start({ up: false });
    messages.setState(state("a", 1));
    messages.addEvents("a", [event("a", 1)]);
    messages.setState(state("a", 2));
    messages.addEvents("a", [event("a", 2), event("a", 3)]);
    await untilNextTurn();
    assert.deepEqual(sent(link), []);
    setUp(true);
    messages.connected();
    await until(() => link.published.length === 4);
    assert.deepEqual(sent(link), ["a 2", "a 1!", "a 2!", "a 3!"]);
    assert.equal(messages.eventsOf("a").length, 3, "not acknowledged yet");
    link.published[2]!.settle();
    await until(() => done.length === 1);
    // It got them in order.
    assert.deepEqual(messages.eventsOf("a").map(({ count }) => count), [3]);
    for (const { settle } of link.published) settle();
    await messages.drained();
    assert.deepEqual(messages.eventsOf("a"), []);
  },
});

Deno.test({
  name: "at most 256 messages wait for the broker; then states are replaced",
  permissions: "none",
  fn: async () => {
    const { link, messages } = start();
    for (let i = 0; i < 300; i++) messages.setState(state(`z${i}`, 1));
    await until(() => link.published.length === 256);
    messages.setState(state("z299", 2));
    messages.setState(state("z0", 2));
    await untilNextTurn();
    assert.equal(link.published.length, 256);
    const first = link.published.slice();
    for (const { settle } of first) settle();
    await until(() => link.published.length === 301);
    assert.ok(sent(link).includes("z299 2") && !sent(link).includes("z299 1"));
    assert.equal(sent(link).at(-1), "z0 2");
    for (const { settle } of link.published) settle();
    await messages.drained();
  },
});

Deno.test({
  name: "of more than 50,000 waiting events the oldest are dropped and counted",
  permissions: "none",
  fn: () => {
    const { messages, context, log, done } = start({ up: false });
    for (let i = 0; i < 50_003; i++) {
      const zone = `z${i % 1000}`;
      messages.addEvents(zone, [event(zone, i)]);
    }
    assert.equal(context.telemetry.stats.limited.of("zone-events"), 3);
    assert.deepEqual(done, ["z0", "z1", "z2"]);
    assert.equal(messages.eventsOf("z0")[0]?.count, 1000);
    assert.match(log.join("\n"), /Events of zones were dropped/);
    messages.stop();
  },
});

Deno.test({
  name: "of more than 500 waiting events of a zone the oldest are dropped",
  permissions: "none",
  fn: () => {
    const { messages, context, done } = start({ up: false });
    messages.addEvents("other", [event("other", 1)]);
    for (let i = 0; i < 502; i++) messages.addEvents("a", [event("a", i)]);
    assert.equal(context.telemetry.stats.limited.of("zone-events"), 2);
    assert.deepEqual(done, ["a", "a"]);
    assert.deepEqual(
      messages.eventsOf("a").map(({ count }) => count),
      Array.from({ length: 500 }, (_, i) => i + 2),
    );
    assert.equal(messages.eventsOf("other").length, 1);
    messages.stop();
  },
});

Deno.test({
  name: "an event that the broker refuses is dropped, with a warning",
  permissions: "none",
  fn: async () => {
    const { link, messages, context, log, done } = start();
    messages.addEvents("a", [event("a", 1)]);
    await until(() => link.published.length === 1);
    link.published[0]!.settle(new LinkError("refused", "Not authorized"));
    await messages.drained();
    assert.deepEqual([done, messages.eventsOf("a")], [["a"], []]);
    assert.equal(context.telemetry.stats.limited.of("zone-messages"), 1);
    assert.match(log.join("\n"), /occupancy\/zone\/a\/event: Not authorized/);
  },
});

Deno.test({
  name: "an event is kept if the link was closed before its acknowledgement",
  permissions: "none",
  fn: async () => {
    const { link, messages, done } = start();
    messages.addEvents("a", [event("a", 1)]);
    await until(() => link.published.length === 1);
    link.published[0]!.settle(new LinkError("closed", "closed"));
    await messages.drained();
    assert.deepEqual([done, messages.eventsOf("a").length], [[], 1]);
    messages.stop();
  },
});

Deno.test({
  name: "a zone that is there again before it was cleared keeps its state",
  permissions: "none",
  fn: async () => {
    const { link, messages, setUp, cleared } = start({ up: false });
    messages.clear("a");
    messages.setState(state("a", 1));
    messages.clear("b");
    setUp(true);
    messages.connected();
    await until(() => link.published.length === 2);
    assert.deepEqual(sent(link), ["a 1", "occupancy/zone/b deleted"]);
    for (const { settle } of link.published) settle();
    await messages.drained();
    assert.deepEqual(cleared, ["b"]);
  },
});

/** Lets everything happen that needs no time. */
async function turns(): Promise<void> {
  for (let i = 0; i < 10; i++) await untilNextTurn();
}

Deno.test({
  name:
    "a state that the broker refuses is published again after 10 s, unless there is a newer one",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { link, messages, cleared } = start();
    const refused = new LinkError("refused", "Quota exceeded");
    messages.setState(state("a", 1));
    messages.setState(state("b", 1));
    messages.clear("c");
    await turns();
    for (const { settle } of link.published.splice(0)) settle(refused);
    await turns();
    messages.setState(state("b", 2));
    await turns();
    assert.deepEqual(sent(link), ["b 2"]);
    link.published.splice(0)[0]!.settle();
    clock.tick(9999);
    await turns();
    assert.deepEqual([sent(link), cleared], [[], []]);
    clock.tick(1);
    await turns();
    assert.deepEqual(sent(link), ["a 1", "occupancy/zone/c deleted"]);
    const [first, second] = link.published.splice(0);
    first!.settle(refused);
    second!.settle();
    await turns();
    assert.deepEqual(cleared, ["c"]);
    messages.connected();
    await turns();
    assert.deepEqual(sent(link), ["a 1"], "also after a connect");
    link.published.splice(0)[0]!.settle();
    await turns();
    clock.tick(60_000);
    await turns();
    assert.deepEqual(sent(link), []);
    assert.equal(clock.pending, 0);
    messages.stop();
  },
});

Deno.test({
  name:
    "unconfirmed events are published again after a connect, in order, and not after newer ones",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { link, messages, setUp, done } = start();
    const unknown = new LinkError("closed", "Connection lost");
    messages.addEvents("a", [event("a", 1), event("a", 2)]);
    messages.addEvents("b", [event("b", 1), event("b", 2)]);
    await turns();
    setUp(false);
    const [a1, a2, b1, b2] = link.published.splice(0);
    a1!.settle(unknown);
    a2!.settle(unknown);
    b1!.settle(unknown);
    await turns();
    messages.addEvents("a", [event("a", 3)]);
    clock.tick(10_000);
    await turns();
    assert.deepEqual(sent(link), [], "not while it is disconnected");
    setUp(true);
    messages.connected();
    await turns();
    assert.deepEqual(sent(link), ["a 1!", "a 2!", "a 3!"]);
    b2!.settle();
    await turns();
    assert.deepEqual(messages.eventsOf("b"), [], "the broker has the newer");
    for (const { settle } of link.published.splice(0)) settle(unknown);
    await turns();
    messages.addEvents("a", [event("a", 4)]);
    await turns();
    link.published.splice(0)[0]!.settle();
    await turns();
    assert.deepEqual(messages.eventsOf("a"), []);
    clock.tick(60_000);
    messages.connected();
    await turns();
    assert.deepEqual(sent(link), []);
    assert.deepEqual(done, ["b", "a"]);
    messages.stop();
    assert.equal(clock.pending, 0);
  },
});

Deno.test({
  name: "a refused state does not replace a newer one that was published",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { link, messages } = start();
    messages.setState(state("a", 1));
    await turns();
    messages.setState(state("a", 2));
    await turns();
    const [older, newer] = link.published.splice(0);
    older!.settle(new LinkError("refused", "Quota exceeded"));
    await turns();
    newer!.settle();
    await turns();
    clock.tick(60_000);
    await turns();
    assert.deepEqual(sent(link), []);
    messages.stop();
  },
});

Deno.test({
  name: "of more than 20,000 refused states the oldest are dropped",
  permissions: "none",
  fn: async () => {
    using clock = new FakeClock();
    const { link, messages, cleared } = start();
    const count = 20_002;
    for (let i = 0; i < count; i++) messages.clear(`z${i}`);
    for (let left = count; left > 0;) {
      await untilNextTurn();
      for (const { settle } of link.published.splice(0)) {
        settle(new LinkError("refused", "Not authorized"));
        left--;
      }
    }
    await turns();
    assert.deepEqual(cleared, ["z0", "z1"]);
    messages.stop();
    assert.equal(clock.pending, 0);
  },
});
