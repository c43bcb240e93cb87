/** CONNECT in both versions. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  encodeConnect,
  encodePublish,
  encodeSubscribe,
} from "../../support/packets.ts";
import { delay } from "../../../src/common/async.ts";
import {
  connectFrame,
  FIRST,
  frame,
  properties,
  u16,
} from "../../support/packet_bytes.ts";
import { clause } from "./clause.ts";
import {
  closed,
  codeOf,
  drop,
  message,
  messages,
  ping,
  receive,
  texts,
} from "./trial.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const UNSUPPORTED_VERSION = 0x84;
const TAKEN_OVER = 0x8e;
const CLEAN = 2;
const WILL = 4;
const PASSWORD = 0x40;
const USERNAME = 0x80;

clause("a packet before CONNECT closes (3.1.0-1)", async (t) => {
  const { version } = t;
  const early = [
    encodePublish("a", "x", { version }),
    frame(FIRST.pingreq),
    frame(FIRST.disconnect),
    frame(FIRST.subscribe, u16(1), properties(version), "a", 0),
  ];
  for (const bytes of early) {
    const client = await t.dial();
    await client.write(bytes);
    const packets = await closed(client);
    // A broker may say why in MQTT 5, but it does not know the version.
    assert.deepEqual(packets, []);
  }
});

clause("a second CONNECT closes (3.1.0-2)", async (t) => {
  const { version } = t;
  await t.mustClose(encodeConnect("second", { version }), PROTOCOL_ERROR);
});

clause("an unknown protocol name closes (3.1.2.1)", async (t) => {
  for (const protocol of ["", "mqtt", "MQTTT", "HTTP"]) {
    await t.refuses(
      connectFrame(t.version, { protocol }),
      ...[UNSUPPORTED_VERSION, MALFORMED, PROTOCOL_ERROR],
    );
  }
});

clause({
  name: "level 2 is refused with CONNACK 1 (3.1.2.2)",
  versions: [4],
}, async (t) => {
  assert.equal(await t.refusal(connectFrame(4, { level: 2 })), 1);
});

clause({
  name: "level 6 is refused with CONNACK 0x84 in the form of MQTT 5 (3.1.2.2)",
  versions: [5],
  mosquitto: "it answers in the form of MQTT 3.1.1",
}, async (t) => {
  for (const level of [6, 7, 100]) {
    assert.equal(
      await t.refusal(connectFrame(5, { level })),
      UNSUPPORTED_VERSION,
    );
  }
});

clause("the reserved flag closes (3.1.2-3)", async (t) => {
  const bytes = connectFrame(t.version, { flags: CLEAN | 1 });
  await t.refuses(bytes, MALFORMED, PROTOCOL_ERROR);
});

clause(
  "will flags without a will, or QoS 3, close (3.1.2-11 to 15)",
  async (t) => {
    const { version } = t;
    const payload = ["id", properties(version), "topic", "x"];
    const wrong = [
      connectFrame(version, { flags: CLEAN | 0x08 }),
      connectFrame(version, { flags: CLEAN | 0x10 }),
      connectFrame(version, { flags: CLEAN | 0x20 }),
      connectFrame(version, { flags: CLEAN | WILL | 0x18, payload }),
    ];
    for (const bytes of wrong) {
      await t.refuses(bytes, MALFORMED, PROTOCOL_ERROR, 0x9b);
    }
  },
);

clause({
  name: "a password without a user name closes (3.1.2-22)",
  versions: [4],
}, async (t) => {
  const bytes = connectFrame(4, {
    flags: CLEAN | PASSWORD,
    payload: ["id", "secret"],
  });
  await t.refuses(bytes);
});

clause("fields that the flags announce must be there (3.1.3)", async (t) => {
  const { version } = t;
  const none = properties(version);
  const short = [
    connectFrame(version, { payload: [] }),
    connectFrame(version, { flags: CLEAN | WILL }),
    connectFrame(version, { flags: CLEAN | WILL, payload: ["id", none, "t"] }),
    connectFrame(version, { flags: CLEAN | USERNAME }),
    connectFrame(version, {
      flags: CLEAN | USERNAME | PASSWORD,
      payload: ["id", "user"],
    }),
  ];
  for (const bytes of short) await t.refuses(bytes, MALFORMED, PROTOCOL_ERROR);
});

clause("bytes behind the last field close (3.1.3)", async (t) => {
  const extra = [
    connectFrame(t.version, { payload: ["id", 0] }),
    connectFrame(t.version, { payload: ["id", "user"] }),
  ];
  for (const bytes of extra) await t.refuses(bytes, MALFORMED, PROTOCOL_ERROR);
});

clause(
  "a will topic that is empty or has a wildcard closes (3.1.3.2)",
  async (t) => {
    const none = properties(t.version);
    for (const topic of ["", "a/#", "#", "+/a"]) {
      const bytes = connectFrame(t.version, {
        flags: CLEAN | WILL,
        payload: ["id", none, topic, "x"],
      });
      await t.refuses(bytes, MALFORMED, PROTOCOL_ERROR, 0x90);
    }
  },
);

clause({
  name: "an empty client id without Clean Session is refused with 2 (3.1.3-8)",
  versions: [4],
}, async (t) => {
  const bytes = connectFrame(4, { flags: 0, payload: [""] });
  assert.equal(await t.refusal(bytes), 2);
});

clause(
  "clients with empty ids have sessions of their own (3.1.3-6)",
  async (t) => {
    const first = await t.connect("");
    const second = await t.connect("");
    await t.subscribe(first, "empty");
    await t.subscribe(second, "empty");
    await t.publish(first, "empty", "x");
    assert.deepEqual(texts(await messages(first)), ["x"]);
    assert.deepEqual(texts(await messages(second)), ["x"]);
  },
);

clause(
  "a client id may have 1,000 characters of any kind (3.1.3.1)",
  async (t) => {
    const id = "räum/+#$ ".repeat(110);
    const client = await t.connect(id);
    await ping(client);
  },
);

clause(
  "Session Present is 1 exactly if there is a session (3.2.2.2)",
  async (t) => {
    const present = async (clean: boolean) => {
      const options = t.version === 5
        ? { clean, properties: { sessionExpiryInterval: 100 } }
        : { clean };
      const { client, connack } = await t.connack("present", options);
      await client.disconnect();
      return connack.sessionPresent;
    };
    assert.equal(await present(false), false, "new");
    assert.equal(await present(false), true, "kept, although it is empty");
    assert.equal(await present(true), false, "clean");
    // In MQTT 5 Clean Start does not end the session with the connection.
    assert.equal(await present(false), t.version === 5, "after a clean one");
    assert.equal(await present(false), true, "kept again");
  },
);

clause(
  "a kept session has its subscriptions, a clean one has none (3.1.2.4)",
  async (t) => {
    const first = await t.resume("kept");
    await t.subscribe(first, "kept", { qos: 1 });
    await first.disconnect();
    const second = await t.resume("kept");
    await t.publish(second, "kept", "still", { qos: 1 });
    assert.deepEqual(texts(await messages(second)), ["still"]);
    await second.disconnect();
    const clean = await t.connect("kept");
    await t.publish(clean, "kept", "no more");
    assert.deepEqual(texts(await messages(clean)), []);
  },
);

clause("a second client with the id ends the first (3.1.4-2)", async (t) => {
  const first = await t.resume("twice");
  await t.subscribe(first, "twice", { qos: 1 });
  const { client, connack } = await t.connack("twice", {
    clean: false,
    properties: { sessionExpiryInterval: 100 },
  });
  await t.closes(first, TAKEN_OVER);
  assert.equal(connack.sessionPresent, true);
  await t.publish(client, "twice", "x", { qos: 1 });
  assert.deepEqual(texts(await messages(client)), ["x"]);
});

clause(
  "what follows CONNECT in one write is kept, also before FIN (3.1.4)",
  async (t) => {
    const { version } = t;
    const watcher = await t.connect("watcher");
    await t.subscribe(watcher, "early/#", { qos: 1 });
    const count = 100;
    for (const qos of [0, 1] as const) {
      const client = await t.dial();
      await client.write(
        encodeConnect(`early-${qos}`, { version }),
        ...Array.from(
          { length: count },
          (_, i) =>
            encodePublish(`early/${qos}`, `${i}`, {
              version,
              qos,
              ...(qos > 0 && { id: i + 1 }),
            }),
        ),
      );
      await client.endWriting();
      const received = [];
      while (received.length < count) {
        const packet = await message(watcher);
        if (packet.qos === 1) {
          await watcher.send({ cmd: "puback", messageId: packet.messageId! });
        }
        received.push(packet);
      }
      assert.deepEqual(
        texts(received),
        Array.from({ length: count }, (_, i) => `${i}`),
      );
    }
  },
);

clause(
  "SUBSCRIBE behind CONNECT in one write is answered (3.1.4)",
  async (t) => {
    const client = await t.dial();
    await client.write(
      encodeConnect("early", { version: t.version }),
      t.version === 4
        ? encodeSubscribe("a")
        : frame(FIRST.subscribe, u16(1), properties(5), "a", 0),
      frame(FIRST.pingreq),
    );
    for (const cmd of ["connack", "suback", "pingresp"] as const) {
      await client.expect(cmd);
    }
  },
);

clause(
  "the connection ends after 1.5 times the keep-alive (3.1.2-24)",
  async (t) => {
    const started = performance.now();
    const client = await t.connect("silent", { keepalive: 1 });
    await t.ends(client, 0x8d);
    const seconds = (performance.now() - started) / 1000;
    assert.ok(seconds > 1.3, `after ${seconds} s`);
  },
);

clause("only whole packets count for the keep-alive (3.1.2-24)", async (t) => {
  const started = performance.now();
  const client = await t.connect("trickle", { keepalive: 1 });
  const bytes = encodePublish("a", "x".repeat(300), { version: t.version });
  for (const byte of bytes) {
    if (client.closed) break;
    await client.write(Buffer.of(byte)).catch(() => {});
    await delay(50);
  }
  await t.ends(client, 0x8d);
  const seconds = (performance.now() - started) / 1000;
  assert.ok(seconds < 12, `after ${seconds} s`);
});

clause(
  "any packet of the client keeps the connection alive (3.1.2-23)",
  async (t) => {
    const client = await t.connect("alive", { keepalive: 1 });
    for (let i = 0; i < 6; i++) {
      await client.publish("a", "x");
      await delay(400);
    }
    await ping(client);
  },
);

clause({
  name: "the level of a bridge, 0x84, is accepted, with RETAIN as published",
  versions: [4],
}, async (t) => {
  const client = await t.dial();
  await client.write(connectFrame(4, { level: 0x84 }));
  assert.equal(codeOf(await receive(client, "connack")), 0);
  await t.subscribe(client, "bridge");
  const writer = await t.connect("writer");
  await t.publish(writer, "bridge", "x", { retain: true });
  assert.equal((await message(client)).retain, true);
});

clause(
  "a will of a client that is taken over is published (3.1.2.5)",
  async (t) => {
    const watcher = await t.connect("watcher");
    await t.subscribe(watcher, "will");
    await t.connect("twice", { will: { topic: "will", payload: "taken" } });
    await t.connect("twice");
    assert.equal((await message(watcher)).payload.toString(), "taken");
  },
);

clause(
  "a connection that ends without CONNECT harms nothing (3.1.0)",
  async (t) => {
    const client = await t.dial();
    await client.write(Buffer.of(0x10));
    await drop(client);
    await ping(await t.connect("other"));
  },
);
