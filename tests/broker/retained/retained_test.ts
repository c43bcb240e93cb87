/** Retained messages (3.3.1.3). */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { covers } from "../../../src/broker/access/filters.ts";
import { RetainedTree } from "../../../src/broker/retained/retained_tree.ts";
import type { SubscriptionOptions } from "../../../src/broker/sessions/subscription.ts";
import { message, RecordingOutlet, TestRouter } from "../sessions/harness.ts";

const pure = { permissions: "none" } as const;

function retain(test: TestRouter, topic: string, text: string, options = {}) {
  return test.publish(topic, text, 1, { retain: true, ...options });
}

/** Subscribes without sending the retained messages. */
function subscribe(
  test: TestRouter,
  { session }: ReturnType<TestRouter["connect"]>,
  filter: string,
  options: Partial<SubscriptionOptions> = {},
): Iterator<boolean, void> {
  return test.router.subscribe(session, {
    ...{ filter, qos: 1, noLocal: false, retainAsPublished: false },
    ...{ retainHandling: 0, subscriptionId: undefined },
    ...options,
  }).retained!;
}

Deno.test("a retained message is set, replaced and cleared", pure, () => {
  const test = new TestRouter();
  retain(test, "t/a", "1");
  retain(test, "t/a", "2");
  retain(test, "t/b", "3");
  retain(test, "t/b", "");
  test.publish("t/c", "not retained");
  equal(test.router.retained.size, 1);
  const client = test.connect("a");
  test.subscribe(client, "#", 2, { subscriptionId: 5 });
  deepEqual(client.outlet.messages, [{
    ...{ topic: "t/a", text: "2", qos: 1, retain: true, ids: [5] },
    ...{ packetId: 1, dup: false },
  }]);
  retain(test, "t/a", "");
  equal(test.router.retained.size, 0);
  equal(test.router.retained.bytes, 0);
  deepEqual(client.outlet.texts, ["2", ""]);
});

Deno.test(
  "Retain Handling: always, for new subscriptions, never (MQTT 5, 3.8.3.1)",
  pure,
  () => {
    const test = new TestRouter();
    retain(test, "t", "x");
    const received = ([0, 1, 2] as const).map((retainHandling) => {
      const client = test.connect(`client ${retainHandling}`);
      for (let i = 0; i < 2; i++) {
        test.subscribe(client, "t", 1, { retainHandling });
      }
      return client.outlet.messages.length;
    });
    deepEqual(received, [2, 1, 0]);
  },
);

Deno.test("No Local holds for retained messages", pure, () => {
  const test = new TestRouter();
  retain(test, "t", "x", { publisher: "a" });
  const [a, b] = ["a", "b"].map((id) => test.connect(id));
  for (const client of [a!, b!]) {
    test.subscribe(client, "t", 1, { noLocal: true });
  }
  deepEqual(a!.outlet.texts, []);
  deepEqual(b!.outlet.texts, ["x"]);
});

Deno.test(
  "topics that begin with $ are retained, and not matched by wildcards (4.7.2)",
  pure,
  () => {
    const test = new TestRouter();
    retain(test, "$SYS/broker/version", "1", { publisher: undefined });
    retain(test, "a/$SYS", "2");
    const client = test.connect("a");
    for (const filter of ["#", "+/broker/version", "+/#"]) {
      test.subscribe(client, filter, 0);
      deepEqual(
        client.outlet.texts.splice(0),
        ["2"].filter(() => filter !== "+/broker/version"),
      );
      client.outlet.messages.length = 0;
    }
    for (const filter of ["$SYS/#", "$SYS/broker/+"]) {
      test.subscribe(client, filter, 0);
    }
    deepEqual(client.outlet.texts, ["1", "1"]);
  },
);

Deno.test("an expired message is not sent, and is removed", pure, () => {
  const test = new TestRouter();
  retain(test, "t/a", "1", { expiresAt: test.now + 1_000 });
  retain(test, "t/b", "2", { expiresAt: test.now + 2_000 });
  retain(test, "t/b", "3");
  test.now += 1_000;
  const client = test.connect("a");
  test.subscribe(client, "t/+", 0);
  deepEqual(client.outlet.texts, ["3"]);
  equal(test.router.retained.get("t/a"), undefined);
  equal(test.router.retained.size, 2);
  test.pass(5_000);
  equal(test.router.retained.size, 1);
  equal(test.router.nextDue, undefined);
});

