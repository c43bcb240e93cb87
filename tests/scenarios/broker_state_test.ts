/**
 * What the embedded broker keeps when the server is killed: retained messages,
 * sessions, their messages, and wills. Each kill follows immediately on an
 * acknowledgement.
 */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import type { PublishPacket, QoS } from "../support/packets.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { tempDir } from "../support/temp.ts";
import { queryNumber } from "../store/support.ts";
import { type BrokerProcess, startBroker } from "./broker_state_support.ts";

const NEVER = 0xffff_ffff;

/** Connects a client whose session is kept. */
function openKept(
  { port }: BrokerProcess,
  clientId: string,
  version: 4 | 5 = 4,
): Promise<RawConnection> {
  return RawConnection.open(port, clientId, {
    version,
    clean: false,
    ...(version === 5 && { properties: { sessionExpiryInterval: NEVER } }),
  });
}

/** Publishes and waits for the acknowledgement of each message. */
async function publishAll(
  { port }: BrokerProcess,
  topic: string,
  payloads: readonly string[],
  { qos = 1, retain = false }: { qos?: 1 | 2; retain?: boolean } = {},
): Promise<void> {
  await using raw = await RawConnection.open(port, "publisher");
  for (const [i, payload] of payloads.entries()) {
    await raw.publish(topic, payload, { qos, id: i + 1, retain });
    if (qos === 1) await raw.expect("puback");
    else {
      await raw.expect("pubrec");
      await raw.send({ cmd: "pubrel", messageId: i + 1 });
      await raw.expect("pubcomp");
    }
  }
}

/** Receives messages, and acknowledges them at QoS 1 and 2. */
async function receive(
  raw: RawConnection,
  count: number,
): Promise<PublishPacket[]> {
  const received: PublishPacket[] = [];
  while (received.length < count) {
    const packet = await raw.next();
    const messageId = packet?.messageId!;
    if (packet?.cmd === "pubrel") await raw.send({ cmd: "pubcomp", messageId });
    else if (packet?.cmd === "publish") {
      received.push(packet as PublishPacket);
      if (packet.qos === 1) await raw.send({ cmd: "puback", messageId });
      if (packet.qos === 2) await raw.send({ cmd: "pubrec", messageId });
    } else throw new Error(`Got ${packet?.cmd ?? "the end"}`);
  }
  return received;
}

const texts = (packets: readonly PublishPacket[]) =>
  packets.map(({ payload }) => payload.toString());

/** Runs a test with both durabilities. */
function test(
  name: string,
  run: (server: BrokerProcess, folder: string) => Promise<void>,
): void {
  for (const durability of ["fsync", "commit"]) {
    Deno.test({
      name: `${name} (${durability})`,
      ...needs(),
      fn: async () => {
        await using folder = await tempDir();
        await using server = await startBroker(folder.path, [
          ...["--durability", durability],
        ]);
        await run(server, folder.path);
      },
    });
  }
}

test(
  "retained messages survive a kill: set, replaced and deleted ones, but not those of the server",
  async (server, folder) => {
    await publishAll(server, "house/light", ["on", "off"], { retain: true });
    await publishAll(server, "house/door", ["open", ""], { retain: true });
    await publishAll(server, "occupancy/data/kept", ["1,1,3,1000"], {
      retain: true,
    });
    await publishAll(server, "house/twice", ["1"], { qos: 2, retain: true });
    await server.kill();
    const stored = (text: string) =>
      queryNumber(
        `${folder}/map.sqlite`,
        `SELECT count(*) FROM record WHERE instr(value, CAST('${text}' AS BLOB))`,
      );
    assert.equal(await stored("house/light"), 1);
    assert.equal(await stored("$SYS"), 0);
    assert.equal(await stored("server/state"), 0);
    await server.start();
    await using reader = await RawConnection.open(server.port, "reader");
    await reader.subscribe("#", 2);
    const received = (await receive(reader, 4))
      .filter(({ topic }) => topic !== "occupancy/server/state");
    assert.deepEqual(
      received.map((one) => [one.topic, `${one.payload}`, one.retain]).sort(),
      [
        ["house/light", "off", true],
        ["house/twice", "1", true],
        ["occupancy/data/kept", "1,1,3,1000", true],
      ],
    );
  },
);

