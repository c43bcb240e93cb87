/** Codec of MQTT 5: which properties a packet may have, once or more often. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  connectFrame,
  FIRST,
  frame,
  join,
  type Part,
  properties,
  u16,
  u32,
  varint,
} from "../../support/packet_bytes.ts";
import { clause } from "./clause.ts";
import { closed, codeOf, receive } from "./trial.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;

/** Properties by identifier, with a valid value (MQTT 5, 2.2.2.2). */
const PROPERTIES: Readonly<Record<number, Part>> = {
  0x01: 1, // Payload Format Indicator
  0x02: u32(10), // Message Expiry Interval
  0x03: "text", // Content Type
  0x08: "reply", // Response Topic
  0x09: "data", // Correlation Data
  0x0b: varint(1), // Subscription Identifier
  0x11: u32(0), // Session Expiry Interval
  0x12: "assigned", // Assigned Client Identifier
  0x13: u16(60), // Server Keep Alive
  0x15: "method", // Authentication Method
  0x16: "data", // Authentication Data
  0x17: 1, // Request Problem Information
  0x18: u32(0), // Will Delay Interval
  0x19: 1, // Request Response Information
  0x1a: "info", // Response Information
  0x1c: "server", // Server Reference
  0x1f: "reason", // Reason String
  0x21: u16(10), // Receive Maximum
  0x22: u16(1), // Topic Alias Maximum
  0x23: u16(1), // Topic Alias
  0x24: 1, // Maximum QoS
  0x25: 1, // Retain Available
  0x26: join("name", "value"), // User Property
  0x27: u32(1000), // Maximum Packet Size
  0x28: 1, // Wildcard Subscription Available
  0x29: 1, // Subscription Identifier Available
  0x2a: 1, // Shared Subscription Available
};
const USER_PROPERTY = 0x26;
/**
 * Have clauses of their own: Subscription Identifier, authentication. The
 * specification allows a Server Reference in any DISCONNECT.
 */
const APART = [0x0b, 0x15, 0x16, 0x1c];

/** A packet with properties. */
interface Carrier {
  /** The identifiers that the packet may have from a client. */
  readonly allowed: readonly number[];
  packet(list: Uint8Array): Uint8Array;
}

const ACKNOWLEDGEMENT = [0x1f, USER_PROPERTY];
const MESSAGE = [0x01, 0x02, 0x03, 0x08, 0x09, USER_PROPERTY];

const CONNECTS: Readonly<Record<string, Carrier>> = {
  CONNECT: {
    allowed: [0x11, 0x17, 0x19, 0x21, 0x22, USER_PROPERTY, 0x27],
    packet: (list) => connectFrame(5, { properties: list }),
  },
  "a will": {
    allowed: [...MESSAGE, 0x18],
    packet: (list) =>
      connectFrame(5, { flags: 2 | 4, payload: ["id", list, "will", "x"] }),
  },
};
const OTHERS: Readonly<Record<string, Carrier>> = {
  PUBLISH: {
    allowed: [...MESSAGE, 0x23],
    packet: (list) => frame(FIRST.publish, "a", list, 120),
  },
  PUBACK: {
    allowed: ACKNOWLEDGEMENT,
    packet: (list) => frame(FIRST.puback, u16(1), 0, list),
  },
  PUBREC: {
    allowed: ACKNOWLEDGEMENT,
    packet: (list) => frame(FIRST.pubrec, u16(1), 0, list),
  },
  PUBREL: {
    allowed: ACKNOWLEDGEMENT,
    packet: (list) => frame(FIRST.pubrel, u16(1), 0, list),
  },
  PUBCOMP: {
    allowed: ACKNOWLEDGEMENT,
    packet: (list) => frame(FIRST.pubcomp, u16(1), 0, list),
  },
  SUBSCRIBE: {
    allowed: [0x0b, USER_PROPERTY],
    packet: (list) => frame(FIRST.subscribe, u16(1), list, "a", 0),
  },
  UNSUBSCRIBE: {
    allowed: [USER_PROPERTY],
    packet: (list) => frame(FIRST.unsubscribe, u16(1), list, "a"),
  },
  DISCONNECT: {
    allowed: [0x11, 0x1f, USER_PROPERTY],
    packet: (list) => frame(FIRST.disconnect, 0, list),
  },
};

