/** What the broker sends: sizes, short forms, and copies of a message. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  appendAcknowledgement,
  appendAcknowledgements,
} from "../../../src/broker/codec/acknowledgement.ts";
import { appendConnack } from "../../../src/broker/codec/connack.ts";
import { appendDisconnect } from "../../../src/broker/codec/disconnect.ts";
import {
  PacketType,
  type PublishPacket,
  type Version,
} from "../../../src/broker/codec/packets.ts";
import { appendPingresp } from "../../../src/broker/codec/ping.ts";
import { encodeForwardedProperties } from "../../../src/broker/codec/properties_encoder.ts";
import { publishFlags } from "../../../src/broker/codec/publish.ts";
import {
  encodeDeliveryProperties,
  PublishEncoder,
} from "../../../src/broker/codec/publish_encoder.ts";
import { appendSuback } from "../../../src/broker/codec/suback.ts";
import { ByteWriter } from "../../../src/common/byte_writer.ts";
import { hex, join } from "../../support/packet_bytes.ts";
import { BYTES, FORWARDED, PACKET_ID, REASON, TOPIC } from "./arbitrary.ts";
import { connected, decodeAll, VERSIONS } from "./decode.ts";

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

/** Returns what is written, in hexadecimal digits. */
function written(write: (out: ByteWriter) => void): string {
  // So small that it must grow.
  const out = new ByteWriter(1);
  write(out);
  return out.take().toHex();
}

const ACKNOWLEDGEMENTS = [
  ...[PacketType.Puback, PacketType.Pubrec],
  ...[PacketType.Pubrel, PacketType.Pubcomp],
] as const;

test("an acknowledgement of success has 4 bytes (MQTT 5, 3.4.2.1)", () => {
  const first = ["40", "50", "62", "70"];
  for (const [i, type] of ACKNOWLEDGEMENTS.entries()) {
    for (const version of VERSIONS) {
      assert.equal(
        written((out) => appendAcknowledgement(out, version, type, 0xfffe)),
        `${first[i]}02fffe`,
      );
    }
  }
});

test("a reason code adds a byte, MQTT 3.1.1 has none", () => {
  const type = PacketType.Puback;
  const write = (version: Version) =>
    written((out) => appendAcknowledgement(out, version, type, 1, 0x10));
  assert.equal(write(4), "40020001");
  assert.equal(write(5), "4003000110");
});

test("acknowledgements of a commit are appended at once", () => {
  const ids = Uint16Array.of(1, 0x1234, 65_535, 9);
  assert.equal(
    written((out) => appendAcknowledgements(out, PacketType.Puback, ids, 3)),
    "40020001 40021234 4002ffff".replaceAll(" ", ""),
  );
  const all = written((out) =>
    appendAcknowledgements(out, PacketType.Pubrec, ids)
  );
  assert.equal(all.length, 2 * 4 * ids.length);
});

test("acknowledgements decode to what was encoded", () => {
  fc.assert(fc.property(
    fc.constantFrom(...ACKNOWLEDGEMENTS),
    PACKET_ID,
    REASON,
    (type, packetId, properties) => {
      const code = type < PacketType.Pubrel ? 0x97 : 0x92;
      const out = new ByteWriter(1);
      appendAcknowledgement(out, 5, type, packetId, code, properties);
      assert.deepEqual(decodeAll(connected(5), out.take()), [
        { type, packetId, reasonCode: code, properties },
      ]);
    },
  ));
});

test("DISCONNECT decodes to what was encoded", () => {
  assert.equal(written((out) => appendDisconnect(out, 0x8b)), "e0018b");
  fc.assert(fc.property(REASON, (properties) => {
    const out = new ByteWriter(1);
    appendDisconnect(out, 0x95, properties);
    assert.deepEqual(decodeAll(connected(5), out.take()), [
      { type: PacketType.Disconnect, reasonCode: 0x95, properties },
    ]);
  }));
});

test("CONNACK of both versions (3.2)", () => {
  const accepted = { sessionPresent: true, reasonCode: 0 };
  const write = (version: Version, packet: typeof accepted) =>
    written((out) => appendConnack(out, version, packet));
  assert.equal(write(4, accepted), "20020100");
  assert.equal(write(5, accepted), "2003010000");
  // Session Present only with success (MQTT 5, 3.2.2-6).
  const refused = { sessionPresent: true, reasonCode: 5 };
  assert.equal(write(4, refused), "20020005");
  assert.equal(write(5, { ...refused, reasonCode: 0x87 }), "2003008700");
  assert.equal(
    written((out) =>
      appendConnack(out, 5, {
        ...accepted,
        properties: { receiveMaximum: 20, retainAvailable: 1 },
      })
    ),
    "20080100 05 210014 2501".replaceAll(" ", ""),
  );
});

