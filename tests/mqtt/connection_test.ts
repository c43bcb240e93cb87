/**
 * `Connection` with a fake broker. The tests also check undocumented behaviour
 * of mqtt.js on which `Connection` relies.
 */
import assert from "node:assert/strict";
import { type Incoming, LinkError } from "../../src/mqtt/link.ts";
import type {
  Connection,
  ConnectionOptions,
} from "../../src/mqtt/connection.ts";
import { closeLink } from "../support/close_link.ts";
import {
  connack4,
  connack5,
  FakeBroker,
  grantSubscription,
} from "../support/fake_broker.ts";
import { needs } from "../support/needs.ts";
import {
  encode,
  encodeNumbered,
  encodePublish,
  type Packet,
} from "../support/packets.ts";
import type { RawConnection } from "../support/raw_connection.ts";
import { until, within } from "../support/until.ts";

Deno.test({
  name: "Connection.acknowledge() sends the PUBACKs; mqtt.js sends none",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    const { raw, link, messages } = open;
    await raw.write(encodeNumbered("t", 200));
    await until(() => messages.length === 200);
    assert.equal(await acknowledgedBefore(open, "one"), 0);

    link.acknowledge(messages.slice(0, 120));
    assert.deepEqual(await acknowledgedIds(raw, 120), range(1, 120));
    link.acknowledge([]);
    link.acknowledge(messages.slice(120));
    assert.deepEqual(await acknowledgedIds(raw, 80), range(121, 200));
    assert.equal(await acknowledgedBefore(open, "two"), 0);
  },
});

Deno.test({
  name: "Connection sends PUBACKs in the order of the messages (MQTT 5, 4.6)",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    const { raw, link, messages } = open;
    await raw.write(encodeNumbered("t", 5));
    await until(() => messages.length === 5);
    link.acknowledge([messages[4]!, messages[2]!, messages[1]!]);
    assert.equal(await acknowledgedBefore(open, "one"), 0);
    link.acknowledge([messages[0]!]);
    assert.deepEqual(await acknowledgedIds(raw, 3), [1, 2, 3]);
    link.acknowledge(messages); // again: only one is left
    assert.deepEqual(await acknowledgedIds(raw, 2), [4, 5]);
    assert.equal(await acknowledgedBefore(open, "two"), 0);
  },
});

Deno.test({
  name: "Connection.acknowledgeLater() lets later messages go ahead",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    const { raw, link, messages } = open;
    await raw.write(encodeNumbered("t", 4));
    await until(() => messages.length === 4);
    link.acknowledge([messages[1]!]);
    assert.equal(await acknowledgedBefore(open, "one"), 0);
    link.acknowledgeLater(messages[0]!);
    assert.deepEqual(await acknowledgedIds(raw, 1), [2]);
    link.acknowledge([messages[3]!]);
    link.acknowledge([messages[0]!]);
    assert.deepEqual(await acknowledgedIds(raw, 1), [1]);
    link.acknowledge([messages[0]!, messages[2]!]);
    assert.deepEqual(await acknowledgedIds(raw, 2), [3, 4]);
    assert.equal(await acknowledgedBefore(open, "two"), 0);
  },
});

Deno.test({
  name: "Connection.acknowledge() ignores messages at QoS 0",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    const { raw, link, messages } = open;
    await raw.write(
      encodePublish("t", "0"),
      encodePublish("t", "1", { qos: 1, id: 7 }),
      encodePublish("t", "0"),
    );
    await until(() => messages.length === 3);
    link.acknowledge(messages);
    assert.deepEqual(await acknowledgedIds(raw, 1), [7]);
    assert.equal(await acknowledgedBefore(open, "one"), 0);
  },
});

Deno.test({
  name:
    "Connection.acknowledge() ignores the messages of an earlier connection",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    const { link, messages } = open;
    await open.raw.write(encodeNumbered("t", 3));
    await until(() => messages.length === 3);
    const old = messages.slice();

    await open.raw[Symbol.asyncDispose]();
    open.raw = await broker.acceptSubscriber();
    await until(() => open.events.length === 2);
    assert.match(open.events[0]!, /^down: /);
    assert.equal(open.events[1], "up");

    // The same packet ids now belong to other messages.
    await open.raw.write(encodeNumbered("t", 3));
    await until(() => messages.length === 6);
    link.acknowledge(old);
    assert.equal(await acknowledgedBefore(open, "one"), 0);
    link.acknowledge([...old, messages[3]!]);
    assert.deepEqual(await acknowledgedIds(open.raw, 1), [1]);
  },
});

