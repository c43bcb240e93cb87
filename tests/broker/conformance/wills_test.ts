/** Wills, and what was sent before the end of a connection. */
import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { delay } from "../../../src/common/async.ts";
import { encode, encodePublish } from "../../support/packets.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { frame } from "../../support/packet_bytes.ts";
import { clause } from "./clause.ts";
import {
  drop,
  message,
  messages,
  ping,
  receive,
  texts,
  type Trial,
} from "./trial.ts";

const TOPIC = "will";
const WILL = { topic: TOPIC, payload: "gone" } as const;

/** Connects a client that receives wills. */
async function watch(t: Trial): Promise<RawConnection> {
  const watcher = await t.connect("watcher");
  await t.subscribe(watcher, `${TOPIC}/#`, { qos: 2 });
  return watcher;
}

async function assertWill(watcher: RawConnection): Promise<void> {
  assert.equal((await message(watcher)).payload.toString(), WILL.payload);
}

/** Ends of a connection after which the will is published (3.1.2.5). */
const ENDS: Record<string, (t: Trial, client: RawConnection) => Promise<void>> =
  {
    "FIN": (_, client) => client.endWriting(),
    "a closed socket": (_, client) => drop(client),
    "a malformed packet": (_, client) => client.write(frame(0)),
    "a second CONNECT": (t, client) =>
      client.connect("dying", { version: t.version }),
    "a part of a packet and FIN": async (t, client) => {
      const whole = encodePublish("will/no", "x", { version: t.version });
      await client.write(whole.subarray(0, -1));
      await client.endWriting();
    },
    "RST": async (t, client) => {
      // Bytes that were not read turn the end into a reset.
      client.freeze();
      await t.publish(await t.connect("writer"), "unread", "x".repeat(100_000));
      await delay(50);
      await drop(client);
    },
  };

for (const [what, end] of Object.entries(ENDS)) {
  clause({
    name: `the will is published after ${what} (3.1.2.5)`,
    ...(what === "a second CONNECT" && { mosquitto: "it drops the will" }),
  }, async (t) => {
    const watcher = await watch(t);
    const client = await t.connect("dying", { will: WILL });
    if (what === "RST") await t.subscribe(client, "unread");
    await end(t, client);
    await assertWill(watcher);
    await t.publish(watcher, "will/last", "last");
    assert.deepEqual(texts(await messages(watcher)), ["last"]);
  });
}

clause(
  "the will is published when the keep-alive ends (3.1.2.5)",
  async (t) => {
    const watcher = await watch(t);
    await t.connect("dying", { will: WILL, keepalive: 1 });
    await assertWill(watcher);
  },
);

clause("the will is not published after DISCONNECT (3.14.4-3)", async (t) => {
  const watcher = await watch(t);
  const client = await t.connect("dying", { will: WILL });
  await client.disconnect();
  await t.publish(watcher, "will/last", "last");
  assert.deepEqual(texts(await messages(watcher)), ["last"]);
});

clause("the will has its QoS and RETAIN (3.1.2.6, 7)", async (t) => {
  const watcher = await watch(t);
  for (const qos of [0, 1, 2] as const) {
    for (const retain of [false, true]) {
      const will = {
        topic: `will/${qos}/${retain}`,
        payload: "x",
        qos,
        retain,
      };
      await drop(await t.connect("dying", { will }));
      const live = await message(watcher);
      assert.equal(live.qos, qos);
      const reader = await t.connect("reader");
      await t.subscribe(reader, will.topic, { qos: 2 });
      const stored = await messages(reader);
      assert.deepEqual(
        stored.map((packet) => [packet.qos, packet.retain]),
        retain ? [[qos, true]] : [],
      );
    }
  }
});

clause(
  "a will may be empty, and clears a retained message (3.1.3.3)",
  async (t) => {
    const watcher = await t.connect("watcher");
    await t.publish(watcher, TOPIC, "old", { retain: true });
    await t.subscribe(watcher, TOPIC);
    assert.deepEqual(texts(await messages(watcher)), ["old"]);
    const will = { topic: TOPIC, payload: "", retain: true };
    await drop(await t.connect("dying", { will }));
    assert.equal((await message(watcher)).payload.length, 0);
    await t.subscribe(watcher, TOPIC);
    assert.deepEqual(await messages(watcher), []);
  },
);

clause(
  "a session that is resumed has the will of the new connection only (3.1.2.5)",
  async (t) => {
    const watcher = await watch(t);
    const first = await t.resume("dying", { will: WILL });
    await first.disconnect();
    await drop(await t.resume("dying"));
    await t.publish(watcher, "will/last", "last");
    await ping(watcher);
    assert.deepEqual(texts(await messages(watcher)), ["last"]);
  },
);

