/** SUBSCRIBE of MQTT 5: options, identifiers, shared subscriptions, codes. */
import assert from "node:assert/strict";
import { clause } from "./clause.ts";
import { FIRST, frame, properties, u16 } from "../../support/packet_bytes.ts";
import {
  acknowledge,
  drop,
  message,
  messages,
  ping,
  texts,
  type Trial,
} from "./trial.ts";

const PROTOCOL_ERROR = 0x82;
const versions = [5] as const;

clause({
  name: "No Local: a client does not get its own messages (3.8.3.1)",
  versions,
}, async (t) => {
  const client = await t.connect("own");
  const other = await t.connect("other");
  await t.subscribe(client, [{ topic: "local", nl: true }]);
  await t.publish(client, "local", "own");
  await t.publish(other, "local", "other");
  assert.deepEqual(texts(await messages(client)), ["other"]);
});

clause({
  name: "the same filter again replaces the options (3.8.4-3)",
  versions,
  mosquitto: "it keeps the options of the first",
}, async (t) => {
  const client = await t.connect("client");
  const received = async () => {
    await t.publish(client, "options", "x", { retain: true });
    return (await messages(client)).map(({ retain }) => retain);
  };
  const subscribe = (options: { nl?: boolean; rap?: boolean }) =>
    t.subscribe(client, [{ topic: "options", rh: 2, ...options }]);
  await subscribe({ nl: true });
  assert.deepEqual(await received(), []);
  await subscribe({ rap: true });
  assert.deepEqual(await received(), [true]);
  await subscribe({});
  assert.deepEqual(await received(), [false]);
  await subscribe({ nl: true });
  assert.deepEqual(await received(), []);
});

clause({
  name: "Retain As Published keeps RETAIN (3.3.1-12, 13)",
  versions,
}, async (t) => {
  const client = await t.connect("client");
  const writer = await t.connect("writer");
  for (const rap of [true, false]) {
    const topic = `rap/${rap}`;
    await t.subscribe(client, [{ topic, rap }]);
    for (const retain of [true, false]) {
      await t.publish(writer, topic, "x", { retain });
      assert.equal((await message(client)).retain, rap && retain);
    }
  }
});

clause({
  name: "Retain Handling: always, for new subscriptions, never (3.3.1-9 to 11)",
  versions,
}, async (t) => {
  const client = await t.connect("client");
  await t.publish(client, "rh", "x", { retain: true });
  const count = async (rh: number) => {
    await t.subscribe(client, [{ topic: "rh", rh }]);
    return (await messages(client)).length;
  };
  assert.equal(await count(2), 0, "never");
  assert.equal(await count(1), 0, "exists");
  assert.equal(await count(0), 1, "always");
  assert.equal(await count(0), 1, "always, exists");
  await t.unsubscribe(client, "rh");
  assert.equal(await count(1), 1, "new");
});

clause({
  name:
    "Retain Handling 1 knows the subscriptions of a kept session (3.3.1-10)",
  versions,
}, async (t) => {
  const first = await t.resume("kept");
  await t.publish(first, "rh", "x", { retain: true });
  await t.subscribe(first, [{ topic: "rh", rh: 1 }]);
  assert.equal((await messages(first)).length, 1);
  await first.disconnect();
  const second = await t.resume("kept");
  await t.subscribe(second, [{ topic: "rh", rh: 1 }]);
  assert.equal((await messages(second)).length, 0);
});

clause({
  name: "a Subscription Identifier comes with each message (3.3.4-3)",
  versions,
}, async (t) => {
  const client = await t.connect("client");
  for (const identifier of [1, 128, 268_435_455]) {
    await t.subscribe(client, `id/${identifier}`, { identifier });
    await t.publish(client, `id/${identifier}`, "x");
    const { properties } = await message(client);
    assert.deepEqual([properties?.subscriptionIdentifier].flat(), [identifier]);
  }
});

clause({
  name: "a message for overlapping filters has all their identifiers (3.3.4-4)",
  versions,
}, async (t) => {
  const client = await t.connect("client");
  await t.subscribe(client, "id/a", { identifier: 1 });
  await t.subscribe(client, "id/+", { identifier: 2 });
  await t.subscribe(client, "id/#");
  await t.publish(client, "id/a", "x");
  const received = await messages(client);
  const ids = received.flatMap(({ properties }) =>
    properties?.subscriptionIdentifier ?? []
  );
  assert.deepEqual(ids.sort(), [1, 2]);
  if (t.subject === "embedded") assert.equal(received.length, 1);
});

clause({
  name: "the same filter again replaces its identifier (3.8.4-3)",
  versions,
}, async (t) => {
  const client = await t.connect("client");
  const identifiers = async (identifier?: number) => {
    await t.subscribe(
      client,
      "id",
      identifier === undefined ? {} : { identifier },
    );
    await t.publish(client, "id", "x");
    const { properties } = await message(client);
    return [properties?.subscriptionIdentifier ?? []].flat();
  };
  assert.deepEqual(await identifiers(1), [1]);
  assert.deepEqual(await identifiers(2), [2]);
  assert.deepEqual(await identifiers(), []);
});

clause({
  name:
    "identifiers are those of the subscription, in a kept session and with retained messages (3.8.4)",
  versions,
}, async (t) => {
  const first = await t.resume("kept");
  await t.publish(first, "id/kept", "x", { retain: true });
  await t.subscribe(first, [{ topic: "id/+", qos: 1 }], { identifier: 9 });
  const retained = await message(first);
  assert.equal(retained.properties?.subscriptionIdentifier, 9);
  await first.disconnect();
  const writer = await t.connect("writer");
  await t.publish(writer, "id/later", "x", { qos: 1 });
  const second = await t.resume("kept");
  const later = await message(second);
  assert.equal(later.properties?.subscriptionIdentifier, 9);
});

