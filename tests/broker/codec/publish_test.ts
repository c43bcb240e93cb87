/** PUBLISH from a client. */
import assert from "node:assert/strict";
import { PacketType } from "../../../src/broker/codec/packets.ts";
import { decodeForwardedProperties } from "../../../src/broker/codec/properties.ts";
import {
  binary,
  frame,
  hex,
  join,
  type Part,
  properties,
  u16,
  u32,
  varint,
} from "../../support/packet_bytes.ts";
import { connected, decode, decodeAll, refuses, VERSIONS } from "./decode.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const PAYLOAD = hex("70 61 79");
const ID = u16(0x1234);

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

/** A PUBLISH at QoS 0 of MQTT 5 with properties. */
function withProperties(...parts: readonly Part[]): Uint8Array {
  return frame(0x30, "t", properties(5, ...parts), PAYLOAD);
}

function decodePublish(bytes: Uint8Array) {
  return decode(5, PacketType.Publish, bytes);
}

test("PUBLISH at each QoS, with DUP and RETAIN", () => {
  for (const version of VERSIONS) {
    for (const first of [0x30, 0x31, 0x32, 0x33, 0x34, 0x3a, 0x3b, 0x3d]) {
      const qos = first >> 1 & 3;
      const whole = frame(
        first,
        "a/b",
        qos > 0 ? ID : hex(""),
        properties(version),
        PAYLOAD,
      );
      assert.deepEqual(decode(version, PacketType.Publish, whole), {
        type: 3,
        qos,
        dup: (first & 8) !== 0,
        retain: (first & 1) !== 0,
        packetId: qos > 0 ? 0x1234 : 0,
        topic: "a/b",
        topicAlias: 0,
        messageExpiryInterval: undefined,
        properties: hex(""),
        payload: PAYLOAD,
      });
    }
  }
});

test("QoS 3 is malformed (MQTT 5, 3.3.1-4)", () => {
  for (const version of VERSIONS) {
    for (const first of [0x36, 0x37, 0x3e, 0x3f]) {
      const body = ["t", ID, properties(version), PAYLOAD];
      refuses(version, frame(first, ...body), MALFORMED);
    }
  }
});

test("DUP at QoS 0 is malformed (MQTT 5, 3.3.1-2)", () => {
  for (const version of VERSIONS) {
    for (const first of [0x38, 0x39]) {
      refuses(version, frame(first, "t", properties(version)), MALFORMED);
    }
  }
});

test("a packet identifier is not 0 (MQTT 5, 2.2.1-3)", () => {
  for (const version of VERSIONS) {
    for (const first of [0x32, 0x34, 0x3a]) {
      const body = ["t", u16(0), properties(version), PAYLOAD];
      refuses(version, frame(first, ...body), PROTOCOL_ERROR);
    }
  }
});

test("a topic name has no wildcards (MQTT 5, 3.3.2-2)", () => {
  for (const version of VERSIONS) {
    for (const topic of ["+", "#", "a/+", "a/#", "a+", "+a/b", "a#b"]) {
      refuses(version, frame(0x30, topic, properties(version)), MALFORMED);
    }
  }
});

test("a topic name is not empty (MQTT 3.1.1, 4.7.3-1)", () => {
  for (const version of VERSIONS) {
    refuses(version, frame(0x30, "", properties(version)), MALFORMED);
  }
});

test("a topic name is UTF-8 without NUL and control characters (MQTT 5, 1.5.4)", () => {
  const bad = ["00", "0a", "1b", "7f", "c280", "eda080", "c0af", "ff", "e282"];
  for (const version of VERSIONS) {
    for (const bytes of bad) {
      const topic = binary(...join(hex("61"), hex(bytes)));
      refuses(version, frame(0x30, topic, properties(version)), MALFORMED);
    }
  }
});

test("a topic name may be any other text, and 65,535 bytes long", () => {
  for (
    const topic of ["/", " ", "$x", "𪛔", "\ufeff", "é/ü", "a".repeat(65535)]
  ) {
    const bytes = frame(0x30, topic);
    assert.equal(decode(4, PacketType.Publish, bytes).topic, topic);
  }
});

