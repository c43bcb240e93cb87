/** Shared subscriptions (MQTT 5, 4.8.2). */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  type RecordingOutlet,
  type TestClient,
  TestRouter,
} from "./harness.ts";

const pure = { permissions: "none" } as const;

function group(
  test: TestRouter,
  count: number,
  qos: 0 | 1 | 2 = 1,
): TestClient[] {
  return Array.from({ length: count }, (_, i) => {
    const client = test.connect(`member ${i}`);
    test.subscribe(client, "$share/g/t/+", qos);
    return client;
  });
}

function publish(test: TestRouter, count: number, qos: 0 | 1 | 2 = 1): void {
  for (let i = 0; i < count; i++) test.publish("t/x", String(i), qos);
}

Deno.test(
  "members of a shared subscription receive messages in turn",
  pure,
  () => {
    const test = new TestRouter();
    const members = group(test, 3);
    publish(test, 6);
    deepEqual(members.map(({ outlet }) => outlet.texts), [
      ["0", "3"],
      ["1", "4"],
      ["2", "5"],
    ]);
  },
);

Deno.test(
  "groups and other subscriptions receive a message independently",
  pure,
  () => {
    const test = new TestRouter();
    const [member] = group(test, 1);
    const other = test.connect("other");
    test.subscribe(other, "$share/h/t/#", 1);
    test.subscribe(member!, "t/x", 1);
    publish(test, 1);
    deepEqual(member!.outlet.texts, ["0", "0"]);
    deepEqual(other.outlet.texts, ["0"]);
    equal(test.router.subscriptions, 3);
  },
);

Deno.test("an invalid shared subscription is refused with 0x8F", pure, () => {
  const test = new TestRouter();
  const client = test.connect("a");
  for (const filter of ["$share/g", "$share/g/", "$share//t", "$share/+/t"]) {
    equal(test.subscribe(client, filter), 0x8f, filter);
  }
  equal(test.router.subscriptions, 0);
});

Deno.test(
  "connected members are preferred, and those without a backlog",
  pure,
  () => {
    const test = new TestRouter({ maxInFlight: 1 });
    const [a, b, c] = group(test, 3);
    test.disconnect(a!);
    publish(test, 4);
    deepEqual(b!.outlet.texts.length + c!.outlet.texts.length, 2);
    equal(b!.session.queue.length, 2);
    equal(c!.session.queue.length, 2);
    b!.session.acknowledged(1);
    b!.session.acknowledged(2);
    test.publish("t/x", "4");
    test.publish("t/x", "5");
    equal(b!.session.queue.length, 2, "it has nothing waiting");
    equal(c!.session.queue.length, 2);
    equal(a!.session.queue.length, 0);
  },
);

Deno.test(
  "without a connected member, one keeps the message; at QoS 0 it is dropped",
  pure,
  () => {
    const test = new TestRouter();
    const [a, b] = group(test, 2);
    test.disconnect(a!);
    test.disconnect(b!);
    publish(test, 2);
    publish(test, 2, 0);
    equal(a!.session.queue.length, 1);
    equal(b!.session.queue.length, 1);
  },
);

Deno.test("what waits for a member that leaves goes to another", pure, () => {
  const test = new TestRouter({ maxInFlight: 1 });
  const [a, b] = group(test, 2);
  publish(test, 6);
  deepEqual([a!, b!].map(({ session }) => session.queue.length), [3, 3]);
  equal(test.router.unsubscribe(a!.session, "$share/g/t/+"), true);
  // What it has received stays with it.
  equal(a!.session.queue.length, 1);
  equal(b!.session.queue.length, 5);
  while (b!.session.acknowledged(b!.outlet.messages.at(-1)!.packetId));
  deepEqual(b!.outlet.texts, ["1", "3", "5", "2", "4"]);
});