function one(id: number): Uint8Array {
  return join(varint(id), PROPERTIES[id]!);
}

function idsBut(allowed: readonly number[]): number[] {
  return Object.keys(PROPERTIES).map(Number)
    .filter((id) => !allowed.includes(id));
}

for (const [name, { allowed, packet }] of Object.entries(CONNECTS)) {
  clause({
    name: `${name} accepts each of its properties (MQTT 5, 3.1.2.11, 3.1.3.2)`,
    versions: [5],
  }, async (t) => {
    const list = Buffer.concat(allowed.map((id) => one(id)));
    const client = await t.dial();
    await client.write(packet(properties(5, list, one(USER_PROPERTY))));
    assert.equal(codeOf(await receive(client, "connack")), 0);
  });

  clause({
    name: `${name} refuses every other property (MQTT 5, 2.2.2.2)`,
    versions: [5],
  }, async (t) => {
    for (const id of idsBut([...allowed, ...APART])) {
      await t.refuses(
        packet(properties(5, one(id))),
        ...[MALFORMED, PROTOCOL_ERROR],
      );
    }
  });

  clause({
    name: `${name} refuses a property that it has twice (MQTT 5, 2.2.2.2)`,
    versions: [5],
  }, async (t) => {
    for (const id of allowed) {
      if (id === USER_PROPERTY) continue;
      await t.refuses(
        packet(properties(5, one(id), one(id))),
        ...[PROTOCOL_ERROR, MALFORMED],
      );
    }
  });
}

for (const [name, { allowed, packet }] of Object.entries(OTHERS)) {
  clause({
    name: `${name} accepts each of its properties (MQTT 5, 2.2.2.2)`,
    versions: [5],
  }, async (t) => {
    for (const id of allowed) {
      const client = await t.connect("allowed", {
        properties: { sessionExpiryInterval: 10 },
      });
      const again = id === USER_PROPERTY ? [one(id)] : [];
      await client.write(packet(properties(5, one(id), ...again)));
      await client.send({ cmd: "disconnect" });
      for (const last of await closed(client)) {
        assert.notEqual(last.cmd, "disconnect", `property ${id}`);
      }
    }
  });

  clause({
    name: `${name} refuses every other property (MQTT 5, 2.2.2.2)`,
    versions: [5],
  }, async (t) => {
    for (const id of idsBut([...allowed, ...APART])) {
      await t.mustClose(
        packet(properties(5, one(id))),
        ...[MALFORMED, PROTOCOL_ERROR],
      );
    }
  });

  clause({
    name: `${name} refuses a property that it has twice (MQTT 5, 2.2.2.2)`,
    versions: [5],
  }, async (t) => {
    for (const id of allowed) {
      if (id === USER_PROPERTY) continue;
      await t.mustClose(
        packet(properties(5, one(id), one(id))),
        ...[PROTOCOL_ERROR, MALFORMED],
      );
    }
  });

  clause({
    name: `${name} refuses malformed properties (MQTT 5, 2.2.2)`,
    versions: [5],
  }, async (t) => {
    const malformed = [
      properties(5, varint(0x7f), 0), // unknown
      properties(5, varint(0x80), 0), // of two bytes
      properties(5, 0xa6, 0, join("a", "b")), // an identifier with needless bytes
      Buffer.concat([varint(100), one(USER_PROPERTY)]), // longer than the packet
      properties(5, USER_PROPERTY, "name"), // cut short
    ];
    for (const list of malformed) {
      await t.mustClose(packet(list), MALFORMED, PROTOCOL_ERROR);
    }
  });
}