for (const version of [4, 5] as const) {
  test(`a session with subscriptions and queued messages survives a kill, MQTT ${version}`, async (server) => {
    {
      await using reader = await openKept(server, "reader", version);
      assert.equal(reader.sessionPresent, false);
      await reader.subscribe("one/+", 1);
      await reader.subscribe("two/#", 2);
      await reader.subscribe("occupancy/data", 1);
      await reader.disconnect();
    }
    const numbers = Array.from({ length: 50 }, (_, i) => `${i}`);
    await publishAll(server, "one/a", numbers);
    await publishAll(server, "two/a", numbers, { qos: 2 });
    await publishAll(server, "occupancy/data", ["5,5,1"]);
    await server.kill();
    await server.start();
    await using reader = await openKept(server, "reader", version);
    assert.equal(reader.sessionPresent, true);
    const received = await receive(reader, 101);
    assert.deepEqual(texts(received), [...numbers, ...numbers, "5,5,1"]);
    assert.deepEqual(
      new Set(received.map(({ topic, qos }) => `${topic} ${qos}`)),
      new Set(["one/a 1", "two/a 2", "occupancy/data 1"]),
    );
    assert.ok(received.every(({ dup }) => !dup), "they were never sent");
    // The subscriptions are there too.
    await publishAll(server, "two/b", ["new"], { qos: 2 });
    assert.deepEqual(texts(await receive(reader, 1)), ["new"]);
  });
}

test("messages in flight are sent again after a kill, with the same ids and DUP, in order", async (server) => {
  const first: PublishPacket[] = [];
  {
    await using reader = await openKept(server, "reader");
    await reader.subscribe("t", 2);
    for (const qos of [1, 2] as const) {
      await publishAll(server, "t", [`a${qos}`, `b${qos}`], { qos });
    }
    for (let i = 0; i < 4; i++) first.push(await reader.expect("publish"));
    // The second at QoS 2 is received, the first at QoS 1 acknowledged.
    await reader.send({ cmd: "puback", messageId: first[0]!.messageId! });
    await reader.send({ cmd: "pubrec", messageId: first[3]!.messageId! });
    assert.equal(
      (await reader.expect("pubrel")).messageId,
      first[3]!.messageId,
    );
    // The acknowledgement is committed with, or before, what follows it.
    await publishAll(server, "t", ["c"]);
    first.push(await reader.expect("publish"));
    await server.kill();
  }
  await server.start();
  await using reader = await openKept(server, "reader");
  // Two are at QoS 1, two at QoS 2: the order is that of each QoS (4.6).
  const again: PublishPacket[] = [];
  const released: (number | undefined)[] = [];
  while (again.length + released.length < 4) {
    const packet = await reader.next();
    if (packet?.cmd === "pubrel") released.push(packet.messageId);
    else again.push(packet as PublishPacket);
  }
  assert.deepEqual(released, [first[3]!.messageId]);
  again.sort((a, b) => a.qos - b.qos);
  for (const [i, n] of [1, 4, 2].entries()) {
    const { payload, messageId, dup } = again[i]!;
    assert.equal(payload.toString(), first[n]!.payload.toString());
    assert.equal(messageId, first[n]!.messageId);
    assert.equal(dup, true);
  }
  // A new message gets an id that none of them has.
  await publishAll(server, "t", ["d"]);
  const next = await reader.expect("publish");
  assert.equal(next.dup, false);
  assert.ok(!first.slice(1).some((one) => one.messageId === next.messageId));
});

for (const topic of ["plain", "occupancy/data"]) {
  test(`a QoS 2 message to ${topic} that is sent again after a kill is delivered once`, async (server) => {
    {
      await using reader = await openKept(server, "reader");
      await reader.subscribe(topic, 2);
      await reader.disconnect();
    }
    {
      await using sender = await openKept(server, "sender");
      await sender.publish(topic, "1,1,1", { qos: 2, id: 77 });
      await sender.expect("pubrec");
      await server.kill();
    }
    await server.start();
    {
      await using sender = await openKept(server, "sender");
      assert.equal(sender.sessionPresent, true);
      // The PUBREC was lost, as far as the client knows.
      await sender.publish(topic, "1,1,1", { qos: 2, id: 77, dup: true });
      await sender.expect("pubrec");
      await sender.send({ cmd: "pubrel", messageId: 77 });
      await sender.expect("pubcomp");
      await server.kill();
    }
    await server.start();
    {
      await using sender = await openKept(server, "sender");
      // The id was released: this is a new message.
      await sender.publish(topic, "1,1,2", { qos: 2, id: 77 });
      await sender.expect("pubrec");
      await sender.send({ cmd: "pubrel", messageId: 77 });
      await sender.expect("pubcomp");
    }
    await publishAll(server, topic, ["1,1,3"], { qos: 2 });
    await using reader = await openKept(server, "reader");
    assert.deepEqual(
      texts(await receive(reader, 3)),
      ["1,1,1", "1,1,2", "1,1,3"],
    );
  });
}