Deno.test(
  "at the limit new topics are refused, and replacing stays possible",
  pure,
  () => {
    const test = new TestRouter({}, {
      retainedLimits: { maxMessages: 2, maxBytes: 10_000 },
    });
    const { router } = test;
    const client = test.connect("a");
    test.subscribe(client, "#", 0);
    const publish = (topic: string, length: number, mayRefuse: boolean) =>
      router.publish(
        message(topic, "x".repeat(length), { retain: true }),
        mayRefuse,
      );
    equal(publish("a", 100, true), 0);
    equal(publish("b", 100, true), 0);
    equal(publish("c", 100, true), 0x97);
    equal(publish("b", 200, true), 0);
    equal(client.outlet.messages.length, 3);
    // Its publisher does not receive a reason: it is delivered.
    equal(publish("c", 100, false), 0);
    equal(client.outlet.messages.length, 4);
    equal(router.retained.get("c"), undefined);
    equal(publish("a", 20_000, true), 0x97);
    equal(router.retained.get("a")!.payload.length, 100);
    // The former message would be outdated.
    equal(publish("a", 20_000, false), 0);
    equal(router.retained.get("a"), undefined);
    equal(publish("c", 100, true), 0);
    deepEqual(test.limits, { "mqtt-retained": 4 });
  },
);

Deno.test(
  "clients that use up the limit do not keep the server from its own messages",
  pure,
  () => {
    const test = new TestRouter({}, {
      retainedLimits: { maxMessages: 1, maxBytes: 2_000 },
    });
    const { router } = test;
    const own = { retain: true, publisher: undefined };
    router.publish(message("stranger", "x", { retain: true }));
    router.publish(message("state", "1", own));
    router.publish(message("state", "2".repeat(5_000), own));
    equal(router.retained.get("state")!.payload.length, 5_000);
    equal(router.publish(message("b", "x", { retain: true }), true), 0x97);
    deepEqual(test.limits, { "mqtt-retained": 1 });
  },
);

Deno.test("the levels of topics count, common ones once", pure, () => {
  const test = new TestRouter({}, {
    retainedLimits: { maxMessages: 100, maxBytes: 30_000 },
  });
  const publish = (topic: string) =>
    test.router.publish(message(topic, "x", { retain: true }), true);
  const deep = "/x".repeat(90);
  const none = 0x10; // subscribers
  equal(publish(`a${deep}`), none);
  equal(publish(`b${deep}`), 0x97);
  equal(publish(`a${deep}/1`), none);
  equal(publish("b"), none);
  for (const topic of [`a${deep}`, `a${deep}/1`, "b"]) retain(test, topic, "");
  equal(test.router.retained.bytes, 0);
});

Deno.test(
  "many retained messages are sent as fast as the client acknowledges them",
  pure,
  () => {
    const test = new TestRouter({ maxMessages: 50, maxInFlight: 10 });
    for (let i = 0; i < 500; i++) retain(test, `t/${i}`, String(i));
    const client = test.connect("a");
    const job = subscribe(test, client, "t/+");
    let seen = 0;
    for (;;) {
      const step = job.next();
      if (step.done) break;
      if (step.value) continue;
      const { packetId } = client.outlet.messages[seen++]!;
      client.session.acknowledged(packetId);
    }
    equal(test.router.counters.publishDropped, 0);
    for (; seen < 500; seen++) {
      client.session.acknowledged(client.outlet.messages[seen]!.packetId);
    }
    equal(new Set(client.outlet.texts).size, 500);
  },
);

Deno.test(
  "retained messages wait while the connection has much unsent",
  pure,
  () => {
    const test = new TestRouter();
    for (let i = 0; i < 3; i++) retain(test, `t/${i}`, String(i));
    const outlet = new RecordingOutlet();
    const client = test.connect("a", { outlet });
    const job = subscribe(test, client, "t/+", { qos: 0 });
    job.next();
    outlet.hasRoom = false;
    equal(job.next().value, false);
    equal(job.next().value, false);
    deepEqual(outlet.texts, ["0"]);
    outlet.hasRoom = true;
    while (!job.next().done);
    deepEqual(outlet.texts, ["0", "1", "2"]);
  },
);

Deno.test(
  "a message that was published meanwhile is not followed by an older one",
  pure,
  () => {
    const test = new TestRouter();
    for (let i = 0; i < 4; i++) retain(test, `t/${i}`, "old");
    const outlet = new RecordingOutlet();
    const client = test.connect("a", { outlet });
    const job = subscribe(test, client, "t/+", { qos: 0 });
    retain(test, "t/5", "new"); // before the first one is sent
    job.next();
    outlet.hasRoom = false;
    job.next(); // waits before t/1
    retain(test, "t/1", "new");
    retain(test, "t/2", "new");
    retain(test, "t/3", "");
    retain(test, "t/4", "new");
    outlet.hasRoom = true;
    while (!job.next().done);
    deepEqual(
      outlet.messages.map(({ topic, text, retain }) => [topic, text, retain]),
      [
        ["t/5", "new", false],
        ["t/0", "old", true],
        ["t/1", "new", false],
        ["t/2", "new", false],
        ["t/3", "", false],
        ["t/4", "new", false],
      ],
    );
  },
);