Deno.test({
  name:
    "Connection.acknowledge() works in a resumed session before the event connect",
  ...needs(),
  fn: async () => {
    // mqtt.js first repeats its own publish and emits "connect" after its
    // PUBACK: by then the messages of the session have arrived.
    const four = connack4(0, true);
    await using broker = new FakeBroker({ four });
    await using open = await openConnection(broker, { sessionExpiry: 60 });
    const { link, messages } = open;
    const published = link.publish("own", new Uint8Array(1), { qos: 1 });
    await open.raw.take("publish");
    await open.raw[Symbol.asyncDispose]();

    const raw = open.raw = await broker.acceptClient();
    const own = encode({ cmd: "puback", messageId: await nextId(raw) });
    await raw.write(encodeNumbered("t", 20), own);
    await grantSubscription(raw, await raw.take("subscribe"));
    await published;
    assert.equal(messages.length, 20);
    link.acknowledge(messages);
    assert.deepEqual(await acknowledgedIds(raw, 20), range(1, 20));
  },
});

Deno.test({
  name: "Connection rejects a large publish after which the broker disconnects",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker, { subscriptions: [] });
    const { link } = open;
    const published = link.publish("own", new Uint8Array(50_000), { qos: 1 });
    const refused = assert.rejects(published, /too large for the broker/);
    let { raw } = open;
    for (let losses = 0; losses < 3; losses++) {
      await raw.take("publish");
      await raw[Symbol.asyncDispose]();
      raw = await broker.acceptClient();
    }
    await refused;
  },
});

Deno.test({
  name: "Connection.close() rejects publishes without a PUBACK",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    const published = open.link.publish("own", new Uint8Array(1), { qos: 1 });
    const rejected = assert.rejects(published, /connection .* is closed/);
    await open.raw.take("publish");
    await open.raw[Symbol.asyncDispose]();
    await until(() => open.events.length > 0);
    await open.link.close();
    await rejected;
  },
});

Deno.test({
  name: "Connection.acknowledge() does nothing while disconnected",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    await open.raw.write(encodeNumbered("t", 1));
    await until(() => open.messages.length === 1);
    await open.raw[Symbol.asyncDispose]();
    await until(() => open.events.length === 1);
    open.link.acknowledge(open.messages);
    open.raw = await broker.acceptSubscriber();
    assert.equal(await acknowledgedBefore(open, "one"), 0);
  },
});

Deno.test({
  name: "Connection respects the broker's Receive Maximum",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker({
      five: connack5(0, { receiveMaximum: 5 }),
    });
    await using open = await openConnection(broker, { subscriptions: [] });
    const { raw, link } = open;
    assert.equal(link.mqttVersion, 5);
    const sent = range(1, 12).map((n) =>
      link.publish("t", Uint8Array.of(n), { qos: 1 })
    );
    const ids = [];
    for (let i = 0; i < 5; i++) ids.push(await nextId(raw));
    assert.equal(await publishedBefore(open, "one"), 0, "no sixth");
    for (let i = 0; i < 7; i++) {
      await raw.send({ cmd: "puback", messageId: ids.shift()! });
      ids.push(await nextId(raw));
      assert.equal(await publishedBefore(open, `${i}`), 0, "one for one");
    }
    for (const id of ids) {
      await raw.send({ cmd: "puback", messageId: id });
    }
    await within(Promise.all(sent), "all PUBACKs");
  },
});

Deno.test({
  name: "Connection.publish() at QoS 1 resolves with the PUBACK",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    let done = false;
    const sent = open.link.publish("t", new Uint8Array(1), { qos: 1 })
      .then(() => done = true);
    const id = await nextId(open.raw);
    await publishedBefore(open, "one");
    assert.equal(done, false);
    await open.raw.send({ cmd: "puback", messageId: id });
    await within(sent, "the result of publish()");
  },
});

for (
  const [name, five] of [
    ["refuses MQTT 5 in the format of 3.1.1", () => connack4(1)],
    ["refuses MQTT 5 in its format", () => connack5(0x84)],
    ["closes the connection", () => "hang up" as const],
  ] as const
) {
  Deno.test({
    name: `Connection uses MQTT 3.1.1 if a broker ${name}`,
    ...needs(),
    fn: async () => {
      await using broker = new FakeBroker({ five: five() });
      await using open = await openConnection(broker);
      assert.equal(open.link.mqttVersion, 4);
      // MQTT 3.1.1 has no properties.
      open.link.publish("t", new Uint8Array(0), {
        contentType: "text/csv",
        responseTopic: "r",
        correlationData: Uint8Array.of(1),
      });
      const { topic, length } = await open.raw.take("publish");
      assert.deepEqual([topic, length], ["t", 3], "nothing but the topic");
    },
  });
}

Deno.test({
  name: "Connection does not reconnect if another client has its client id",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker({ five: connack5() });
    await using open = await openConnection(broker, { subscriptions: [] });
    await open.raw.send({ cmd: "disconnect", reasonCode: 0x8e });
    const error = await within(open.failed, "the failure");
    assert.equal(error.code, "refused");
    assert.match(error.message, /another client uses the client id "tester"$/);
    assert.match(error.hint!, /different name.*--name/);
    assert.ok(open.raw.closed || await until(() => open.raw.closed));
    await assert.rejects(
      open.link.publish("t", new Uint8Array(0)),
      (error) => error instanceof LinkError && error.code === "closed",
    );
  },
});

