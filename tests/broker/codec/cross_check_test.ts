/** Valid packets, as mqtt-packet reads and writes them. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { appendAcknowledgement } from "../../../src/broker/codec/acknowledgement.ts";
import { appendConnack } from "../../../src/broker/codec/connack.ts";
import { appendDisconnect } from "../../../src/broker/codec/disconnect.ts";
import { PacketDecoder } from "../../../src/broker/codec/packet_decoder.ts";
import {
  type ClientPacket,
  type ConnackProperties,
  PacketType,
  type UserProperty,
  type Version,
} from "../../../src/broker/codec/packets.ts";
import { appendPingresp } from "../../../src/broker/codec/ping.ts";
import { decodeForwardedProperties } from "../../../src/broker/codec/properties.ts";
import { publishFlags } from "../../../src/broker/codec/publish.ts";
import {
  encodeDeliveryProperties,
  PublishEncoder,
} from "../../../src/broker/codec/publish_encoder.ts";
import { appendSuback } from "../../../src/broker/codec/suback.ts";
import { ByteWriter } from "../../../src/common/byte_writer.ts";
import { connectFrame } from "../../support/packet_bytes.ts";
import { needs } from "../../support/needs.ts";
import {
  encode,
  type Packet,
  PacketDecoder as Reference,
} from "../../support/packets.ts";
import { connectSample, PACKET_ID, sample } from "./arbitrary.ts";
import { connected, decodeAll, MAX_PACKET_BYTES, VERSIONS } from "./decode.ts";

const ANY_VERSION = fc.constantFrom(...VERSIONS);

function test(name: string, fn: () => void): void {
  Deno.test({ name, ...needs(), fn });
}

/** Decodes with mqtt-packet what follows a CONNECT. */
function reference(version: Version, bytes: Uint8Array): Packet[] {
  const decoder = new Reference();
  decoder.push(connectFrame(version));
  return decoder.push(bytes);
}

/** Decodes with mqtt-packet what the broker appends. */
function sent(version: Version, write: (out: ByteWriter) => void): Packet {
  const out = new ByteWriter(1);
  write(out);
  const packets = reference(version, out.take());
  assert.equal(packets.length, 1);
  return packets[0]!;
}

/**
 * Properties with the user properties of one name together, without empty
 * values: mqtt-packet loses some of those.
 */
function grouped(
  { userProperties = [], ...others }: {
    readonly userProperties?: readonly UserProperty[];
  },
): unknown {
  const users = new Map<string, Set<string>>();
  for (const [name, value] of userProperties) {
    if (value === "") continue;
    users.set(name, (users.get(name) ?? new Set()).add(value));
  }
  return { ...others, users };
}

/** mqtt-packet does not keep the order of properties. */
function normalized(packet: ClientPacket): unknown {
  if (packet.type === PacketType.Publish) {
    const properties = decodeForwardedProperties(packet.properties);
    return { ...packet, properties: grouped(properties) };
  }
  if (packet.type === PacketType.Connect && packet.will) {
    const { will } = packet;
    const properties = decodeForwardedProperties(will.properties);
    return {
      ...{ ...packet, properties: grouped(packet.properties) },
      will: { ...will, properties: grouped(properties) },
    };
  }
  return "properties" in packet
    ? { ...packet, properties: grouped(packet.properties) }
    : packet;
}

test("mqtt-packet reads the packets of a client as this codec does", () => {
  const samples = ANY_VERSION.chain((version) =>
    sample(version).map((one) => ({ version, ...one }))
  );
  fc.assert(
    fc.property(samples, ({ version, bytes, packet }) => {
      const [read] = reference(version, bytes) as [Packet];
      const again = new Uint8Array(encode(read, version));
      const decoded = decodeAll(connected(version), again);
      assert.deepEqual(decoded.map(normalized), [normalized(packet)]);
    }),
    { numRuns: 1000 },
  );
});

test("mqtt-packet reads a CONNECT as this codec does", () => {
  const samples = ANY_VERSION.chain((version) =>
    connectSample(version)
      // mqtt-packet writes no session without a name, no password alone, and
      // no properties of bridges.
      .filter(({ packet }) =>
        packet.type === PacketType.Connect && packet.clientId !== "" &&
        !(packet.isBridge && version === 5) &&
        (packet.username !== undefined || packet.password === undefined)
      )
      .map((one) => ({ version, ...one }))
  );
  fc.assert(
    fc.property(samples, ({ version, bytes, packet }) => {
      const [read] = new Reference().push(bytes) as [Packet];
      const again = new Uint8Array(encode(read, version));
      const decoder = new PacketDecoder(MAX_PACKET_BYTES);
      assert.deepEqual(decodeAll(decoder, again).map(normalized), [
        normalized(packet),
      ]);
    }),
    { numRuns: 500 },
  );
});

