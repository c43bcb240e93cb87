/**
 * PUBLISH from a client (MQTT 5, 3.3; MQTT 3.1.1, 3.3).
 *
 * @module
 */
import type { BodyReader } from "./body_reader.ts";
import { MalformedPacket } from "./malformed.ts";
import {
  PacketType,
  type PublishPacket,
  type QoS,
  type Version,
} from "./packets.ts";
import { NO_MESSAGE_PROPERTIES, readMessageProperties } from "./properties.ts";
import type { PublishPattern } from "./publish_run.ts";

// The flags of the fixed header (MQTT 5, 3.3.1).
const DUP = 0b1000;
const QOS_SHIFT = 1;
const RETAIN = 0b0001;

/**
 * Returns the flags of the fixed header.
 *
 * @param qos the QoS of the delivery
 * @param retain the RETAIN flag
 * @param dup true if the packet was sent before; not at QoS 0 (MQTT 5, 3.3.1-2)
 */
export function publishFlags(qos: QoS, retain: boolean, dup = false): number {
  return qos << QOS_SHIFT | (retain ? RETAIN : 0) | (dup ? DUP : 0);
}

/**
 * Decodes the body of a PUBLISH. The QoS and DUP flags are valid: `findFrame`
 * has checked them.
 *
 * @param flags the flags of the fixed header
 * @param pattern the last PUBLISH, whose topic is decoded already; becomes this
 * one
 * @throws {MalformedPacket}
 */
export function decodePublish(
  reader: BodyReader,
  flags: number,
  version: Version,
  pattern: PublishPattern,
): PublishPacket {
  const qos = (flags >> QOS_SHIFT & 3) as QoS;
  const bodyStart = reader.at;
  const topic = pattern.topicAt(reader) ?? reader.topicName();
  const topicEnd = reader.at;
  // (MQTT 5, 2.2.1-2; MQTT 3.1.1, 2.3.1-5)
  const packetId = qos === 0 ? 0 : reader.packetId();
  const propertiesStart = reader.at;
  const properties = version === 5
    ? readMessageProperties(reader, PacketType.Publish)
    : NO_MESSAGE_PROPERTIES;
  if (topic === "") checkEmptyTopic(version, properties.topicAlias);
  pattern.set(reader, flags, topic, {
    bodyStart,
    topicEnd,
    propertiesStart,
    propertiesEnd: reader.at,
  });
  return {
    type: PacketType.Publish,
    qos,
    dup: (flags & DUP) !== 0,
    retain: (flags & RETAIN) !== 0,
    packetId,
    topic,
    topicAlias: properties.topicAlias,
    messageExpiryInterval: properties.messageExpiryInterval,
    properties: properties.forwarded,
    payload: reader.bytes.subarray(reader.at, reader.end),
  };
}

function checkEmptyTopic(version: Version, topicAlias: number): void {
  // (MQTT 3.1.1, 4.7.3-1; MQTT 5, 3.3.2.1)
  if (version === 4 || topicAlias === 0) {
    throw new MalformedPacket("PUBLISH has no topic");
  }
}