Deno.test({
  name:
    "Connection that retries is back after another client had its client id",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker({ five: connack5() });
    await using open = await openConnection(broker, {
      subscriptions: [],
      onConflict: "retry",
      maxConflictDelay: 10,
    });
    await open.raw.send({ cmd: "disconnect", reasonCode: 0x8e });
    // The broker leaves it to the client to close the connection.
    const again = await within(broker.acceptClient(), "the new connection");
    await until(() => open.events.length === 2);
    assert.deepEqual(open.events, [
      'down: another client uses the client id "tester" (conflict)',
      "up",
    ]);
    const published = open.link.publish("t", new Uint8Array(0), { qos: 1 });
    const { messageId } = await again.take("publish");
    await again.send({ cmd: "puback", messageId: messageId! });
    await published;
  },
});

Deno.test({
  name: "Connection.open() reports the topic of a refused subscription",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    const link = await newConnection(broker.url);
    const opening = assert.rejects(
      link.open({ message: () => {} }),
      (error) =>
        error instanceof LinkError && error.code === "refused" &&
        /^Cannot subscribe to t:/.test(error.message) &&
        error.hint !== undefined,
    );
    await broker.acceptSubscriber(0x80);
    await opening;
    await closeLink(link);
  },
});

Deno.test({
  name: "Connection.close() sends DISCONNECT, and may be called twice",
  ...needs(),
  fn: async () => {
    await using broker = new FakeBroker();
    await using open = await openConnection(broker);
    const { raw, link } = open;
    const closing = Promise.all([link.close(), link.close()]);
    await raw.take("disconnect");
    await within(closing, "the end");
    await link.close();
    await assert.rejects(link.publish("t", new Uint8Array(0), { qos: 1 }));
  },
});

/** An open connection, and the broker's end of it. */
interface OpenConnection extends AsyncDisposable {
  raw: RawConnection;
  readonly link: Connection;
  readonly messages: Incoming[];
  /** "up" and "down: …", after the first "up". */
  readonly events: string[];
  readonly failed: Promise<LinkError>;
}

async function openConnection(
  broker: FakeBroker,
  options: Partial<ConnectionOptions> = {},
): Promise<OpenConnection> {
  const link = await newConnection(broker.url, options);
  const messages: Incoming[] = [];
  const events: string[] = [];
  const failed = Promise.withResolvers<LinkError>();
  const subscribes = options.subscriptions?.length !== 0;
  const admitted = subscribes
    ? broker.acceptSubscriber()
    : broker.acceptClient();
  await link.open({
    message: (message) => messages.push(message),
    up: () => events.push("up"),
    down: (reason, isConflict) =>
      events.push(`down: ${reason}${isConflict ? " (conflict)" : ""}`),
    failed: failed.resolve,
  });
  assert.deepEqual(events.splice(0), ["up"]);
  return {
    raw: await admitted,
    link,
    messages,
    events,
    failed: failed.promise,
    [Symbol.asyncDispose]: () => closeLink(link),
  };
}

async function newConnection(
  url: string,
  options: Partial<ConnectionOptions> = {},
): Promise<Connection> {
  const { Connection } = await import("../../src/mqtt/connection.ts");
  return new Connection({
    url,
    clientId: "tester",
    subscriptions: ["t"],
    maxReconnectDelay: 20,
    ...options,
  });
}

/**
 * Publishes a marker and counts the PUBACKs that the broker receives before it.
 * TCP keeps the order, so no PUBACK arrives later.
 */
function acknowledgedBefore(
  open: OpenConnection,
  marker: string,
): Promise<number> {
  return packetsBefore(open, marker, "puback");
}

/** Counts the messages that the broker receives before a marker. */
function publishedBefore(
  open: OpenConnection,
  marker: string,
): Promise<number> {
  return packetsBefore(open, marker, "publish");
}

async function packetsBefore(
  { raw, link }: OpenConnection,
  marker: string,
  cmd: Packet["cmd"],
): Promise<number> {
  await link.publish(`marker/${marker}`, new Uint8Array(0));
  const isMarker = (packet: Packet) =>
    packet.cmd === "publish" && packet.topic === `marker/${marker}`;
  const at = await until(() => {
    const at = raw.packets.findIndex(isMarker);
    return at < 0 ? undefined : { index: at };
  });
  return raw.packets.splice(0, at.index + 1).slice(0, -1)
    .filter((packet) => packet.cmd === cmd).length;
}

async function acknowledgedIds(
  raw: RawConnection,
  count: number,
): Promise<number[]> {
  const ids = [];
  while (ids.length < count) {
    ids.push((await raw.take("puback")).messageId!);
  }
  return ids;
}

async function nextId(raw: RawConnection): Promise<number> {
  return (await raw.take("publish")).messageId!;
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