for (const [name, { allowed, packet }] of Object.entries(OTHERS)) {
  if (name === "SUBSCRIBE") continue;
  clause({
    name:
      `${name} of a client refuses a Subscription Identifier (MQTT 5, 3.3.4-6)`,
    versions: [5],
    ...(name === "PUBLISH" && { mosquitto: "it ignores the property" }),
  }, async (t) => {
    assert.ok(!allowed.includes(0x0b));
    await t.mustClose(
      packet(properties(5, one(0x0b))),
      ...[MALFORMED, PROTOCOL_ERROR],
    );
  });
}

for (const [name, { packet }] of Object.entries(OTHERS)) {
  clause({
    name: `${name} refuses authentication (MQTT 5, 2.2.2.2)`,
    versions: [5],
  }, async (t) => {
    for (const id of [0x15, 0x16]) {
      await t.mustClose(
        packet(properties(5, one(id))),
        ...[MALFORMED, PROTOCOL_ERROR],
      );
    }
  });
}

clause({
  name: "a will refuses authentication (MQTT 5, 2.2.2.2)",
  versions: [5],
}, async (t) => {
  for (const id of [0x15, 0x16]) {
    await t.refuses(
      CONNECTS["a will"]!.packet(properties(5, one(id))),
      ...[MALFORMED, PROTOCOL_ERROR],
    );
  }
});

clause({
  name: "Authentication Data without a method is refused (MQTT 5, 3.1.2.11.10)",
  versions: [5],
  mosquitto: "it ignores the property",
}, async (t) => {
  await t.refuses(
    connectFrame(5, { properties: properties(5, one(0x16)) }),
    PROTOCOL_ERROR,
  );
});

clause({
  name: "an Authentication Method is refused with 0x8C (MQTT 5, 4.12)",
  versions: [5],
}, async (t) => {
  const lists = [properties(5, one(0x15)), properties(5, one(0x15), one(0x16))];
  for (const list of lists) {
    assert.equal(await t.refusal(connectFrame(5, { properties: list })), 0x8c);
  }
});

clause({
  name: "AUTH without a method in CONNECT closes (MQTT 5, 4.12.0-6)",
  versions: [5],
}, async (t) => {
  const packets = [
    frame(FIRST.auth),
    frame(FIRST.auth, 0x18, properties(5, one(0x15))),
  ];
  for (const packet of packets) await t.mustClose(packet, PROTOCOL_ERROR, 0x8c);
});

/** Values that a property must not have, in CONNECT. */
const VALUES: Readonly<Record<string, Uint8Array>> = {
  "Receive Maximum 0": join(0x21, u16(0)),
  "Maximum Packet Size 0": join(0x27, u32(0)),
  "Request Problem Information 2": join(0x17, 2),
  "Request Response Information 2": join(0x19, 2),
};

for (const [what, list] of Object.entries(VALUES)) {
  clause({
    name: `${what} is refused (MQTT 5, 3.1.2.11)`,
    versions: [5],
  }, async (t) => {
    await t.refuses(
      connectFrame(5, { properties: properties(5, list) }),
      ...[PROTOCOL_ERROR, MALFORMED],
    );
  });
}

clause({
  name: "Payload Format Indicator 2 closes (MQTT 5, 3.3.2.3.2)",
  versions: [5],
  mosquitto: "it forwards any value",
}, async (t) => {
  await t.mustClose(
    OTHERS.PUBLISH!.packet(properties(5, 0x01, 2)),
    ...[PROTOCOL_ERROR, MALFORMED],
  );
});

clause({
  name: "Subscription Identifier 0 closes (MQTT 5, 3.8.2.1.2)",
  versions: [5],
}, async (t) => {
  await t.mustClose(
    OTHERS.SUBSCRIBE!.packet(properties(5, 0x0b, varint(0))),
    ...[PROTOCOL_ERROR, MALFORMED],
  );
});