test("a session without expiry, and a clean one, end with the process", async (server) => {
  for (const version of [4, 5] as const) {
    await using raw = await RawConnection.open(server.port, `c${version}`, {
      version,
    });
    await raw.subscribe("t", 1);
  }
  await server.kill();
  await server.start();
  for (const version of [4, 5] as const) {
    await using raw = await openKept(server, `c${version}`, version);
    assert.equal(raw.sessionPresent, false);
  }
});

test("an unsubscription, and a session that was replaced, survive a kill", async (server) => {
  for (const clientId of ["left", "replaced"]) {
    await using raw = await openKept(server, clientId);
    await raw.subscribe("t", 1);
    await raw.disconnect();
  }
  await publishAll(server, "t", ["before"]);
  {
    await using left = await openKept(server, "left");
    await receive(left, 1);
    await left.send({
      cmd: "unsubscribe",
      messageId: 9,
      unsubscriptions: ["t"],
    });
    await left.take("unsuback");
    // A clean session deletes the kept one.
    await using clean = await RawConnection.open(server.port, "replaced");
    await clean.publish("any", "1", { id: 1, retain: true });
    await clean.expect("puback");
    await server.kill();
  }
  await server.start();
  await publishAll(server, "t", ["after"]);
  await using left = await openKept(server, "left");
  assert.equal(left.sessionPresent, true);
  await using replaced = await openKept(server, "replaced");
  assert.equal(replaced.sessionPresent, false);
  for (const raw of [left, replaced]) {
    await raw.ping(); // throws if a message comes before its answer
  }
});

/** Connects with MQTT 5 and a will. */
function openWithWill(
  { port }: BrokerProcess,
  clientId: string,
  { delay, expiry, qos = 1 }: { delay: number; expiry: number; qos?: QoS },
): Promise<RawConnection> {
  return RawConnection.open(port, clientId, {
    version: 5,
    clean: false,
    properties: { sessionExpiryInterval: expiry },
    will: {
      topic: `wills/${clientId}`,
      payload: "gone",
      qos,
      properties: { willDelayInterval: delay },
    },
  });
}

test("wills with a delay survive a kill: overdue ones, later ones, and those of returned clients", async (server) => {
  {
    await using watcher = await openKept(server, "watcher");
    await watcher.subscribe("wills/#", 1);
    await watcher.disconnect();
  }
  {
    await using _connected = await openWithWill(server, "connected", {
      ...{ delay: 1, expiry: 1000 },
    });
    for (
      const [clientId, delay] of [
        ["overdue", 1],
        ["soon", 3],
        ["returns", 1000],
        ["cancelled", 1000],
      ] as const
    ) {
      await using raw = await openWithWill(server, clientId, {
        ...{ delay, expiry: 1000 },
      });
      await raw.publish("x", "x", { qos: 1, id: 1 });
      await raw.expect("puback");
      if (clientId === "cancelled") await raw.disconnect();
    }
    await publishAll(server, "committed", ["1"], { retain: true });
    await server.kill();
  }
  await server.start();
  await using returned = await openKept(server, "returns", 5);
  assert.equal(returned.sessionPresent, true);
  await using watcher = await openKept(server, "watcher");
  const topics = (await receive(watcher, 3)).map(({ topic }) => topic);
  assert.deepEqual(topics.sort(), [
    ...["wills/connected", "wills/overdue", "wills/soon"],
  ]);
  await watcher.ping();
});

test("the expiry of a session runs on while the server is stopped", async (server) => {
  for (const [clientId, expiry] of [["short", 2], ["long", 1000]] as const) {
    await using raw = await RawConnection.open(server.port, clientId, {
      version: 5,
      clean: false,
      properties: { sessionExpiryInterval: expiry },
    });
    await raw.subscribe("t", 1);
    await raw.disconnect();
  }
  await publishAll(server, "t", ["1"]);
  await server.kill();
  const killedAt = Date.now();
  await server.start();
  const wait = killedAt + 3500 - Date.now();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  await using long = await openKept(server, "long", 5);
  assert.equal(long.sessionPresent, true);
  assert.deepEqual(texts(await receive(long, 1)), ["1"]);
  await using short = await openKept(server, "short", 5);
  assert.equal(short.sessionPresent, false);
});