Deno.test(
  "retained messages end with their subscription; a kept session queues the rest",
  pure,
  () => {
    const test = new TestRouter();
    for (let i = 0; i < 5; i++) retain(test, `t/${i}`, String(i));
    const client = test.connect("a");
    const job = subscribe(test, client, "t/+");
    job.next();
    test.router.unsubscribe(client.session, "t/+");
    while (!job.next().done);
    equal(client.outlet.messages.length, 1);
    const second = subscribe(test, client, "t/#");
    second.next();
    test.disconnect(client);
    while (!second.next().done);
    equal(client.session.queue.length, 6);
    const third = subscribe(test, test.connect("b", { expiry: 0 }), "t/#");
    third.next();
    test.router.sessions.end(test.router.sessions.get("b")!);
    while (!third.next().done);
  },
);

Deno.test(
  "RetainedTree finds the topics that match a filter, as a comparison with each",
  pure,
  () => {
    const level = fc.constantFrom("a", "b", "", "$x");
    const topic = fc.array(level, { minLength: 1, maxLength: 4 })
      .map((levels) => levels.join("/"));
    const filter = fc.tuple(
      fc.array(fc.oneof(level, fc.constant("+")), {
        minLength: 1,
        maxLength: 4,
      }),
      fc.constantFrom("", "/#", "#"),
    ).map(([levels, end]) => end === "#" ? "#" : levels.join("/") + end);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(topic, fc.boolean()), { maxLength: 60 }),
        fc.array(filter, { minLength: 1, maxLength: 5 }),
        (changes, filters) => {
          const tree = new RetainedTree();
          const model = new Map<string, number>();
          changes.forEach(([topic, isSet], sequence) => {
            if (isSet) {
              tree.set({
                ...{ message: message(topic), sequence, isCurrent: true },
              });
              model.set(topic, sequence);
            } else {
              equal(tree.delete(topic)?.sequence, model.get(topic));
              model.delete(topic);
            }
          });
          equal(tree.size, model.size);
          for (const filter of filters) {
            const found = [...tree.matching(filter)].flatMap((one) =>
              one === undefined ? [] : [one.sequence]
            );
            const expected = [...model].filter(([topic]) =>
              covers(filter.split("/"), topic.split("/"))
            ).map(([, sequence]) => sequence);
            deepEqual(found.sort(), expected.sort());
          }
          for (const topic of model.keys()) tree.delete(topic);
          equal(tree.levels, 0);
        },
      ),
      { numRuns: 1_000 },
    );
  },
);

Deno.test("a search visits only what can match, in slices", pure, () => {
  const tree = new RetainedTree();
  for (let i = 0; i < 10_000; i++) {
    const topic = `building/${i % 100}/room/${i}`;
    tree.set({ message: message(topic), sequence: i, isCurrent: true });
  }
  const steps = (filter: string) => [...tree.matching(filter)].length;
  equal(steps("building/7/+"), 0);
  equal(steps("building/+/room"), 3);
  equal(steps("building/+/none/#"), 1);
  equal(steps("other/#"), 0);
  equal([...tree.matching("building/7/room/+")].filter(Boolean).length, 100);
  // Nothing matches, but a break is possible.
  equal(steps("+/+/+/+/+") > 100, true);
});

Deno.test("a search continues in a tree that changes", pure, () => {
  const tree = new RetainedTree();
  const set = (topic: string, sequence: number) =>
    tree.set({ message: message(topic), sequence, isCurrent: true });
  for (let i = 0; i < 10; i++) set(`t/${i}`, i);
  const search = tree.matching("t/+");
  equal(search.next().value!.sequence, 0);
  for (let i = 0; i < 9; i++) tree.delete(`t/${i}`);
  set("t/3", 30);
  deepEqual([...search].map((one) => one!.sequence), [9, 30]);
});

Deno.test("the bytes of retained messages are counted exactly", pure, () => {
  const change = fc.tuple(fc.nat(5), fc.nat(2_000));
  fc.assert(fc.property(fc.array(change), (changes) => {
    const test = new TestRouter({}, {
      retainedLimits: { maxMessages: 4, maxBytes: 6_000 },
    });
    const { retained } = test.router;
    for (const [topic, length] of changes) {
      retain(test, String(topic), "x".repeat(length));
      equal(retained.size <= 4, true);
      equal(retained.bytes <= 6_000, true);
    }
    for (let topic = 0; topic <= 5; topic++) retain(test, String(topic), "");
    equal(retained.bytes, 0);
    equal(retained.size, 0);
  }));
});
