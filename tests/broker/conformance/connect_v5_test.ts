/** CONNECT and CONNACK of MQTT 5: sessions, limits, capabilities. */
import assert from "node:assert/strict";
import { delay } from "../../../src/common/async.ts";
import { connectFrame, properties, u32 } from "../../support/packet_bytes.ts";
import { clause } from "./clause.ts";
import { drop, messages, ping, receive, texts, type Trial } from "./trial.ts";

const PROTOCOL_ERROR = 0x82;
const PACKET_TOO_LARGE = 0x95;
const versions = [5] as const;

/** How often, and when, a test looks whether a session has ended. */
const LOOKS = 16;
const LOOK_INTERVAL_MS = 500;

/** Returns true if the broker has a session, and ends it. */
async function takeSession(t: Trial, id: string): Promise<boolean> {
  const { client, connack } = await t.connack(id, { clean: false });
  await client.disconnect();
  return connack.sessionPresent;
}

clause({
  name: "without a Session Expiry Interval the session ends (3.1.2.11.2)",
  versions,
}, async (t) => {
  for (const clean of [true, false]) {
    const client = await t.connect("ends", { clean });
    await client.disconnect();
    assert.equal(await takeSession(t, "ends"), false);
  }
});

clause({
  name: "a session is kept for its interval, after a clean start too (3.1.2.4)",
  versions,
}, async (t) => {
  const client = await t.connect("kept", {
    clean: true,
    properties: { sessionExpiryInterval: 100 },
  });
  await client.disconnect();
  assert.equal(await takeSession(t, "kept"), true);
  // The last connection had no interval.
  assert.equal(await takeSession(t, "kept"), false);
});

clause({
  name: "Clean Start ends the session with its messages (3.1.2-4)",
  versions,
}, async (t) => {
  const first = await t.resume("clean");
  await t.subscribe(first, "clean", { qos: 1 });
  await first.disconnect();
  const writer = await t.connect("writer");
  await t.publish(writer, "clean", "old", { qos: 1 });
  const { client, connack } = await t.connack("clean", { clean: true });
  assert.equal(connack.sessionPresent, false);
  await t.publish(writer, "clean", "new", { qos: 1 });
  assert.deepEqual(texts(await messages(client)), []);
});

clause({
  name: "a session ends when its interval has passed (3.1.2-23)",
  versions,
}, async (t) => {
  // A look at a session ends it, so that each look needs one of its own.
  for (let i = 0; i < LOOKS; i++) {
    const client = await t.connect(`short-${i}`, {
      properties: { sessionExpiryInterval: 1 },
    });
    await drop(client);
  }
  for (let i = 0; i < LOOKS; i++) {
    await delay(LOOK_INTERVAL_MS);
    if (!await takeSession(t, `short-${i}`)) return;
  }
  assert.fail("no session has ended");
});

clause({
  name: "an interval that has not passed is measured from the end (3.1.2-23)",
  versions,
}, async (t) => {
  const client = await t.connect("long", {
    properties: { sessionExpiryInterval: 2 },
  });
  await delay(3000);
  await ping(client);
  await client.disconnect();
  assert.equal(await takeSession(t, "long"), true);
});

clause({
  name: "DISCONNECT changes the interval (3.14.2.2.2)",
  versions,
}, async (t) => {
  const longer = await t.connect("changed", {
    properties: { sessionExpiryInterval: 1 },
  });
  await longer.send({
    cmd: "disconnect",
    reasonCode: 0,
    properties: { sessionExpiryInterval: 100 },
  });
  await longer.ended();
  await delay(2500);
  const { client, connack } = await t.connack("changed", {
    clean: false,
    properties: { sessionExpiryInterval: 100 },
  });
  assert.equal(connack.sessionPresent, true);
  await client.send({
    cmd: "disconnect",
    reasonCode: 0,
    properties: { sessionExpiryInterval: 0 },
  });
  await client.ended();
  assert.equal(await takeSession(t, "changed"), false);
});

clause({
  name: "DISCONNECT must not set an interval after 0 (3.14.2.2.2)",
  versions,
}, async (t) => {
  const client = await t.connect("none");
  await client.send({
    cmd: "disconnect",
    reasonCode: 0,
    properties: { sessionExpiryInterval: 100 },
  });
  await t.ends(client, PROTOCOL_ERROR);
  assert.equal(await takeSession(t, "none"), false);
});

clause({
  name:
    "an empty client id gets one in CONNACK, also without Clean Start (3.1.3-6)",
  versions,
}, async (t) => {
  for (const clean of [true, false]) {
    const client = await t.dial();
    await client.write(connectFrame(5, {
      flags: clean ? 2 : 0,
      properties: properties(5, 0x11, u32(100)),
      payload: [""],
    }));
    const connack = await receive(client, "connack");
    const id = connack.properties?.assignedClientIdentifier ?? "";
    assert.ok(id.length > 0);
    await client.disconnect();
    assert.equal(await takeSession(t, id), true);
    const other = await t.connack("");
    assert.notEqual(other.connack.properties?.assignedClientIdentifier, id);
  }
});

clause({
  name: "a client id of its own is not in CONNACK (3.2.2.3.7)",
  versions,
}, async (t) => {
  const { connack } = await t.connack("own");
  assert.equal(connack.properties?.assignedClientIdentifier, undefined);
});

