/** CONNECT. */
import assert from "node:assert/strict";
import type { MalformedPacket } from "../../../src/broker/codec/malformed.ts";
import { PacketDecoder } from "../../../src/broker/codec/packet_decoder.ts";
import type {
  ConnectPacket,
  Version,
} from "../../../src/broker/codec/packets.ts";
import {
  binary,
  connectFrame,
  type ConnectParts,
  hex,
  join,
  type Part,
  properties,
  u16,
  u32,
} from "../../support/packet_bytes.ts";
import { decodeAll, failure, MAX_PACKET_BYTES, VERSIONS } from "./decode.ts";

const CLEAN = 0x02;
const WILL = 0x04;
const PASSWORD = 0x40;
const USERNAME = 0x80;

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

function decode(bytes: Uint8Array): ConnectPacket {
  const decoder = new PacketDecoder(MAX_PACKET_BYTES);
  assert.equal(decoder.version, undefined);
  const [packet] = decodeAll(decoder, bytes) as [ConnectPacket];
  assert.equal(decoder.version, packet.version);
  return packet;
}

function fails(bytes: Uint8Array): MalformedPacket {
  return failure(new PacketDecoder(MAX_PACKET_BYTES), bytes);
}

/** Malformed: only a client of MQTT 5 gets an answer (MQTT 5, 4.13.1). */
function isMalformed(version: Version, parts: ConnectParts): void {
  const error = fails(connectFrame(version, parts));
  assert.equal(error.reasonCode, 0x81, error.message);
  assert.equal(error.connackVersion, version === 5 ? 5 : undefined);
}

test("CONNECT has all fields", () => {
  for (const version of VERSIONS) {
    const packet = decode(connectFrame(version, {
      flags: CLEAN | WILL | 2 << 3 | 0x20 | USERNAME | PASSWORD,
      payload: [
        ...["client", properties(version), "will/topic", "gone", "me"],
        binary(...hex("00ff")),
      ],
    }));
    assert.deepEqual(packet, {
      type: 1,
      version,
      isBridge: false,
      clean: true,
      keepAlive: 60,
      clientId: "client",
      will: {
        topic: "will/topic",
        payload: new TextEncoder().encode("gone"),
        qos: 2,
        retain: true,
        delayInterval: 0,
        messageExpiryInterval: undefined,
        properties: hex(""),
      },
      username: "me",
      password: hex("00ff"),
      properties: {},
    });
  }
});

test("an empty client id is decoded, with and without Clean Start", () => {
  for (const version of VERSIONS) {
    for (const flags of [0, CLEAN]) {
      const packet = decode(connectFrame(version, { flags, payload: [""] }));
      assert.equal(packet.clientId, "");
      assert.equal(packet.clean, flags === CLEAN);
    }
  }
});

test("any other protocol name ends the connection without CONNACK (MQTT 5, 3.1.2-1)", () => {
  for (const name of ["", "MQT", "MQTTT", "mqtt", "HTTP"]) {
    const error = fails(connectFrame(4, { protocol: name }));
    assert.equal(error.reasonCode, 0x84);
    assert.equal(error.connackVersion, undefined);
  }
});

test("an unsupported level is answered in the form it claims (MQTT 5, 3.1.2-2)", () => {
  const versionOf = (parts: ConnectParts) => {
    const error = fails(connectFrame(4, parts));
    assert.equal(error.reasonCode, 0x84);
    return error.connackVersion;
  };
  for (const level of [0, 1, 2, 3, 0x83]) assert.equal(versionOf({ level }), 4);
  for (const level of [6, 7, 127, 0x86]) assert.equal(versionOf({ level }), 5);
  for (const level of [3, 4, 5, 6, 0x83]) {
    assert.equal(versionOf({ protocol: "MQIsdp", level }), 4);
  }
});

test("bit 0x80 of the level is that of a bridge", () => {
  for (const version of VERSIONS) {
    const packet = decode(connectFrame(version, { level: 0x80 | version }));
    assert.equal(packet.version, version);
    assert.equal(packet.isBridge, true);
  }
});

test("the reserved flag must be 0 (MQTT 5, 3.1.2-3)", () => {
  for (const version of VERSIONS) isMalformed(version, { flags: CLEAN | 1 });
});

test("flags of a will need a will (MQTT 5, 3.1.2-11, 3.1.2-13)", () => {
  for (const version of VERSIONS) {
    for (const flags of [1 << 3, 2 << 3, 3 << 3, 0x20]) {
      isMalformed(version, { flags: CLEAN | flags });
    }
  }
});

test("the QoS of a will is at most 2 (MQTT 5, 3.1.2-12)", () => {
  for (const version of VERSIONS) {
    isMalformed(version, {
      flags: WILL | 3 << 3,
      payload: ["c", properties(version), "t", "m"],
    });
  }
});

test("a will has a topic and a payload (MQTT 3.1.1, 3.1.2-9)", () => {
  for (const version of VERSIONS) {
    const list = properties(version);
    for (const payload of [["c"], ["c", list], ["c", list, "t"]]) {
      isMalformed(version, { flags: WILL, payload });
    }
  }
});