clause(
  "what was sent before FIN is handled first, DISCONNECT too (3.14.4)",
  async (t) => {
    const watcher = await watch(t);
    const { version } = t;
    const count = 100;
    for (const ends of [true, false]) {
      const client = await t.connect("dying", { will: WILL });
      await client.write(
        ...numbered(count, version),
        ...(ends ? [encode({ cmd: "disconnect" }, version)] : []),
      );
      await drop(client);
      await assertNumbered(watcher, count);
      if (!ends) await assertWill(watcher);
      await t.publish(watcher, "will/last", "last");
      assert.deepEqual(texts(await messages(watcher)), ["last"]);
    }
  },
);

clause(
  "what was sent before RST is handled first, DISCONNECT too (3.14.4)",
  async (t) => {
    const watcher = await watch(t);
    const { version } = t;
    const count = 100;
    const client = await t.connect("dying", { will: WILL });
    await t.subscribe(client, "unread");
    client.freeze();
    // The read that is under way takes the first message.
    const writer = await t.connect("writer");
    for (let i = 0; i < 2; i++) {
      await t.publish(writer, "unread", "x".repeat(1000));
      await delay(50);
    }
    await client.write(
      ...numbered(count, version),
      encode({ cmd: "disconnect" }, version),
    );
    await drop(client);
    await assertNumbered(watcher, count);
    await t.publish(watcher, "will/last", "last");
    assert.deepEqual(texts(await messages(watcher)), ["last"]);
  },
);

function numbered(count: number, version: 4 | 5): Buffer[] {
  return Array.from(
    { length: count },
    (_, i) => encodePublish("will/numbered", `${i}`, { version }),
  );
}

async function assertNumbered(
  watcher: RawConnection,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    assert.equal((await message(watcher)).payload.toString(), `${i}`);
  }
}

const versions = [5] as const;

clause({
  name: "DISCONNECT 0x04 publishes the will (MQTT 5, 3.14.2.1)",
  versions,
}, async (t) => {
  const watcher = await watch(t);
  const client = await t.connect("dying", { will: WILL });
  await client.send({ cmd: "disconnect", reasonCode: 4 });
  await assertWill(watcher);
});

clause({
  name: "DISCONNECT with an error publishes the will (MQTT 5, 3.14.4-3)",
  versions,
  mosquitto: "it publishes the will for 0x04 only",
}, async (t) => {
  const watcher = await watch(t);
  const client = await t.connect("dying", { will: WILL });
  await client.send({ cmd: "disconnect", reasonCode: 0x80 });
  await assertWill(watcher);
});

const DELAYED = {
  ...{ will: { ...WILL, properties: { willDelayInterval: 2 } } },
  properties: { sessionExpiryInterval: 100 },
};

clause({
  name: "a Will Delay Interval delays the will (MQTT 5, 3.1.3.2.2)",
  versions,
}, async (t) => {
  const watcher = await watch(t);
  await drop(await t.connect("dying", DELAYED));
  await delay(1000);
  assert.deepEqual(await messages(watcher), []);
  await assertWill(watcher);
});

clause({
  name: "a reconnect cancels a delayed will (MQTT 5, 3.1.3-9)",
  versions,
}, async (t) => {
  const watcher = await watch(t);
  await drop(await t.connect("dying", DELAYED));
  await delay(200);
  const client = await t.resume("dying");
  await delay(3200);
  assert.deepEqual(await messages(watcher), []);
  await ping(client);
});

clause({
  name:
    "a delayed will is published when the session ends first (MQTT 5, 3.1.3.2.2)",
  versions,
  mosquitto: "it waits for the delay",
}, async (t) => {
  const watcher = await watch(t);
  const will = { ...WILL, properties: { willDelayInterval: 100 } };
  await drop(
    await t.connect("expires", {
      will,
      properties: { sessionExpiryInterval: 1 },
    }),
  );
  await assertWill(watcher);
  await drop(await t.connect("none", { will }));
  await assertWill(watcher);
});

clause({
  name:
    "a delayed will is published when a clean start ends the session (MQTT 5, 3.1.4-3)",
  versions,
  mosquitto: "it drops the will",
}, async (t) => {
  const watcher = await watch(t);
  const will = { ...WILL, properties: { willDelayInterval: 100 } };
  const options = { will, properties: { sessionExpiryInterval: 100 } };
  await drop(await t.connect("again", options));
  await delay(100);
  await t.connect("again", { clean: true });
  await assertWill(watcher);
});

clause({
  name:
    "the will of a client that is taken over is not published with a delay (MQTT 5, 3.1.3-9)",
  versions,
}, async (t) => {
  const watcher = await watch(t);
  const first = await t.resume("twice", DELAYED);
  await t.resume("twice");
  await t.ends(first, 0x8e);
  await delay(2800);
  assert.deepEqual(await messages(watcher), []);
});

clause({
  name: "a will is refused with the CONNECT (MQTT 5, 3.1.4)",
  versions,
}, async (t) => {
  const watcher = await watch(t);
  const client = await t.dial();
  await client.connect("refused", {
    ...{ version: 5, will: WILL },
    properties: { authenticationMethod: "unknown" },
  });
  await receive(client, "connack");
  await t.publish(watcher, "will/last", "last");
  assert.deepEqual(texts(await messages(watcher)), ["last"]);
});
