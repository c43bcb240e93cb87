/** What survives the end of the process, by its persistence. */
import { deepEqual, equal } from "node:assert/strict";
import { message, restarted, type TestRouter } from "./harness.ts";
import { StagedTestRecords } from "./staged_records.ts";

const pure = { permissions: "none" } as const;

/** A router whose changes are kept. */
function kept(records = new StagedTestRecords()) {
  return { records, test: restarted(records.persistence()) };
}

/** The router of the next process, after a crash. */
function crashed(records: StagedTestRecords, now = 1_000_000, limits = {}) {
  const next = records.crashed();
  return { records: next, test: restarted(next.persistence(), limits, now) };
}

Deno.test(
  "sessions, their subscriptions and messages survive a crash",
  pure,
  () => {
    const { records, test } = kept();
    const client = test.connect("a", { user: "eve", expiry: 3600 });
    test.subscribe(client, "t/+", 2, { subscriptionId: 3 });
    test.subscribe(client, "u", 1, { retainAsPublished: true });
    test.publish("t/1", "1", 1);
    test.publish("t/1", "2", 2);
    test.publish("t/1", "3", 2);
    records.commit();
    client.session.received(client.outlet.messages[1]!.packetId);
    client.session.addReceived(77);
    test.publish("u", "4", 1, { retain: true });
    records.commit();
    test.publish("t/1", "lost", 1);
    const next = crashed(records).test;
    equal(next.router.subscriptions, 2);
    const again = next.connect("a", { user: "eve" });
    equal(again.isPresent, true);
    equal(again.session.hasReceived(77), true);
    next.publish("t/1", "5", 1);
    deepEqual(again.outlet.pubrels, []);
    deepEqual(
      again.outlet.messages.map(({ text, packetId, dup, retain, ids }) => [
        ...[text, packetId, dup, retain, ids],
      ]),
      [
        ["1", 1, true, false, [3]],
        ["4", 4, true, true, undefined],
        ["5", 5, false, false, [3]],
      ],
    );
  },
);

Deno.test(
  "of two stored messages with one packet id the earlier was acknowledged",
  pure,
  () => {
    // A crash between two commits of one burst.
    const records = new StagedTestRecords();
    const state = records.persistence();
    state.load();
    state.setSession({
      clientId: "a",
      user: undefined,
      expiry: Infinity,
      disconnectedAt: undefined,
      subscriptions: [],
      receivedIds: [],
    });
    for (const [sequence, packetId] of [[1, 5], [2, 6], [3, 5]] as const) {
      state.setDelivery("a", {
        message: message("t", `${sequence}`, { qos: 1 }),
        qos: 1,
        retain: false,
        subscriptionIds: undefined,
        sequence,
        packetId,
        released: false,
        share: undefined,
      });
    }
    records.commit();
    const { test, records: next } = crashed(records);
    deepEqual(
      test.connect("a").outlet.messages.map(({ text, packetId }) => [
        ...[text, packetId],
      ]),
      [["2", 6], ["3", 5]],
    );
    next.commit();
    equal(next.size, 5); // session, two deliveries, two messages
  },
);

Deno.test("at QoS 2 a kept session sends after the commit", pure, () => {
  const { records, test } = kept();
  const client = test.connect("a");
  test.subscribe(client, "t", 2);
  records.commit();
  test.publish("t", "1", 2);
  test.publish("t", "2", 1);
  deepEqual(client.outlet.texts, ["2"]);
  records.commit();
  deepEqual(client.outlet.texts, ["2", "1"]);
  client.session.received(1);
  deepEqual(client.outlet.pubrels, []);
  records.commit();
  deepEqual(client.outlet.pubrels, [1]);
  // Nothing is sent on a connection that has ended, or twice.
  test.publish("t", "3", 2);
  test.disconnect(client);
  const again = test.connect("a");
  records.commit();
  deepEqual(client.outlet.texts, ["2", "1"]);
  deepEqual(again.outlet.texts, ["2", "3"]);
});

Deno.test(
  "a session that ends with its connection changes nothing in the store",
  pure,
  () => {
    const { test } = kept();
    const before = test.router.changes;
    const client = test.connect("a", { expiry: 0 });
    test.subscribe(client, "t", 2);
    test.publish("t", "x", 2);
    test.publish("t", "y", 1);
    client.session.addReceived(1);
    client.session.release(1);
    client.session.received(1);
    client.session.completed(1);
    test.router.unsubscribe(client.session, "t");
    test.disconnect(client, true);
    equal(test.router.changes, before);
  },
);