test("the topic of a will is not empty and has no wildcards (MQTT 5, 4.7.3-1, 4.7.1-1)", () => {
  for (const version of VERSIONS) {
    for (const topic of ["", "a/#", "+", "a/+/b"]) {
      const payload = ["c", properties(version), topic, "m"];
      isMalformed(version, { flags: WILL, payload });
    }
  }
});

test("a password without a user name: malformed in MQTT 3.1.1 (3.1.2-22), allowed in MQTT 5 (3.1.2.9)", () => {
  isMalformed(4, { flags: PASSWORD, payload: ["c", "secret"] });
  const packet = decode(
    connectFrame(5, { flags: PASSWORD, payload: ["c", "secret"] }),
  );
  assert.equal(packet.username, undefined);
  assert.equal(new TextDecoder().decode(packet.password), "secret");
});

test("fields without their flag, and flags without their field, are malformed (MQTT 5, 3.1.2-16 to 3.1.2-19)", () => {
  for (const version of VERSIONS) {
    isMalformed(version, { payload: ["c", "user"] });
    isMalformed(version, { flags: USERNAME });
    isMalformed(version, { flags: USERNAME, payload: ["c", "me", "secret"] });
    isMalformed(version, { flags: USERNAME | PASSWORD, payload: ["c", "me"] });
    isMalformed(version, { payload: [] });
    isMalformed(version, { payload: ["c", 0] });
  }
});

test("client id, user name and the topic of a will have no control characters (MQTT 5, 1.5.4)", () => {
  const bad = ["a\0", "a\x01", "\x1f", "\n", "\x1b[0m", "\x7f", "\x80", "\x9f"];
  for (const version of VERSIONS) {
    const list = properties(version);
    for (const name of bad) {
      isMalformed(version, { payload: [name] });
      isMalformed(version, { flags: USERNAME, payload: ["c", name] });
      isMalformed(version, { flags: WILL, payload: ["c", list, name, "m"] });
    }
    const surrogate = binary(...hex("eda080"));
    isMalformed(version, { payload: [surrogate] });
    isMalformed(version, { flags: USERNAME, payload: ["c", surrogate] });
  }
});

test("a byte order mark stays in the client id (MQTT 5, 1.5.4-3)", () => {
  const packet = decode(connectFrame(4, { payload: ["\ufeffc"] }));
  assert.equal(packet.clientId, "\ufeffc");
});

test("properties of CONNECT (MQTT 5, 3.1.2.11)", () => {
  const { properties: decoded } = decode(connectFrame(5, {
    properties: properties(
      5,
      ...[0x11, u32(0xffff_ffff), 0x21, u16(10), 0x27, u32(1)],
      ...[0x22, u16(0), 0x19, 1, 0x17, 0, 0x15, "method"],
      ...[0x16, binary(...hex("0102")), 0x26, "b", "1", 0x26, "a", "2"],
    ),
  }));
  assert.deepEqual(decoded, {
    sessionExpiryInterval: 0xffff_ffff,
    receiveMaximum: 10,
    maximumPacketSize: 1,
    topicAliasMaximum: 0,
    requestResponseInformation: 1,
    requestProblemInformation: 0,
    authenticationMethod: "method",
    authenticationData: hex("0102"),
    userProperties: [["b", "1"], ["a", "2"]],
  });
});

test("properties of a will (MQTT 5, 3.1.3.2)", () => {
  const forwarded = join(0x01, 1, 0x26, "k", "v", 0x03, "text/csv");
  const { will } = decode(connectFrame(5, {
    flags: WILL,
    payload: [
      "c",
      properties(5, ...[0x02, u32(30), forwarded, 0x18, u32(7)]),
      ...["t", "m"],
    ],
  }));
  assert.equal(will?.delayInterval, 7);
  assert.equal(will?.messageExpiryInterval, 30);
  assert.deepEqual(will?.properties, forwarded);
});

test("a topic alias is no property of a will (MQTT 5, 3.1.3.2)", () => {
  isMalformed(5, {
    flags: WILL,
    payload: ["c", properties(5, 0x23, u16(1)), "t", "m"],
  });
});

test("a protocol error of MQTT 5 is answered with a CONNACK (3.1.4-2, 4.13.1)", () => {
  const errors: readonly (readonly Part[])[] = [
    [0x21, u16(0)],
    [0x27, u32(0)],
    [0x19, 2],
    [0x17, 2],
    [0x11, u32(1), 0x11, u32(1)],
    // Authentication Data without a method (3.1.2.11.10).
    [0x16, binary(...hex("01"))],
  ];
  for (const list of errors) {
    const error = fails(
      connectFrame(5, { properties: properties(5, ...list) }),
    );
    assert.equal(error.reasonCode, 0x82, error.message);
    assert.equal(error.connackVersion, 5);
  }
});

test("the CONNECT keeps nothing of the input", () => {
  const bytes = connectFrame(5, {
    flags: WILL | USERNAME | PASSWORD,
    payload: ["c", properties(5, 0x03, "x"), "t", "m", "user", "secret"],
  });
  const packet = decode(bytes);
  const before = structuredClone(packet);
  bytes.fill(0);
  assert.deepEqual(packet, before);
});
