/** Subscriptions: what is delivered because of them, and to whom. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { covers } from "../../../src/broker/access/filters.ts";
import type { QoS } from "../../../src/mqtt/link.ts";
import { TestRouter } from "./harness.ts";
import { StagedTestRecords } from "./staged_records.ts";

const pure = { permissions: "none" } as const;

Deno.test(
  "a message is delivered at the lesser of its QoS and the granted one (3.8.4)",
  pure,
  () => {
    for (const granted of [0, 1, 2] as const) {
      for (const published of [0, 1, 2] as const) {
        const test = new TestRouter();
        const client = test.connect("a");
        equal(test.subscribe(client, "+/x", granted), granted);
        test.publish("t/x", "x", published);
        equal(client.outlet.messages[0]!.qos, Math.min(granted, published));
      }
    }
  },
);

Deno.test(
  "overlapping filters: one copy at the highest QoS, with all identifiers (3.3.4)",
  pure,
  () => {
    const test = new TestRouter();
    const client = test.connect("a");
    test.subscribe(client, "t/#", 0, { subscriptionId: 7 });
    test.subscribe(client, "t/+", 2, { subscriptionId: 8 });
    test.subscribe(client, "t/a", 1);
    test.publish("t/a", "x", 2);
    test.publish("t/a/b", "y", 2);
    const seen = client.outlet.messages.map(({ text, qos, ids }) => ({
      ...{ text, qos, ids: ids?.toSorted() },
    }));
    deepEqual(seen, [
      { text: "x", qos: 2, ids: [7, 8] },
      { text: "y", qos: 0, ids: [7] },
    ]);
  },
);

Deno.test("the same filter replaces the subscription (3.8.4)", pure, () => {
  const test = new TestRouter();
  const client = test.connect("a");
  test.subscribe(client, "t", 2, { subscriptionId: 1 });
  test.subscribe(client, "t", 0, { subscriptionId: 2 });
  test.publish("t", "x", 2);
  const [first, ...others] = client.outlet.messages;
  deepEqual([first!.qos, first!.ids, others], [0, [2], []]);
  equal(test.router.subscriptions, 1);
});

Deno.test("UNSUBSCRIBE removes exactly the filter (3.10.4)", pure, () => {
  const test = new TestRouter();
  const client = test.connect("a");
  test.subscribe(client, "t/+");
  equal(test.router.unsubscribe(client.session, "t/a"), false);
  equal(test.router.unsubscribe(client.session, "t/+"), true);
  equal(test.router.unsubscribe(client.session, "t/+"), false);
  equal(test.publish("t/a"), 0x10);
  equal(client.outlet.messages.length, 0);
});

Deno.test(
  "No Local: a client does not receive its own messages, per subscription (MQTT 5, 3.8.3.1)",
  pure,
  () => {
    const test = new TestRouter();
    const client = test.connect("a");
    const other = test.connect("b");
    test.subscribe(client, "t/#", 2, { noLocal: true, subscriptionId: 1 });
    test.subscribe(other, "t/#", 1);
    test.publish("t/a", "own", 1, { publisher: "a" });
    test.publish("t/a", "other", 1, { publisher: "b" });
    deepEqual(client.outlet.texts, ["other"]);
    deepEqual(other.outlet.texts, ["own", "other"]);
    test.subscribe(client, "t/+", 0, { subscriptionId: 2 });
    test.subscribe(client, "+/a", 1, { subscriptionId: 3 });
    test.publish("t/a", "own", 2, { publisher: "a" });
    test.publish("t/a", "other", 2, { publisher: "b" });
    const [own, others] = client.outlet.messages.slice(-2);
    deepEqual([own!.qos, own!.ids?.toSorted()], [1, [2, 3]]);
    deepEqual([others!.qos, others!.ids?.toSorted()], [2, [1, 2, 3]]);
  },
);

Deno.test(
  "RETAIN is passed on with Retain As Published only (MQTT 5, 3.8.3.1)",
  pure,
  () => {
    const test = new TestRouter();
    const client = test.connect("a");
    const bridge = test.connect("b");
    test.subscribe(client, "t", 1);
    test.subscribe(bridge, "t", 1, { retainAsPublished: true });
    test.publish("t", "x", 1, { retain: true });
    test.publish("t", "y", 1);
    deepEqual(client.outlet.messages.map(({ retain }) => retain), [
      false,
      false,
    ]);
    deepEqual(bridge.outlet.messages.map(({ retain }) => retain), [
      true,
      false,
    ]);
  },
);

Deno.test(
  "the subscriptions of a client are limited; replacing stays possible",
  pure,
  () => {
    const test = new TestRouter({ maxSubscriptions: 2 });
    const client = test.connect("a");
    const codes = ["a", "b", "c", "a"].map((filter) =>
      test.subscribe(client, filter, 1)
    );
    deepEqual(codes, [1, 1, 0x97, 1]);
    deepEqual(test.limits, { "mqtt-subscriptions": 1 });
  },
);

Deno.test(
  "the memory of subscriptions is limited: of a client, and of all",
  pure,
  () => {
    const test = new TestRouter({
      maxSubscriptionBytes: 100_000,
      maxTotalSubscriptionBytes: 150_000,
    });
    const [a, b, c] = ["a", "b", "c"].map((id) => test.connect(id));
    const long = (letter: string) => letter.repeat(40_000);
    const deep = (letter: string) => `${letter}${"/x".repeat(199)}`;
    equal(test.subscribe(a!, long("a"), 1), 1);
    equal(test.subscribe(a!, long("b"), 1), 0x97, "the client");
    equal(test.subscribe(a!, long("a"), 0), 0, "the same again");
    equal(test.subscribe(b!, deep("b"), 1), 1);
    equal(test.subscribe(b!, deep("c"), 1), 0x97, "levels count");
    equal(test.subscribe(c!, long("d"), 1), 0x97, "all clients");
    test.router.unsubscribe(a!.session, long("a"));
    equal(test.subscribe(c!, long("d"), 1), 1);
    equal(test.subscribe(a!, "short", 1), 1);
    deepEqual(test.limits, { "mqtt-subscriptions": 3 });
    for (const { session } of [a!, b!, c!]) test.router.sessions.end(session);
    equal(test.subscribe(test.connect("d"), long("d"), 1), 1);
  },
);

Deno.test(
  "rules decide who receives a message, until they change",
  pure,
  () => {
    const rules = {
      version: 1,
      denied: "a",
      mayReceive(identity: { clientId: string }, topic: string): boolean {
        return identity.clientId !== rules.denied || topic !== "t/secret";
      },
    };
    const test = new TestRouter({}, { rules });
    const [a, b] = ["a", "b"].map((id) => test.connect(id));
    for (const client of [a!, b!]) {
      test.subscribe(client, "#", 1);
      test.subscribe(client, "t/+", 1);
    }
    test.publish("t/secret", "1", 1, { retain: true });
    test.publish("t/open", "2");
    rules.denied = "b";
    rules.version++;
    test.publish("t/secret", "3");
    deepEqual(a!.outlet.texts, ["2", "3"]);
    deepEqual(b!.outlet.texts, ["1", "2"]);
    // Retained messages too.
    test.subscribe(b!, "t/secret", 1);
    test.subscribe(a!, "t/secret", 1);
    deepEqual(a!.outlet.texts, ["2", "3", "1"]);
    deepEqual(b!.outlet.texts, ["1", "2"]);
    test.subscribe(b!, "$share/g/t/secret", 1);
    equal(test.publish("t/secret", "4"), 0);
    deepEqual(b!.outlet.texts, ["1", "2"]);
  },
);

Deno.test(
  "what waits is not delivered after the client has lost the right to it",
  pure,
  () => {
    const rules = {
      version: 1,
      secret: "none",
      checks: 0,
      mayReceive(identity: { clientId: string }, topic: string): boolean {
        rules.checks++;
        return identity.clientId !== "a" || topic !== rules.secret;
      },
    };
    const records = new StagedTestRecords();
    const persistence = records.persistence();
    const test = new TestRouter({ maxInFlight: 2 }, { rules, persistence });
    let a = test.connect("a");
    test.subscribe(a, "t/+", 2);
    test.subscribe(a, "$share/g/s", 1);
    // 1 was sent, 2 is sent but not PUBREC'd, the others wait.
    for (const text of ["1", "2", "3"]) test.publish("t/secret", text, 2);
    test.publish("t/open", "4", 1);
    records.commit();
    deepEqual(a.outlet.texts, ["1", "2"]);
    equal(a.session.received(1), true);
    test.publish("s", "5", 1);
    rules.secret = "t/secret";
    rules.version++;
    records.commit();
    // Connected: what was sent goes on, 3 is dropped.
    equal(a.session.completed(1), true);
    records.commit();
    deepEqual(a.outlet.texts, ["1", "2", "4"]);
    equal(a.session.queue.length, 3);
    const { checks } = rules;
    equal(a.session.acknowledged(3), true);
    equal(rules.checks, checks);
    deepEqual(a.outlet.texts, ["1", "2", "4", "5"]);
    // Away: the message of the shared subscription goes to another member.
    test.disconnect(a);
    const b = test.connect("b");
    test.subscribe(b, "$share/g/s", 1);
    rules.secret = "s";
    rules.version++;
    a = test.connect("a");
    records.commit();
    deepEqual(a.outlet.texts, ["2"]);
    deepEqual(b.outlet.texts, ["5"]);
    equal(a.session.received(2), true);
    // A repetition is not sent either; its PUBREL is.
    test.disconnect(a);
    rules.secret = "t/secret";
    rules.version++;
    a = test.connect("a");
    records.commit();
    deepEqual([a.outlet.texts, a.outlet.pubrels], [[], [2]]);
    test.publish("t/open", "6", 2);
    test.disconnect(a);
    rules.secret = "t/open";
    rules.version++;
    a = test.connect("a");
    records.commit();
    deepEqual(a.outlet.texts, []);
    equal(a.session.queue.length, 1);
  },
);

Deno.test(
  "the rights of a session from before a restart are checked when it returns",
  pure,
  () => {
    const records = new StagedTestRecords();
    const test = new TestRouter({}, { persistence: records.persistence() });
    const a = test.connect("a");
    test.subscribe(a, "t/+", 1);
    test.disconnect(a);
    test.publish("t/secret", "1");
    test.publish("t/open", "2");
    records.commit();
    const rules = {
      version: 1,
      mayReceive: (_: unknown, topic: string) => topic !== "t/secret",
    };
    const again = new TestRouter({}, {
      rules,
      persistence: records.crashed().persistence(),
    });
    again.router.restore();
    deepEqual(again.connect("a").outlet.texts, ["2"]);
  },
);

Deno.test(
  "hasSubscriber() is false if no client would receive a message",
  pure,
  () => {
    const test = new TestRouter();
    const [a, b, c] = ["a", "b", "c"].map((id) => test.connect(id));
    test.subscribe(a!, "q0", 0);
    test.subscribe(b!, "q1", 1);
    test.subscribe(c!, "$share/g/q1", 0);
    const seen = () =>
      ["q0", "q1", "q2"].map((t) => test.router.hasSubscriber(t));
    deepEqual(seen(), [true, true, false]);
    for (const client of [a!, b!]) test.disconnect(client);
    deepEqual(seen(), [false, true, false]);
    test.pass(60_000);
    deepEqual(seen(), [false, true, false]);
    test.disconnect(c!);
    deepEqual(seen(), [false, false, false]);
  },
);

Deno.test(
  "each session receives what its subscriptions match, once, at the highest QoS",
  pure,
  () => {
    const filter = fc.constantFrom("#", "+", "a", "a/#", "a/+", "+/b", "a/b");
    const change = fc.record({
      client: fc.nat(2),
      filter,
      qos: fc.constantFrom(0, 1, 2),
      noLocal: fc.boolean(),
      event: fc.constantFrom(
        ...["subscribe", "subscribe", "unsubscribe", "publish", "reconnect"],
      ),
      topic: fc.constantFrom("a", "b", "a/b", "a/c"),
    });
    fc.assert(fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      const test = new TestRouter();
      const ids = ["0", "1", "2"];
      let clients = ids.map((id) => test.connect(id));
      const model = ids.map(() =>
        new Map<string, { qos: QoS; noLocal: boolean }>()
      );
      let text = 0;
      for (
        const { client: index, filter, qos, noLocal, event, topic } of changes
      ) {
        const client = clients[index]!;
        const subscriptions = model[index]!;
        if (event === "subscribe") {
          test.subscribe(client, filter, qos as 0 | 1 | 2, { noLocal });
          subscriptions.set(filter, { qos: qos as QoS, noLocal });
        } else if (event === "unsubscribe") {
          equal(
            test.router.unsubscribe(client.session, filter),
            subscriptions.delete(filter),
          );
        } else if (event === "reconnect") {
          test.disconnect(client);
          clients = clients.map((one, i) =>
            i === index ? test.connect(ids[i]!) : one
          );
        } else {
          for (const { outlet } of clients) outlet.messages.length = 0;
          test.publish(topic, String(++text), qos as QoS, {
            publisher: ids[index]!,
          });
          for (const [i, { outlet, session }] of clients.entries()) {
            const matching = [...model[i]!].filter(([filter, { noLocal }]) =>
              covers(filter.split("/"), topic.split("/")) &&
              !(noLocal && i === index)
            );
            const granted = Math.max(...matching.map(([, { qos }]) => qos));
            deepEqual(
              outlet.messages.map((one) => [one.text, one.qos]),
              matching.length === 0 ? [] : [[
                String(text),
                Math.min(qos, granted),
              ]],
            );
            for (const { packetId } of outlet.messages) {
              if (session.acknowledged(packetId)) continue;
              session.received(packetId);
              session.completed(packetId);
            }
          }
        }
      }
    }));
  },
);