test("mqtt-packet reads CONNACK", () => {
  const properties: ConnackProperties = {
    ...{ sessionExpiryInterval: 7, receiveMaximum: 8, maximumQoS: 1 },
    ...{ maximumPacketSize: 9000, assignedClientIdentifier: "auto-1" },
    ...{ topicAliasMaximum: 10, reasonString: "fine", serverKeepAlive: 30 },
    ...{ responseInformation: "r/", serverReference: "other" },
    ...{ authenticationMethod: "m" },
  };
  const connack = sent(5, (out) =>
    appendConnack(out, 5, {
      ...{ sessionPresent: true, reasonCode: 0 },
      properties: {
        ...properties,
        ...{ retainAvailable: 1, wildcardSubscriptionAvailable: 0 },
        ...{ subscriptionIdentifiersAvailable: 1 },
        ...{ sharedSubscriptionAvailable: 1 },
        authenticationData: Uint8Array.of(1),
        userProperties: [["a", "1"], ["b", "2"]],
      },
    }));
  assert.ok(connack.cmd === "connack");
  assert.deepEqual([connack.sessionPresent, connack.reasonCode], [true, 0]);
  const { authenticationData, userProperties, ...others } = connack.properties!;
  assert.deepEqual({ ...others }, {
    ...properties,
    ...{ retainAvailable: true, wildcardSubscriptionAvailable: false },
    ...{ subscriptionIdentifiersAvailable: true },
    ...{ sharedSubscriptionAvailable: true },
  });
  assert.deepEqual([...authenticationData!], [1]);
  assert.deepEqual({ ...userProperties }, { a: "1", b: "2" });
  const refused = sent(
    4,
    (out) => appendConnack(out, 4, { sessionPresent: false, reasonCode: 2 }),
  );
  assert.ok(refused.cmd === "connack");
  assert.deepEqual([refused.sessionPresent, refused.returnCode], [false, 2]);
});

test("mqtt-packet reads SUBACK, UNSUBACK, PINGRESP and DISCONNECT", () => {
  for (const version of VERSIONS) {
    const answer = { packetId: 99, reasonCodes: [0, 2, 0x80] };
    const suback = sent(
      version,
      (out) =>
        appendSuback(out, version, { type: PacketType.Suback, ...answer }),
    );
    assert.ok(suback.cmd === "suback");
    assert.deepEqual([suback.messageId, suback.granted], [99, [0, 2, 0x80]]);
    const unsuback = sent(version, (out) =>
      appendSuback(out, version, {
        ...{ type: PacketType.Unsuback, packetId: 98 },
        reasonCodes: [0, 0x11],
        properties: { reasonString: "why" },
      }));
    assert.ok(unsuback.cmd === "unsuback");
    assert.equal(unsuback.messageId, 98);
    if (version === 5) assert.deepEqual(unsuback.granted, [0, 0x11]);
    assert.equal(sent(version, appendPingresp).cmd, "pingresp");
  }
  const disconnect = sent(
    5,
    (out) => appendDisconnect(out, 0x8b, { serverReference: "b" }),
  );
  assert.ok(disconnect.cmd === "disconnect");
  assert.equal(disconnect.reasonCode, 0x8b);
  assert.equal(disconnect.properties?.serverReference, "b");
});

test("mqtt-packet reads acknowledgements", () => {
  const types = { puback: 4, pubrec: 5, pubrel: 6, pubcomp: 7 } as const;
  fc.assert(fc.property(
    ANY_VERSION,
    fc.constantFrom(...Object.entries(types)),
    PACKET_ID,
    fc.boolean(),
    (version, [name, type], packetId, isFailure) => {
      const code = isFailure ? (type < 6 ? 0x97 : 0x92) : 0;
      const packet = sent(
        version,
        (out) => appendAcknowledgement(out, version, type, packetId, code),
      );
      assert.deepEqual([packet.cmd, packet.messageId], [name, packetId]);
      if (version === 5) {
        assert.equal("reasonCode" in packet && packet.reasonCode || 0, code);
      }
    },
  ));
});

test("mqtt-packet reads a delivered PUBLISH", () => {
  const payload = new TextEncoder().encode("1,2,3");
  const encoder = new PublishEncoder("a/é", payload, Uint8Array.of(1, 1));
  const extra = encodeDeliveryProperties(60, [7]);
  for (const version of VERSIONS) {
    const packet = sent(
      version,
      (out) =>
        encoder.append(
          out,
          version,
          publishFlags(2, true, true),
          65_535,
          extra,
        ),
    );
    assert.ok(packet.cmd === "publish");
    const { topic, qos, retain, dup, messageId } = packet;
    assert.deepEqual({ topic, qos, retain, dup, messageId }, {
      ...{ topic: "a/é", qos: 2, retain: true, dup: true },
      messageId: 65_535,
    });
    assert.equal(String(packet.payload), "1,2,3");
    assert.deepEqual(
      packet.properties && { ...packet.properties },
      version === 4 ? undefined : {
        payloadFormatIndicator: true,
        messageExpiryInterval: 60,
        subscriptionIdentifier: 7,
      },
    );
  }
});