clause({
  name: "CONNACK names limits that a client can use (3.2.2.3)",
  versions,
}, async (t) => {
  const { connack } = await t.connack("limits", {
    properties: { sessionExpiryInterval: 100 },
  });
  const { properties = {} } = connack;
  // Absent means the most that is possible; 0 is not allowed.
  assert.notEqual(properties.receiveMaximum, 0);
  assert.notEqual(properties.maximumPacketSize, 0);
  assert.notEqual(properties.maximumQoS, 2, "absent means 2");
  assert.notEqual(properties.retainAvailable, false);
  assert.notEqual(properties.wildcardSubscriptionAvailable, false);
  assert.notEqual(properties.subscriptionIdentifiersAvailable, false);
  assert.notEqual(properties.sharedSubscriptionAvailable, false);
  assert.ok((properties.topicAliasMaximum ?? 0) > 0, "topic aliases");
});

clause({
  name: "Response Information only on request (3.1.2-28)",
  versions,
}, async (t) => {
  const { connack } = await t.connack("info");
  assert.equal(connack.properties?.responseInformation, undefined);
});

clause({
  name:
    "no Reason String or User Property where they are not wanted (3.1.2-29)",
  versions,
}, async (t) => {
  const client = await t.connect("quiet", {
    properties: { requestProblemInformation: false },
  });
  await client.send({
    cmd: "subscribe",
    messageId: 1,
    subscriptions: [{ topic: "a", qos: 0 }],
  });
  await client.publish("nothing", "x", { qos: 1, id: 2 });
  await client.send({
    cmd: "unsubscribe",
    messageId: 3,
    unsubscriptions: ["q"],
  });
  await client.send({ cmd: "pubrel", messageId: 77 });
  await ping(client);
  for (const packet of client.packets) {
    const { properties = {} } = packet as {
      properties?: Record<string, unknown>;
    };
    assert.equal(properties.reasonString, undefined, packet.cmd);
    assert.equal(properties.userProperties, undefined, packet.cmd);
  }
});

clause({
  name:
    "the topic aliases of the broker stay below the client's maximum (3.1.2-26)",
  versions,
}, async (t) => {
  const client = await t.connect("no-alias");
  const some = await t.connect("alias", {
    properties: { topicAliasMaximum: 2 },
  });
  const writer = await t.connect("writer");
  for (const reader of [client, some]) await t.subscribe(reader, "alias/#");
  for (let i = 0; i < 20; i++) {
    await t.publish(writer, `alias/${i % 5}`, `${i}`);
  }
  const topics = new Map<number, string>();
  for (const reader of [client, some]) {
    const received = await messages(reader);
    const names = received.map(({ topic, properties }) => {
      const alias = properties?.topicAlias;
      if (alias === undefined) return topic;
      assert.ok(reader === some && alias >= 1 && alias <= 2, `${alias}`);
      if (topic !== "") topics.set(alias, topic);
      return topics.get(alias);
    });
    assert.deepEqual(
      names,
      Array.from({ length: 20 }, (_, i) => `alias/${i % 5}`),
    );
  }
});

clause({
  name: "a password without a user name is accepted (3.1.2.9)",
  versions,
}, async (t) => {
  const client = await t.dial();
  await client.write(connectFrame(5, {
    flags: 2 | 0x40,
    payload: ["id", "secret"],
  }));
  assert.equal((await receive(client, "connack")).reasonCode, 0);
});

const FILTERS = Array.from({ length: 20 }, (_, i) => `filter/${i}`);

clause({
  name: "no answer is longer than the Maximum Packet Size (3.1.2-24)",
  versions,
}, async (t) => {
  for (
    let maximumPacketSize = 1;
    maximumPacketSize <= 30;
    maximumPacketSize++
  ) {
    for (const cmd of ["subscribe", "unsubscribe"] as const) {
      const client = await t.dial();
      let received = 0;
      client.onBytes = ({ length }) => received += length;
      await client.connect("", {
        version: 5,
        properties: { maximumPacketSize },
      });
      // Each packet is answered before the next is sent.
      const connack = await client.next();
      assert.ok(received <= maximumPacketSize, `${received} bytes`);
      if (connack?.cmd !== "connack" || connack.reasonCode !== 0) continue;
      received = 0;
      await client.send(
        cmd === "subscribe"
          ? {
            ...{ cmd, messageId: 1 },
            subscriptions: FILTERS.map((topic) => ({ topic, qos: 0 })),
          }
          : { cmd, messageId: 1, unsubscriptions: FILTERS },
      );
      await client.next();
      assert.ok(received <= maximumPacketSize, `${received} bytes`);
    }
  }
});

clause({
  name: "0x95 if the answer does not fit into the Maximum Packet Size (4.13.1)",
  versions,
  mosquitto: "it closes the connection without a packet",
}, async (t) => {
  const first = await t.dial();
  await first.connect("a", {
    version: 5,
    properties: { maximumPacketSize: 5 },
  });
  assert.equal((await receive(first, "connack")).reasonCode, PACKET_TOO_LARGE);
  for (const [maximumPacketSize, reason] of [[25, 0], [24, 0x95]] as const) {
    const client = await t.connect("a", { properties: { maximumPacketSize } });
    await client.send({
      cmd: "unsubscribe",
      messageId: 1,
      unsubscriptions: FILTERS,
    });
    if (reason === 0) await receive(client, "unsuback");
    else await t.ends(client, reason);
  }
});