test("SUBACK has a code for each filter, 0x80 for failures in MQTT 3.1.1 (3.9.3-2)", () => {
  const packet = {
    type: PacketType.Suback,
    packetId: 0x1234,
    reasonCodes: [0, 1, 2, 0x8f, 0x87],
  };
  const write = (version: Version) =>
    written((out) => appendSuback(out, version, packet));
  assert.equal(write(4), "9007123400010280" + "80");
  assert.equal(write(5), "9008123400" + "0001028f87");
});

test("UNSUBACK has codes in MQTT 5 only (3.11.3)", () => {
  const packet = {
    type: PacketType.Unsuback,
    packetId: 0x1234,
    reasonCodes: [0, 0x11],
  };
  assert.equal(written((out) => appendSuback(out, 4, packet)), "b0021234");
  assert.equal(
    written((out) => appendSuback(out, 5, packet)),
    "b005123400" + "0011",
  );
});

test("PINGRESP", () => {
  assert.equal(written(appendPingresp), "d000");
});

test("a text is too long for a property above 65,535 bytes", () => {
  const reasonString = "é".repeat(32_768);
  assert.throws(
    () => appendDisconnect(new ByteWriter(), 0x80, { reasonString }),
    RangeError,
  );
});

/** Decodes what an encoder appends. */
function delivered(
  encoder: PublishEncoder,
  version: Version,
  flags: number,
  packetId: number,
): PublishPacket {
  const out = new ByteWriter(1);
  out.raw(hex("c000"));
  encoder.append(out, version, flags, packetId);
  assert.equal(out.at - 2, encoder.size(version, flags));
  const [, packet] = decodeAll(connected(version), out.take());
  assert.ok(packet?.type === PacketType.Publish);
  return packet;
}

test("a message is delivered with its own QoS, flags and id to each (MQTT 5, 3.3)", () => {
  const encoder = new PublishEncoder("a/b", hex("010203"), hex("0101"));
  for (const version of VERSIONS) {
    for (const qos of [0, 1, 2] as const) {
      for (const retain of [false, true]) {
        for (const dup of qos > 0 ? [false, true] : [false]) {
          const flags = publishFlags(qos, retain, dup);
          // Twice: the second is a copy of the first.
          for (const id of [1, 65_535]) {
            assert.deepEqual(delivered(encoder, version, flags, id), {
              ...{ type: 3, qos, dup, retain, topic: "a/b", topicAlias: 0 },
              packetId: qos > 0 ? id : 0,
              messageExpiryInterval: undefined,
              properties: version === 5 ? hex("0101") : hex(""),
              payload: hex("010203"),
            });
          }
        }
      }
    }
  }
});

test("any message decodes to what was encoded", () => {
  fc.assert(fc.property(
    fc.constantFrom(...VERSIONS),
    TOPIC,
    BYTES,
    FORWARDED,
    (version, topic, payload, properties) => {
      const encoded = encodeForwardedProperties(properties);
      const encoder = new PublishEncoder(topic, payload, encoded);
      const packet = delivered(encoder, version, publishFlags(1, false), 7);
      assert.deepEqual([packet.topic, packet.payload], [topic, payload]);
      assert.deepEqual(packet.properties, version === 5 ? encoded : hex(""));
    },
  ));
});

test("packets of all sizes have the shortest remaining length (MQTT 5, 1.5.5-1)", () => {
  for (const size of [0, 121, 122, 123, 16_377, 16_378, 16_379, 2_097_200]) {
    const payload = new Uint8Array(size).fill(7);
    const encoder = new PublishEncoder("t", payload);
    for (const version of VERSIONS) {
      const out = new ByteWriter();
      for (const id of [1, 2]) encoder.append(out, version, 2, id);
      const head = new ByteWriter();
      encoder.appendHead(head, version, 2, 1);
      assert.deepEqual(
        join(head.take(), payload),
        out.take().subarray(0, out.at / 2),
      );
      assert.equal(encoder.size(version, 2), out.at / 2);
    }
  }
});

test("expiry and subscription identifiers differ between deliveries (MQTT 5, 3.3.2.3.3, 3.3.2.3.8)", () => {
  const encoder = new PublishEncoder("t", hex("ff"), hex("0101"));
  const extra = encodeDeliveryProperties(258, [1, 300]);
  assert.equal(extra.toHex(), "0200000102" + "0b01" + "0bac02");
  const out = new ByteWriter(1);
  encoder.append(out, 5, publishFlags(1, false), 9, extra);
  assert.equal(
    out.take().toHex(),
    "3213 000174 0009 0c 0200000102 0b01 0bac02 0101 ff".replaceAll(" ", ""),
  );
  assert.equal(out.at, encoder.size(5, 2, extra));
  // MQTT 3.1.1 has no properties.
  const old = new ByteWriter(1);
  encoder.append(old, 4, publishFlags(1, false), 9, extra);
  assert.equal(old.take().toHex(), "3206 000174 0009 ff".replaceAll(" ", ""));
  assert.equal(old.at, encoder.size(4, 2, extra));
  assert.equal(encodeDeliveryProperties(undefined).length, 0);
});