Deno.test("changes tells what has to be committed", pure, () => {
  const { test } = kept();
  const { router } = test;
  const client = test.connect("a");
  const changesOf = (work: () => void): boolean => {
    const before = router.changes;
    work();
    return router.changes !== before;
  };
  equal(changesOf(() => test.subscribe(client, "t", 1)), true);
  equal(changesOf(() => test.subscribe(client, "t", 1)), false);
  equal(changesOf(() => test.publish("t", "x", 1)), true);
  equal(changesOf(() => test.publish("t", "x", 0)), false);
  equal(changesOf(() => test.publish("u", "x", 1)), false);
  equal(changesOf(() => test.publish("u", "x", 0, { retain: true })), true);
});

Deno.test(
  "a session expires by the time of its disconnect, also while no process runs",
  pure,
  () => {
    const { records, test } = kept();
    test.disconnect(test.connect("away", { expiry: 100 }));
    test.connect("connected", { expiry: 100 });
    test.now += 50_000;
    records.commit();
    const ids = (test: TestRouter) =>
      [...test.router.sessions].map(({ clientId }) => clientId);
    const first = crashed(records, test.now + 49_000);
    first.test.router.tick();
    deepEqual(ids(first.test), ["away", "connected"]);
    first.test.pass(1_000);
    // The other one was connected until the process ended.
    deepEqual(ids(first.test), ["connected"]);
    first.records.commit();
    equal(first.records.size, 1);
  },
);

Deno.test(
  "a session that was ended, or that no longer outlives its connection, is not restored",
  pure,
  () => {
    const { records, test } = kept();
    for (const id of ["clean", "short", "ended"]) {
      const client = test.connect(id);
      test.subscribe(client, "t");
      test.publish("t");
      test.disconnect(client);
    }
    records.commit();
    test.connect("clean", { cleanStart: true, expiry: 0 });
    test.connect("short", { expiry: 0 });
    test.disconnect(test.connect("ended"), false, 0);
    test.publish("t");
    records.commit();
    equal(records.size, 0);
  },
);

Deno.test(
  "more sessions than allowed: those that were disconnected longest end",
  pure,
  () => {
    const { records, test } = kept();
    for (const id of ["c", "a", "b"]) {
      test.disconnect(test.connect(id));
      test.now += 1;
    }
    records.commit();
    const next = crashed(records, test.now, { maxSessions: 2 }).test;
    deepEqual(
      [...next.router.sessions].map(({ clientId }) => clientId),
      ["a", "b"],
    );
  },
);

Deno.test(
  "a member of a shared subscription passes its messages on after a restart",
  pure,
  () => {
    const { records, test } = kept();
    for (const id of ["a", "b"]) {
      const client = test.connect(id, { expiry: id === "a" ? 10 : 100 });
      test.subscribe(client, "$share/g/t", 1);
      test.disconnect(client);
    }
    for (const text of ["1", "2"]) test.publish("t", text);
    records.commit();
    const next = crashed(records).test;
    next.pass(10_000);
    deepEqual(next.connect("b").outlet.texts, ["2", "1"]);
  },
);

Deno.test("retained messages survive a crash", pure, () => {
  const { records, test } = kept();
  for (const [topic, text] of [["a", "1"], ["b", "2"], ["a", "3"], ["b", ""]]) {
    test.publish(topic!, text!, 1, { retain: true });
  }
  test.publish("c", "short", 1, {
    ...{ retain: true, expiresAt: test.now + 1_000 },
  });
  records.commit();
  const next = crashed(records, test.now + 1_000).test;
  const client = next.connect("a");
  next.subscribe(client, "#");
  deepEqual(
    client.outlet.messages.map(({ topic, text, retain }) => [
      ...[topic, text, retain],
    ]),
    [["a", "3", true]],
  );
});

Deno.test(
  "wills with a delay survive a crash; overdue ones are published at the start",
  pure,
  () => {
    const { records, test } = kept();
    const will = (delay: number, text: string) => ({
      ...{ delay, message: message("will", text, { qos: 1 as const }) },
    });
    test.disconnect(test.connect("early", { will: will(10, "early") }), true);
    test.disconnect(test.connect("late", { will: will(50, "late") }), true);
    test.connect("connected", { will: will(25, "connected") });
    test.connect("at once", { will: will(0, "without delay") });
    test.disconnect(test.connect("back", { will: will(10, "back") }), true);
    test.connect("back");
    records.commit();
    const { test: next, records: after } = crashed(records, test.now + 30_000);
    const texts = () =>
      next.wills.map(({ payload }) => new TextDecoder().decode(payload));
    next.router.tick();
    deepEqual(texts(), ["early"]);
    next.pass(25_000);
    deepEqual(texts(), ["early", "late", "connected"]);
    after.commit();
    const last = crashed(after).test;
    equal(last.router.wills.waiting, 0);
  },
);
