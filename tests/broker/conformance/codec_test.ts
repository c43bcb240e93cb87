/** Codec: fixed header, lengths, flags, types, UTF-8, packet identifiers. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  encodeConnect,
  encodePublish,
  encodeSubscribe,
  type Version,
} from "../../support/packets.ts";
import {
  binary,
  connectFrame,
  FIRST,
  frame,
  join,
  properties,
  u16,
} from "../../support/packet_bytes.ts";
import type { RawConnection } from "../../support/raw_connection.ts";
import { clause } from "./clause.ts";
import { message, ping, receive, type Trial } from "./trial.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;

clause("a remaining length of five bytes closes (2.2.3)", async (t) => {
  const long = Buffer.of(FIRST.publish, 0x80, 0x80, 0x80, 0x80, 1);
  await t.mustClose(long, MALFORMED);
  assert.equal(await t.refusal(long), undefined);
});

clause({
  name: "a remaining length with needless bytes closes (MQTT 5, 1.5.5)",
  versions: [5],
  mosquitto: "it accepts any length of up to four bytes",
}, async (t) => {
  await t.mustClose(Buffer.of(FIRST.pingreq, 0x80, 0), MALFORMED);
});

clause(
  "packets of 127, 128, 16,383, 16,384 and 2,097,152 bytes arrive (2.2.3)",
  async (t) => {
    const reader = await t.connect("reader");
    const writer = await t.connect("writer");
    await t.subscribe(reader, "size");
    for (const length of [127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
      const header = 2 + 4 + (t.version === 5 ? 1 : 0);
      const payload = new Uint8Array(length - header).fill(length & 255);
      await writer.publish("size", payload);
      assert.deepEqual(
        Uint8Array.from((await message(reader)).payload),
        payload,
      );
    }
  },
);

/** Packets whose length does not fit their content. */
const LENGTHS: Record<string, (version: Version) => Uint8Array> = {
  "PINGREQ with a byte": () => frame(FIRST.pingreq, 0),
  "PUBACK of one byte": () => frame(FIRST.puback, 0),
  "PUBACK with bytes behind": (version) =>
    version === 5
      ? frame(FIRST.puback, u16(1), 0, 0, 0)
      : frame(FIRST.puback, u16(1), 0),
  "PUBREL with bytes behind": (version) =>
    version === 5
      ? frame(FIRST.pubrel, u16(1), 0, 0, 0)
      : frame(FIRST.pubrel, u16(1), 0),
  "DISCONNECT with bytes behind": (version) =>
    version === 5
      ? frame(FIRST.disconnect, 0, 0, 0)
      : frame(FIRST.disconnect, 0),
  "PUBLISH that ends in its topic": () => frame(FIRST.publish, u16(9), 97),
  "PUBLISH without a topic": () => frame(FIRST.publish),
  "PUBLISH at QoS 1 that ends in its identifier": () =>
    frame(FIRST.publish | 2, "a", 0),
  "SUBSCRIBE that ends in its filter": (version) =>
    frame(FIRST.subscribe, u16(1), properties(version), u16(9), 97),
  "SUBSCRIBE without options": (version) =>
    frame(FIRST.subscribe, u16(1), properties(version), "a"),
  "SUBSCRIBE without a filter": (version) =>
    frame(FIRST.subscribe, u16(1), properties(version)),
  "UNSUBSCRIBE that ends in its filter": (version) =>
    frame(FIRST.unsubscribe, u16(1), properties(version), u16(9), 97),
  "UNSUBSCRIBE without a filter": (version) =>
    frame(FIRST.unsubscribe, u16(1), properties(version)),
};

/** Where Mosquitto 2.0.11 is lenient. */
const LENIENT: Readonly<Record<string, string>> = {
  "PINGREQ with a byte": "it ignores the length",
  "PUBACK with bytes behind": "it ignores them",
  "PUBREL with bytes behind": "it ignores them",
};

for (const [what, bytes] of Object.entries(LENGTHS)) {
  clause({
    name: `${what} closes (3.1 to 3.14: lengths)`,
    ...(LENIENT[what] !== undefined && { mosquitto: LENIENT[what] }),
  }, async (t) => {
    await t.mustClose(bytes(t.version), MALFORMED, PROTOCOL_ERROR);
  });
}

clause("packets in single bytes are understood (4.2)", async (t) => {
  const client = await t.dial();
  const { version } = t;
  const all = Buffer.concat([
    encodeConnect("bytes", { version }),
    subscribeFrame(version, "split"),
    encodePublish("split", "one", { version }),
  ]);
  for (const byte of all) {
    await client.write(Buffer.of(byte));
  }
  await receive(client, "connack");
  await receive(client, "suback");
  assert.equal((await message(client)).payload.toString(), "one");
});