Deno.test(
  "what a session did not acknowledge at QoS 1 goes to another member when it ends",
  pure,
  () => {
    const test = new TestRouter({ maxInFlight: 1 });
    const [a, b] = group(test, 2);
    publish(test, 4);
    test.disconnect(a!);
    equal(b!.session.queue.length, 2, "it may come back");
    test.pass(60_000);
    while (b!.session.acknowledged(b!.outlet.messages.at(-1)!.packetId));
    deepEqual(b!.outlet.texts, ["1", "3", "0", "2"]);
  },
);

Deno.test(
  "a message at QoS 2 that was sent is not sent to another member",
  pure,
  () => {
    const test = new TestRouter({ maxInFlight: 1 });
    const [a, b] = group(test, 2, 2);
    publish(test, 4, 2);
    test.disconnect(a!, false, 0);
    for (let i = 0; i < 5; i++) {
      const id = b!.outlet.messages.at(-1)!.packetId;
      b!.session.received(id);
      b!.session.completed(id);
    }
    deepEqual(b!.outlet.texts, ["1", "3", "2"]);
  },
);

Deno.test(
  "a message that a member rejects is not sent to another",
  pure,
  () => {
    const test = new TestRouter();
    const [a, b] = group(test, 2, 2);
    publish(test, 1, 2);
    a!.session.received(1, 0x83);
    test.disconnect(a!, false, 0);
    equal(b!.outlet.messages.length, 0);
  },
);

Deno.test("the last member of a group takes its messages with it", pure, () => {
  const test = new TestRouter();
  const [a] = group(test, 1);
  publish(test, 2);
  test.disconnect(a!, false, 0);
  equal(test.router.sessions.budget.bytes, 0);
  equal(test.publish("t/x"), 0x10);
  const [again] = group(test, 1);
  equal(test.publish("t/x"), 0);
  equal(again!.outlet.messages.length, 1);
});

Deno.test(
  "retained messages are not sent for a shared subscription",
  pure,
  () => {
    const test = new TestRouter();
    test.publish("t/x", "retained", 1, { retain: true });
    const [a] = group(test, 1);
    equal(a!.outlet.messages.length, 0);
  },
);

Deno.test(
  "while a group has a member, each message at QoS 1 reaches one",
  pure,
  () => {
    const event = fc.record({
      name: fc.constantFrom(
        ...["publish", "publish", "publish", "acknowledge", "acknowledge"],
        ...["disconnect", "connect", "leave", "join", "end", "clean"],
      ),
      member: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), (events) => {
        const test = new TestRouter({ maxInFlight: 2 });
        // The first one stays, but is not always connected.
        const members = group(test, 4);
        const received = new Set<string>();
        const sent = new Map<RecordingOutlet, number>();
        const acknowledge = ({ session, outlet }: TestClient): boolean => {
          const next = sent.get(outlet) ?? 0;
          const message = outlet.messages[next];
          if (message === undefined || !session.isConnected) return false;
          sent.set(outlet, next + 1);
          received.add(message.text);
          session.acknowledged(message.packetId);
          return true;
        };
        const connect = (i: number, cleanStart = false) => {
          members[i] = test.connect(`member ${i}`, { cleanStart });
        };
        let published = 0;
        for (const { name, member } of events) {
          const i = member + 1;
          const client = members[i]!;
          if (name === "publish") test.publish("t/x", String(published++));
          else if (name === "acknowledge") acknowledge(client);
          else if (name === "connect") connect(i);
          else if (name === "clean") connect(i, true);
          else if (name === "disconnect") {
            test.disconnect(member === 2 ? members[0]! : client);
          } else if (name === "end") test.disconnect(client, false, 0);
          else if (name === "join" && client.session.isConnected) {
            test.subscribe(client, "$share/g/t/+", 1);
          } else if (name === "leave" && client.session.isConnected) {
            test.router.unsubscribe(client.session, "$share/g/t/+");
          }
        }
        for (let i = 0; i < members.length; i++) connect(i);
        while (members.some(acknowledge));
        equal(received.size, published);
        equal(test.router.sessions.budget.messages, 0);
      }),
      { numRuns: 300 },
    );
  },
);
