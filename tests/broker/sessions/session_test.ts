/** Sessions: their life, their queues and windows, and QoS 1 and 2. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { TestRouter } from "./harness.ts";

const pure = { permissions: "none" } as const;

Deno.test(
  "a kept session receives what was published while it was away, in order",
  pure,
  () => {
    const test = new TestRouter();
    const client = test.connect("a");
    test.subscribe(client, "t/+", 1);
    test.publish("t/1", "0");
    client.session.acknowledged(client.outlet.messages[0]!.packetId);
    test.disconnect(client);
    test.publish("t/1", "1");
    test.publish("t/2", "2", 2);
    test.publish("t/2", "dropped", 0);
    const again = test.connect("a");
    equal(again.isPresent, true);
    deepEqual(again.outlet.texts, ["1", "2"]);
    deepEqual(again.outlet.messages.map(({ qos }) => qos), [1, 1]);
    deepEqual(again.outlet.messages.map(({ dup }) => dup), [false, false]);
  },
);

Deno.test(
  "unacknowledged messages are sent again in order, with their ids and DUP, then PUBRELs and the queue (4.4)",
  pure,
  () => {
    const test = new TestRouter();
    const client = test.connect("a");
    test.subscribe(client, "t", 2);
    for (const [i, qos] of ([1, 2, 1, 2] as const).entries()) {
      test.publish("t", String(i), qos);
    }
    const ids = client.outlet.messages.map(({ packetId }) => packetId);
    deepEqual(ids, [1, 2, 3, 4]);
    client.session.received(ids[3]!);
    client.session.acknowledged(ids[0]!);
    client.session.received(ids[1]!);
    deepEqual(client.outlet.pubrels, [4, 2]);
    test.disconnect(client);
    test.publish("t", "4");
    const again = test.connect("a");
    // In the order of the PUBRECs (4.6).
    deepEqual(again.outlet.pubrels, [4, 2]);
    deepEqual(
      again.outlet.messages.map(({ text, packetId, dup }) => [
        ...[text, packetId, dup],
      ]),
      [["2", 3, true], ["4", 5, false]],
    );
    for (const id of [4, 2]) equal(again.session.completed(id), true);
    for (const id of [3, 5]) equal(again.session.acknowledged(id), true);
    equal(again.session.queue.length, 0);
  },
);

Deno.test(
  "the window is the lesser of Receive Maximum and the limit (MQTT 5, 4.9)",
  pure,
  () => {
    const test = new TestRouter({ maxInFlight: 3 });
    const client = test.connect("a");
    test.subscribe(client, "t", 1);
    for (let i = 0; i < 6; i++) test.publish("t", String(i));
    deepEqual(client.outlet.texts, ["0", "1", "2"]);
    client.session.acknowledged(2);
    client.session.acknowledged(2);
    deepEqual(client.outlet.texts, ["0", "1", "2", "3"]);
    test.disconnect(client);
    const { outlet } = client;
    outlet.receiveMaximum = 1;
    outlet.messages.length = 0;
    const again = test.connect("a", { outlet });
    const seen: string[] = [];
    for (let i = 0; i < 5; i++) {
      equal(outlet.messages.length, 1);
      const { text, packetId, dup } = outlet.messages.pop()!;
      seen.push(`${text}${dup ? " again" : ""}`);
      again.session.acknowledged(packetId);
    }
    deepEqual(seen, ["0 again", "2 again", "3 again", "4", "5"]);
  },
);

Deno.test(
  "unknown packet ids: PUBACK and PUBCOMP are ignored, PUBREC is answered with 0x92 (MQTT 5, 4.3.3)",
  pure,
  () => {
    const test = new TestRouter();
    const client = test.connect("a");
    test.subscribe(client, "t", 2);
    test.publish("t", "1", 1);
    test.publish("t", "2", 2);
    const { session, outlet } = client;
    equal(session.acknowledged(9), false);
    equal(session.acknowledged(2), false, "PUBACK for QoS 2");
    equal(session.completed(9), false);
    equal(session.completed(2), false, "PUBCOMP before PUBREC");
    equal(session.received(9), false);
    equal(session.received(1), false, "PUBREC for QoS 1");
    deepEqual(outlet.pubrels, [-9]);
    equal(session.received(9, 0x87), false);
    deepEqual(outlet.pubrels, [-9], "a failure has no PUBREL");
    deepEqual([1, 2, 9].map((id) => session.queue.isInFlight(id)), [
      ...[true, true, false],
    ]);
    equal(session.queue.length, 2);
  },
);

Deno.test(
  "a PUBREC with a failure ends the delivery, a repeated one is answered again (MQTT 5, 4.3.3)",
  pure,
  () => {
    const test = new TestRouter({ maxInFlight: 1 });
    const client = test.connect("a");
    test.subscribe(client, "t", 2);
    test.publish("t", "1", 2);
    test.publish("t", "2", 2);
    const { session, outlet } = client;
    equal(session.received(1, 0x80), true);
    deepEqual(outlet.texts, ["1", "2"]);
    session.received(2);
    session.received(2);
    deepEqual(outlet.pubrels, [2, 2]);
    session.received(2, 0x80);
    equal(session.queue.length, 1, "it was released");
    session.completed(2);
    equal(session.queue.length, 0);
  },
);

Deno.test(
  "QoS 2 messages of the client are known until their PUBREL, also across connections (4.3.3)",
  pure,
  () => {
    const test = new TestRouter();
    const client = test.connect("a");
    equal(client.session.hasReceived(1), false);
    client.session.addReceived(1);
    test.disconnect(client);
    const { session } = test.connect("a");
    equal(session.hasReceived(1), true);
    equal(session.release(1), true);
    equal(session.release(1), false);
    equal(session.hasReceived(1), false);
  },
);

Deno.test(
  "a full session drops new messages, counts them and reports it once until it was empty",
  pure,
  () => {
    const test = new TestRouter({ maxMessages: 3 });
    const client = test.connect("a");
    test.subscribe(client, "t", 1);
    const publish = (count: number) => {
      for (let i = 0; i < count; i++) test.publish("t", String(i));
    };
    publish(5);
    deepEqual(test.full, ["a"]);
    equal(test.router.counters.publishDropped, 2);
    client.session.acknowledged(1);
    publish(2);
    deepEqual(test.full, ["a"]);
    equal(test.router.counters.publishDropped, 3);
    for (const id of [2, 3, 4]) client.session.acknowledged(id);
    publish(4);
    deepEqual(test.full, ["a", "a"]);
    equal(
      test.limits["mqtt-session-queue"],
      test.router.counters.publishDropped,
    );
  },
);

Deno.test(
  "the bytes of a session are limited, but one message is always possible",
  pure,
  () => {
    const test = new TestRouter({ maxBytes: 10_000 });
    const client = test.connect("a");
    test.subscribe(client, "t", 1);
    test.disconnect(client);
    test.publish("t", "x".repeat(20_000));
    test.publish("t", "y");
    equal(client.session.queue.length, 1);
    const again = test.connect("a");
    equal(again.outlet.texts[0]!.length, 20_000);
    again.session.acknowledged(1);
    for (let i = 0; i < 12; i++) test.publish("t", "z".repeat(600));
    equal(again.session.queue.length, 9);
  },
);

Deno.test(
  "a disconnected full session takes no part in publishing until its client connects",
  pure,
  () => {
    const test = new TestRouter({ maxMessages: 2 });
    const client = test.connect("a");
    test.subscribe(client, "t", 1);
    test.disconnect(client);
    for (let i = 0; i < 3; i++) test.publish("t", String(i));
    equal(test.router.counters.publishDropped, 1);
    equal(test.router.hasSubscriber("t"), false);
    equal(test.publish("t", "3"), 0x00);
    test.publish("t", "at QoS 0", 0);
    equal(test.router.counters.publishDropped, 2);
    const again = test.connect("a");
    deepEqual(again.outlet.texts, ["0", "1"]);
    equal(test.router.hasSubscriber("t"), true);
    again.session.acknowledged(1);
    test.publish("t", "4");
    deepEqual(again.outlet.texts, ["0", "1", "4"]);
  },
);

Deno.test(
  "expired messages are not delivered, and make room (MQTT 5, 3.3.2.3.3)",
  pure,
  () => {
    const test = new TestRouter({ maxMessages: 2 });
    const client = test.connect("a", { expiry: 3600 });
    test.subscribe(client, "t", 1);
    test.disconnect(client);
    test.publish("t", "0", 1, { expiresAt: test.now + 1_000 });
    test.publish("t", "1", 1, { expiresAt: test.now + 5_000 });
    test.publish("t", "dropped", 1);
    equal(test.router.nextDue, test.now + 1_000);
    test.pass(1_000);
    equal(client.session.queue.length, 1);
    test.publish("t", "2", 1);
    test.publish("t", "dropped", 1);
    test.pass(4_000);
    test.publish("t", "3", 1);
    const again = test.connect("a");
    deepEqual(again.outlet.texts, ["2", "3"]);
    equal(test.router.counters.publishDropped, 2);
  },
);

Deno.test(
  "messages that expire while the window is full are skipped",
  pure,
  () => {
    const test = new TestRouter({ maxInFlight: 1 });
    const client = test.connect("a");
    test.subscribe(client, "t", 1);
    test.publish("t", "0");
    test.publish("t", "1", 1, { expiresAt: test.now + 1_000 });
    test.publish("t", "2", 1);
    test.now += 1_000;
    client.session.acknowledged(1);
    deepEqual(client.outlet.texts, ["0", "2"]);
  },
);

Deno.test(
  "a message that is too large for the client counts as delivered (MQTT 5, 3.1.2.11.4)",
  pure,
  () => {
    const test = new TestRouter({ maxInFlight: 1 });
    const client = test.connect("a");
    client.outlet.maxPayload = 10;
    test.subscribe(client, "t", 1);
    const large = "x".repeat(11);
    test.publish("t", large);
    test.publish("t", "1");
    for (let i = 0; i < 900; i++) test.publish("t", large);
    test.publish("t", "2");
    client.session.acknowledged(client.outlet.messages[0]!.packetId);
    deepEqual(client.outlet.texts, ["1", "2"]);
    equal(client.session.queue.length, 1);
  },
);

Deno.test(
  "a session without expiry ends with its connection, others with their time",
  pure,
  () => {
    const test = new TestRouter();
    const clean = test.connect("clean", { expiry: 0 });
    const kept = test.connect("kept", { expiry: 10 });
    test.subscribe(clean, "t");
    test.subscribe(kept, "t");
    test.disconnect(clean);
    test.disconnect(kept);
    equal(test.router.sessions.get("clean"), undefined);
    equal(test.router.subscriptions, 1);
    test.publish("t");
    test.pass(9_999);
    equal(test.router.sessions.get("kept"), kept.session);
    test.pass(1);
    equal(test.router.sessions.size, 0);
    equal(test.router.subscriptions, 0);
    equal(test.router.sessions.budget.bytes, 0);
    equal(test.router.nextDue, undefined);
    equal(test.connect("kept").isPresent, false);
  },
);

Deno.test(
  "the expiry has a maximum, and changes with DISCONNECT (MQTT 5, 3.14.2.2.2)",
  pure,
  () => {
    const test = new TestRouter({ maxExpiry: 100 });
    const client = test.connect("a", { expiry: Infinity });
    equal(client.session.expiry, 100);
    test.disconnect(client, false, 5);
    equal(test.router.nextDue, test.now + 5_000);
    const again = test.connect("a", { expiry: 7 });
    equal(again.isPresent, true);
    equal(test.router.nextDue, undefined);
    test.disconnect(again, false, 0);
    equal(test.router.sessions.size, 0);
  },
);

Deno.test(
  "a session that never expires stays where that is allowed",
  pure,
  () => {
    const test = new TestRouter({ maxExpiry: Infinity });
    const client = test.connect("a", { expiry: Infinity });
    test.disconnect(client);
    test.pass(1e12);
    equal(test.router.nextDue, undefined);
    equal(test.connect("a").isPresent, true);
  },
);

Deno.test("Clean Start ends the former session (3.1.2.4)", pure, () => {
  const test = new TestRouter();
  const client = test.connect("a");
  test.subscribe(client, "t");
  test.disconnect(client);
  test.publish("t");
  const again = test.connect("a", { cleanStart: true });
  equal(again.isPresent, false);
  equal(again.outlet.messages.length, 0);
  equal(test.router.subscriptions, 0);
});

Deno.test("another connection takes the session over (3.1.4)", pure, () => {
  const test = new TestRouter();
  const first = test.connect("a");
  test.subscribe(first, "t");
  test.publish("t", "1");
  const second = test.connect("a");
  equal(first.outlet.disconnected, 0x8e);
  equal(second.isPresent, true);
  equal(second.session, first.session);
  // The end of the first connection does not end the session.
  test.disconnect(first, true, 0);
  equal(test.router.sessions.get("a")!.isConnected, true);
  test.publish("t", "2");
  deepEqual(first.outlet.texts, ["1"]);
  deepEqual(second.outlet.texts, ["1", "2"]);
  equal(second.outlet.messages[0]!.dup, true);
  const clean = test.connect("a", { expiry: 0 });
  const last = test.connect("a");
  equal(clean.isPresent, true);
  equal(last.isPresent, false, "it ended with its connection");
  equal(test.router.sessions.connected, 1);
});

Deno.test("a session belongs to its user", pure, () => {
  const test = new TestRouter();
  const first = test.connect("a", { user: "eve" });
  throws(() => test.connect("a", { user: "bob" }), /other-user/);
  throws(() => test.connect("a"), /other-user/);
  equal(first.outlet.disconnected, undefined);
  test.disconnect(first);
  throws(() => test.connect("a", { user: "bob" }), /other-user/);
  equal(test.connect("a", { user: "eve" }).isPresent, true);
  // From before there were users.
  test.disconnect(test.connect("b"));
  equal(test.connect("b", { user: "bob" }).isPresent, true);
});

Deno.test(
  "at the limit of sessions the one that was disconnected longest ends",
  pure,
  () => {
    const test = new TestRouter({ maxSessions: 3 });
    const [a, b] = ["a", "b", "c"].map((id) => test.connect(id));
    throws(() => test.connect("d"), /too-many-sessions/);
    test.disconnect(b!);
    test.disconnect(a!);
    test.connect("d");
    deepEqual(
      [...test.router.sessions].map(({ clientId }) => clientId),
      ["a", "c", "d"],
    );
    equal(test.limits["mqtt-sessions"], 2, "one refused, one ended");
  },
);

Deno.test(
  "at the limit of all bytes the session that was disconnected longest ends",
  pure,
  () => {
    const test = new TestRouter({ maxTotalBytes: 100_000 });
    const ids = ["a", "b", "c"];
    for (const id of ids) {
      const client = test.connect(id);
      test.subscribe(client, id, 1);
      test.disconnect(client);
    }
    const publish = (id: string) => {
      for (let i = 0; i < 8; i++) test.publish(id, "x".repeat(4_500));
    };
    publish("b");
    publish("a");
    equal(test.router.sessions.size, 3);
    publish("c");
    // Of those with messages; "b" was disconnected after "a".
    deepEqual(
      [...test.router.sessions].map(({ clientId }) => clientId),
      ["b", "c"],
    );
    equal(test.limits["mqtt-session-bytes"], 1);
    equal(test.router.sessions.budget.bytes < 100_000, true);
    // Connected clients keep their session; the message is dropped.
    const b = test.connect("b");
    const c = test.connect("c");
    publish("b");
    publish("c");
    equal(test.router.counters.publishDropped > 0, true);
    equal(b.session.isConnected && c.session.isConnected, true);
  },
);

Deno.test("a session whose client disconnects makes room for all", pure, () => {
  const test = new TestRouter({ maxTotalBytes: 50_000, maxInFlight: 1 });
  const [slow, other] = ["slow", "other"].map((id) => test.connect(id));
  test.subscribe(slow!, "slow", 1);
  test.subscribe(other!, "other", 1);
  for (let i = 0; i < 20; i++) test.publish("slow", "x".repeat(5_000));
  test.publish("other", "y".repeat(5_000));
  equal(other!.session.queue.length, 0);
  test.disconnect(slow!);
  test.publish("other", "y".repeat(5_000));
  equal(other!.session.queue.length, 1);
  equal(test.limits["mqtt-session-bytes"], 1);
});

Deno.test("sessions that expire together end in slices", pure, () => {
  const test = new TestRouter();
  for (let i = 0; i < 1_000; i++) {
    const client = test.connect(`${i}`);
    test.subscribe(client, "t", 1);
    test.disconnect(client);
  }
  for (let i = 0; i < 20; i++) test.publish("t", "x");
  test.now += 60_000;
  let calls = 1;
  const sizes = [1_000];
  while (test.router.tick()) {
    calls++;
    sizes.push(test.router.sessions.size);
    equal(sizes.at(-2)! - sizes.at(-1)! <= 500, true);
  }
  equal(calls > 4, true);
  equal(test.router.sessions.size, 0);
  equal(test.router.sessions.budget.bytes, 0);
});

Deno.test("a message in many queues counts once", pure, () => {
  const test = new TestRouter();
  const clients = Array.from({ length: 100 }, (_, i) => test.connect(`${i}`));
  for (const client of clients) test.subscribe(client, "#", 1);
  test.publish("t", "x".repeat(100_000));
  equal(test.router.sessions.budget.messages, 100);
  equal(test.router.sessions.budget.bytes < 150_000, true);
  for (const { session } of clients.slice(1)) session.acknowledged(1);
  equal(test.router.sessions.budget.bytes > 100_000, true);
  clients[0]!.session.acknowledged(1);
  equal(test.router.sessions.budget.bytes, 0);
});

Deno.test(
  "a session that was full while connected takes messages after a disconnect",
  pure,
  () => {
    const test = new TestRouter({ maxMessages: 3, maxInFlight: 3 });
    const client = test.connect("a", { expiry: 3600 });
    test.subscribe(client, "t", 1);
    for (let i = 0; i < 4; i++) test.publish("t", String(i));
    client.session.acknowledged(1);
    test.disconnect(client);
    test.publish("t", "4", 1, { expiresAt: test.now + 1_000 });
    test.publish("t", "dropped");
    deepEqual(test.full, ["a"]);
    client.session.queue.unblock();
    equal(client.session.queue.isBlocked, true);
    const again = test.connect("a");
    deepEqual(again.outlet.texts, ["1", "2", "4"]);
  },
);

Deno.test(
  "a message that is too long for the queue does not keep shorter ones out",
  pure,
  () => {
    const test = new TestRouter({ maxBytes: 10_000 });
    const client = test.connect("a");
    test.subscribe(client, "t", 1);
    test.disconnect(client);
    for (const length of [1, 20_000, 2]) test.publish("t", "x".repeat(length));
    equal(test.router.counters.publishDropped, 1);
    equal(test.connect("a").outlet.messages.length, 2);
  },
);