clause(
  "many packets in one write are understood, in order (4.2)",
  async (t) => {
    const { version } = t;
    const client = await t.connect("pipelined");
    const count = 500;
    await client.write(
      subscribeFrame(version, "many"),
      ...Array.from(
        { length: count },
        (_, i) => encodePublish("many", `${i}`, { version }),
      ),
    );
    for (let i = 0; i < count; i++) {
      assert.equal((await message(client)).payload.toString(), `${i}`);
    }
  },
);

/** A packet of each type, and the flags that are reserved (2.2.2). */
const FLAGGED: Record<string, (version: Version) => Uint8Array> = {
  PUBACK: () => frame(FIRST.puback, u16(1)),
  PUBREC: () => frame(FIRST.pubrec, u16(1)),
  PUBREL: () => frame(FIRST.pubrel, u16(1)),
  PUBCOMP: () => frame(FIRST.pubcomp, u16(1)),
  SUBSCRIBE: (version) => subscribeFrame(version, "a"),
  UNSUBSCRIBE: (version) =>
    frame(FIRST.unsubscribe, u16(1), properties(version), "a"),
  PINGREQ: () => frame(FIRST.pingreq),
  DISCONNECT: () => frame(FIRST.disconnect),
};

for (const [name, packet] of Object.entries(FLAGGED)) {
  clause({
    name: `wrong flags in the fixed header of ${name} close (2.2.2)`,
    ...(["PUBACK", "PUBREC", "PUBCOMP", "PINGREQ"].includes(name) &&
      { mosquitto: "it checks no flags of this type" }),
  }, async (t) => {
    for (const bit of [1, 2, 4, 8]) {
      const bytes = Buffer.from(packet(t.version));
      bytes[0]! ^= bit;
      await t.mustClose(bytes, MALFORMED);
    }
  });
}

clause(
  "wrong flags in the fixed header of CONNECT close (2.2.2)",
  async (t) => {
    for (const bit of [1, 2, 4, 8]) {
      const bytes = connectFrame(t.version);
      bytes[0]! ^= bit;
      await t.refusal(bytes);
    }
  },
);

clause("types 0 and, in 3.1.1, 15 close (2.2.1)", async (t) => {
  await t.mustClose(frame(0), MALFORMED, PROTOCOL_ERROR);
  await t.mustClose(frame(FIRST.auth), MALFORMED, PROTOCOL_ERROR);
  assert.equal(await t.refusal(frame(0)), undefined);
});

/** Packets that only a server sends (2.2.1). */
const FROM_SERVER: Record<string, (version: Version) => Uint8Array> = {
  CONNACK: (version) => frame(FIRST.connack, 0, 0, properties(version)),
  SUBACK: (version) => frame(FIRST.suback, u16(1), properties(version), 0),
  UNSUBACK: (version) =>
    version === 5
      ? frame(FIRST.unsuback, u16(1), properties(5), 0)
      : frame(FIRST.unsuback, u16(1)),
  PINGRESP: () => frame(FIRST.pingresp),
};

for (const [name, packet] of Object.entries(FROM_SERVER)) {
  clause({
    name: `${name} from a client closes (2.2.1)`,
    ...(name !== "CONNACK" && { mosquitto: "it ignores the packet" }),
  }, async (t) => {
    await t.mustClose(packet(t.version), MALFORMED, PROTOCOL_ERROR);
  });
}

/** Strings that are not UTF-8 as MQTT wants it (1.5.3; MQTT 5, 1.5.4). */
const NOT_UTF8: Record<string, readonly number[]> = {
  "a lone continuation byte": [0x61, 0x80],
  "a sequence cut short": [0x61, 0xc3],
  "an overlong sequence": [0xc0, 0xaf],
  "a surrogate": [0xed, 0xa0, 0x80],
  "a code point above U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
  "U+0000": [0x61, 0, 0x62],
};

for (const [what, text] of Object.entries(NOT_UTF8)) {
  clause(`${what} in a topic or filter closes (1.5.3)`, async (t) => {
    const { version } = t;
    const bytes = binary(...text);
    const packets = [
      frame(FIRST.publish, bytes, properties(version), "x"),
      frame(FIRST.subscribe, u16(1), properties(version), bytes, 0),
      frame(FIRST.unsubscribe, u16(1), properties(version), bytes),
    ];
    for (const packet of packets) {
      await t.mustClose(packet, MALFORMED, PROTOCOL_ERROR, 0x90, 0x8f);
    }
  });

  clause(`${what} in a string of CONNECT closes (1.5.3)`, async (t) => {
    const { version } = t;
    const bytes = binary(...text);
    const none = properties(version);
    await t.refusal(connectFrame(version, { payload: [bytes] }));
    await t.refusal(connectFrame(version, {
      flags: 2 | 4,
      payload: ["id", none, bytes, "payload"],
    }));
    await t.refusal(connectFrame(version, {
      flags: 2 | 0x80,
      payload: ["id", bytes],
    }));
  });
}