clause({
  name: "a Subscription Identifier of a publisher is not passed on (3.3.4-6)",
  versions,
}, async (t) => {
  const client = await t.connect("client");
  await t.subscribe(client, "id", { identifier: 5 });
  const other = await t.connect("other");
  await t.subscribe(other, "id");
  await t.publish(client, "id", "x");
  await ping(other);
  const { properties } = await message(other);
  assert.equal(properties?.subscriptionIdentifier, undefined);
});

const SHARED = "$share/group/jobs/#";

async function members(t: Trial, count: number, qos: 0 | 1 | 2 = 1) {
  const clients = [];
  for (let i = 0; i < count; i++) {
    const client = await t.connect(`member-${i}`);
    await t.subscribe(client, SHARED, { qos });
    clients.push(client);
  }
  return clients;
}

clause({
  name:
    "a message of a shared subscription goes to one member, in turn (4.8.2)",
  versions,
}, async (t) => {
  const clients = await members(t, 3);
  const alone = await t.connect("alone");
  await t.subscribe(alone, "jobs/#");
  const writer = await t.connect("writer");
  for (let i = 0; i < 30; i++) await t.publish(writer, "jobs/a", `${i}`);
  const received: string[] = [];
  for (const client of clients) {
    const own = texts(await messages(client));
    assert.equal(own.length, 10);
    received.push(...own);
  }
  const all = Array.from({ length: 30 }, (_, i) => `${i}`);
  assert.deepEqual(received.sort((a, b) => Number(a) - Number(b)), all);
  assert.deepEqual(texts(await messages(alone)), all);
});

clause({
  name: "each group gets each message (4.8.2)",
  versions,
}, async (t) => {
  const client = await t.connect("both");
  await t.subscribe(client, "$share/one/jobs");
  const other = await t.connect("other");
  await t.subscribe(other, "$share/two/jobs");
  await t.publish(client, "jobs", "x");
  assert.deepEqual(texts(await messages(client)), ["x"]);
  assert.deepEqual(texts(await messages(other)), ["x"]);
});

clause({
  name: "a shared subscription gets no retained messages (4.8.2)",
  versions,
  mosquitto: "it sends them",
}, async (t) => {
  const writer = await t.connect("writer");
  await t.publish(writer, "jobs/a", "kept", { retain: true });
  const [member] = await members(t, 1);
  assert.deepEqual(await messages(member!), []);
});

clause({
  name:
    "a member that unsubscribes or leaves gets nothing, the others all (4.8.2)",
  versions,
}, async (t) => {
  const [first, second, third] = await members(t, 3);
  assert.deepEqual(await t.unsubscribe(first!, SHARED), [0]);
  await second!.disconnect();
  const writer = await t.connect("writer");
  for (let i = 0; i < 10; i++) await t.publish(writer, "jobs/a", `${i}`);
  assert.equal((await messages(third!)).length, 10);
  assert.equal((await messages(first!)).length, 0);
});

clause({
  name: "a message of a member that left goes to another (4.8.2)",
  versions,
  mosquitto: "it loses the message with the session",
}, async (t) => {
  const [first, second] = await members(t, 2);
  const writer = await t.connect("writer");
  for (let i = 0; i < 4; i++) {
    await t.publish(writer, "jobs/a", `${i}`, { qos: 1 });
  }
  const own = await messages(first!);
  assert.equal(own.length, 2);
  await acknowledge(first!, own[0]!);
  await ping(first!);
  await drop(first!); // one message is not acknowledged
  const received = await messages(second!);
  while (received.length < 3) received.push(await message(second!));
  const expected = ["0", "1", "2", "3"].filter((text) =>
    text !== own[0]!.payload.toString()
  );
  assert.deepEqual(texts(received).sort(), expected);
});

clause({
  name:
    "a member that stays gets the messages of its session after a reconnect (4.8.2)",
  versions,
}, async (t) => {
  const first = await t.resume("member");
  await t.subscribe(first, SHARED, { qos: 1 });
  await first.disconnect();
  const writer = await t.connect("writer");
  await t.publish(writer, "jobs/a", "x", { qos: 1 });
  const second = await t.resume("member");
  assert.deepEqual(texts(await messages(second)), ["x"]);
});

clause({
  name: "No Local with a shared subscription closes (3.8.3-4)",
  versions,
  mosquitto: "it accepts the option",
}, async (t) => {
  await t.mustClose(
    frame(FIRST.subscribe, u16(1), properties(5), SHARED, 0x04),
    PROTOCOL_ERROR,
  );
});

clause({
  name: "a malformed $share is refused with 0x8F, or closes (4.8.2-1, 2)",
  versions,
  mosquitto: "it takes some for ordinary filters",
}, async (t) => {
  for (const topic of ["$share/", "$share/a", "$share//a", "$share/a+/b"]) {
    const client = await t.connect("client");
    await client.write(
      frame(FIRST.subscribe, u16(1), properties(5), topic, 0),
    );
    await client.send({ cmd: "pingreq" }).catch(() => {});
    const first = await client.next();
    if (first?.cmd === "suback") {
      assert.ok(first.granted[0] as number >= 0x80, topic);
    } else assert.notEqual(first?.cmd, "pingresp", topic);
  }
});

clause({
  name: "UNSUBACK has a code for each filter (3.11.3)",
  versions,
}, async (t) => {
  const client = await t.connect("client");
  await t.subscribe(client, [{ topic: "a" }, { topic: "b/+" }]);
  assert.deepEqual(
    await t.unsubscribe(client, "a", "none", "b/+", "a"),
    [0, 0x11, 0, 0x11],
  );
});