test("a field beyond the end is malformed", () => {
  for (const version of VERSIONS) {
    for (const body of ["", "00", "0001", "0005 61", "ffff 61"]) {
      refuses(version, frame(0x30, hex(body)), MALFORMED);
      refuses(version, frame(0x32, hex(body)), MALFORMED);
    }
    refuses(version, frame(0x32, "t"), MALFORMED);
    refuses(version, frame(0x32, "t", 0), MALFORMED);
  }
  refuses(5, frame(0x30, "t"), MALFORMED);
  refuses(5, frame(0x30, "t", 1), MALFORMED);
  refuses(5, frame(0x30, "t", varint(200), PAYLOAD), MALFORMED);
});

test("an empty topic needs a topic alias (MQTT 5, 3.3.2.1)", () => {
  const bytes = frame(0x30, "", properties(5, 0x23, u16(9)), PAYLOAD);
  const { topic, topicAlias } = decodePublish(bytes);
  assert.deepEqual([topic, topicAlias], ["", 9]);
});

test("a topic alias of 0 has its own reason code (MQTT 5, 3.3.2-8)", () => {
  refuses(5, withProperties(0x23, u16(0)), 0x94);
});

test("properties are forwarded unchanged and in order, but for alias and expiry (MQTT 5, 3.3.2-17, 3.3.2-18)", () => {
  const first = join(0x26, "b", "1", 0x01, 1);
  const second = join(0x26, "a", "2", 0x08, "re", 0x26, "a", "2");
  const last = join(0x09, binary(...hex("00ff")), 0x03, "text/csv");
  const alias = join(0x23, u16(3));
  const expiry = join(0x02, u32(77));
  const orders = [
    [first, second, last, alias, expiry],
    [alias, expiry, first, second, last],
    [alias, first, second, last, expiry],
    [first, alias, second, expiry, last],
    [expiry, first, second, alias, last],
  ];
  for (const parts of orders) {
    const decoded = decodePublish(withProperties(...parts));
    assert.deepEqual(decoded.properties, join(first, second, last));
    assert.equal(decoded.topicAlias, 3);
    assert.equal(decoded.messageExpiryInterval, 77);
    assert.deepEqual(decoded.payload, PAYLOAD);
    assert.deepEqual(decodeForwardedProperties(decoded.properties), {
      payloadFormatIndicator: 1,
      responseTopic: "re",
      correlationData: hex("00ff"),
      contentType: "text/csv",
      userProperties: [["b", "1"], ["a", "2"], ["a", "2"]],
    });
  }
  assert.deepEqual(decodePublish(withProperties(alias)).properties, hex(""));
});

test("a message expiry of 0 is not none (MQTT 5, 3.3.2.3.3)", () => {
  const bytes = withProperties(0x02, u32(0));
  assert.equal(decodePublish(bytes).messageExpiryInterval, 0);
});

test("a payload format indicator is 0 or 1 (MQTT 5, 3.3.2.3.2)", () => {
  for (const value of [0, 1]) decodePublish(withProperties(1, value));
  refuses(5, withProperties(1, 2), PROTOCOL_ERROR);
});

test("a response topic is a topic name (MQTT 5, 3.3.2-14)", () => {
  for (const topic of ["#", "a/+", ""]) {
    refuses(5, withProperties(0x08, topic), PROTOCOL_ERROR);
  }
  refuses(5, withProperties(0x08, "a\0"), MALFORMED);
});

test("a client sends no subscription identifier in a PUBLISH (MQTT 5, 3.3.4-6)", () => {
  refuses(5, withProperties(0x0b, 1), PROTOCOL_ERROR);
});

test("decoded topics of MQTT 5 and 3.1.1 follow the bytes", () => {
  for (const version of VERSIONS) {
    const topics = ["aaaa", "aaaa", "aaab", "aaa", "aaaab", "b", "aaaa", "aa"];
    const bytes = topics.map((topic) =>
      frame(0x30, topic, properties(version), PAYLOAD)
    );
    const packets = decodeAll(connected(version), join(...bytes));
    assert.deepEqual(packets.map((one) => "topic" in one && one.topic), topics);
  }
});

test("payload and properties are views of the input", () => {
  const bytes = withProperties(0x03, "csv");
  const { payload, properties: forwarded } = decodePublish(bytes);
  assert.equal(payload.buffer, bytes.buffer);
  assert.equal(forwarded.buffer, bytes.buffer);
});