clause("U+FEFF at the start of a topic is kept (1.5.3)", async (t) => {
  const client = await t.connect("bom");
  const topic = Buffer.from([0xef, 0xbb, 0xbf, 0x61]);
  const name = binary(...topic);
  const none = properties(t.version);
  await client.write(frame(FIRST.subscribe, u16(1), none, name, 0));
  await receive(client, "suback");
  let received = Buffer.alloc(0);
  client.onBytes = (bytes) => received = Buffer.concat([received, bytes]);
  await client.write(encodePublish("a", "without", { version: t.version }));
  await client.write(frame(FIRST.publish, name, none, "with"));
  await message(client);
  const expected = frame(FIRST.publish, name, none, "with");
  assert.deepEqual(new Uint8Array(received), expected);
});

/** Packets with the packet identifier 0 (2.3.1; MQTT 5, 2.2.1). */
const ZERO_ID: Record<string, (version: Version) => Uint8Array> = {
  "PUBLISH at QoS 1": (version) =>
    frame(FIRST.publish | 2, "a", u16(0), properties(version), "x"),
  "PUBLISH at QoS 2": (version) =>
    frame(FIRST.publish | 4, "a", u16(0), properties(version), "x"),
  SUBSCRIBE: (version) =>
    frame(FIRST.subscribe, u16(0), properties(version), "a", 0),
  UNSUBSCRIBE: (version) =>
    frame(FIRST.unsubscribe, u16(0), properties(version), "a"),
  PUBACK: () => frame(FIRST.puback, u16(0)),
  PUBREC: () => frame(FIRST.pubrec, u16(0)),
  PUBREL: () => frame(FIRST.pubrel, u16(0)),
  PUBCOMP: () => frame(FIRST.pubcomp, u16(0)),
};

for (const [name, packet] of Object.entries(ZERO_ID)) {
  clause(`${name} with packet identifier 0 closes (2.3.1)`, async (t) => {
    await t.mustClose(packet(t.version), MALFORMED, PROTOCOL_ERROR);
  });
}

/** Short forms of MQTT 5: without a code, and without properties. */
const SHORT: Record<string, (t: Trial) => Promise<void>> = {
  "PUBACK (3.4.2.1)": async (t) => {
    const { reader, id } = await delivered(t, 1);
    await reader.write(frame(FIRST.puback, u16(id)));
    await ping(reader);
    const again = await delivered(t, 1, reader);
    await reader.write(frame(FIRST.puback, u16(again.id), 0));
    await ping(reader);
  },
  "PUBREC and PUBCOMP (3.5.2.1, 3.7.2.1)": async (t) => {
    const { reader, id } = await delivered(t, 2);
    await reader.write(frame(FIRST.pubrec, u16(id)));
    await receive(reader, "pubrel");
    await reader.write(frame(FIRST.pubcomp, u16(id)));
    await ping(reader);
    const again = await delivered(t, 2, reader);
    await reader.write(frame(FIRST.pubrec, u16(again.id), 0));
    await receive(reader, "pubrel");
    await reader.write(frame(FIRST.pubcomp, u16(again.id), 0));
    await ping(reader);
  },
  "PUBREL (3.6.2.1)": async (t) => {
    const client = await t.connect("short");
    for (const code of [[], [0]]) {
      await client.publish("short", "x", { qos: 2, id: 5 });
      await receive(client, "pubrec");
      await client.write(frame(FIRST.pubrel, u16(5), ...code));
      assert.equal((await receive(client, "pubcomp")).messageId, 5);
    }
  },
  "DISCONNECT (3.14.2.1)": async (t) => {
    for (const body of [[], [0]]) {
      const watcher = await t.connect("watcher");
      await t.subscribe(watcher, "will");
      const client = await t.connect("short", {
        will: { topic: "will", payload: "gone" },
      });
      await client.write(frame(FIRST.disconnect, ...body));
      await client.ended();
      await t.publish(watcher, "will", "last");
      assert.equal((await message(watcher)).payload.toString(), "last");
    }
  },
};

for (const [name, test] of Object.entries(SHORT)) {
  clause({ name: `the short forms of ${name}`, versions: [5] }, test);
}

/** Delivers a message to a subscriber. */
async function delivered(t: Trial, qos: 1 | 2, subscriber?: RawConnection) {
  const reader = subscriber ?? await t.connect("reader");
  if (subscriber === undefined) await t.subscribe(reader, "short", { qos });
  const writer = await t.connect("writer");
  await t.publish(writer, "short", "x", { qos });
  const { messageId = 0 } = await message(reader);
  return { reader, id: messageId };
}

function subscribeFrame(version: Version, filter: string): Uint8Array {
  return version === 4
    ? encodeSubscribe(filter)
    : frame(FIRST.subscribe, join(u16(1), properties(5), filter, 0));
}
