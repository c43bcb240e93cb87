/**
 * SUBSCRIBE (MQTT 5, 3.8; MQTT 3.1.1, 3.8).
 *
 * @module
 */
import type { BodyReader } from "./body_reader.ts";
import { MalformedPacket, protocolError } from "./malformed.ts";
import {
  PacketType,
  type QoS,
  type RetainHandling,
  type SubscribePacket,
  type SubscriptionRequest,
  type Version,
} from "./packets.ts";
import { NO_PROPERTIES, readProperties } from "./properties.ts";
import { isShared, parseFilter } from "./topic_names.ts";

// The subscription options (MQTT 5, 3.8.3.1).
const QOS = 0b0000_0011;
const NO_LOCAL = 0b0000_0100;
const RETAIN_AS_PUBLISHED = 0b0000_1000;
const RETAIN_HANDLING = 0b0011_0000;
const RESERVED = 0b1100_0000;
/** All but the QoS is reserved (MQTT 3.1.1, 3.8.3-4). */
const RESERVED_3_1_1 = 0b1111_1100;

/**
 * Decodes the body.
 *
 * @throws {MalformedPacket}
 */
export function decodeSubscribe(
  reader: BodyReader,
  version: Version,
): SubscribePacket {
  const packetId = reader.packetId();
  const properties = version === 5
    ? readProperties(reader, PacketType.Subscribe)
    : NO_PROPERTIES;
  const subscriptions: SubscriptionRequest[] = [];
  // At least one (MQTT 5, 3.8.3-2; MQTT 3.1.1, 3.8.3-3).
  do {
    subscriptions.push(readSubscription(reader, version));
  } while (reader.left > 0);
  return {
    type: PacketType.Subscribe,
    packetId,
    subscriptionIdentifier: properties.subscriptionIdentifiers?.[0],
    properties,
    subscriptions,
  };
}

function readSubscription(
  reader: BodyReader,
  version: Version,
): SubscriptionRequest {
  const filter = readFilter(reader);
  const options = reader.byte();
  checkOptions(options, version);
  const noLocal = (options & NO_LOCAL) !== 0;
  const parsed = parseFilter(filter);
  if (version === 5 && isShared(filter)) {
    // (MQTT 5, 4.8.2-1, 4.8.2-2)
    if (!parsed) throw protocolError("a shared subscription is not valid");
    // (MQTT 5, 3.8.3-4)
    if (noLocal) throw protocolError("No Local is set, but not allowed");
  }
  return {
    filter,
    shareName: parsed?.shareName,
    topicFilter: parsed?.topicFilter ?? filter,
    isValid: parsed !== undefined,
    qos: (options & QOS) as QoS,
    noLocal,
    retainAsPublished: (options & RETAIN_AS_PUBLISHED) !== 0,
    retainHandling: (options & RETAIN_HANDLING) >> 4 as RetainHandling,
  };
}

/**
 * Reads a filter of SUBSCRIBE or UNSUBSCRIBE. Only an empty one ends the
 * connection (MQTT 5, 4.7.3-1); others that are not valid have their own answer.
 */
export function readFilter(reader: BodyReader): string {
  reader.countItem();
  const filter = reader.name();
  if (filter === "") throw new MalformedPacket("a topic filter is empty");
  return filter;
}

function checkOptions(options: number, version: Version): void {
  // (MQTT 5, 3.8.3-5; MQTT 3.1.1, 3.8.3-4)
  if ((options & (version === 5 ? RESERVED : RESERVED_3_1_1)) !== 0) {
    throw new MalformedPacket("reserved bits of a subscription are set");
  }
  // (MQTT 5, 3.8.3.1)
  if ((options & QOS) === QOS) {
    throw new MalformedPacket("the QoS of a subscription is 3");
  }
  if ((options & RETAIN_HANDLING) === RETAIN_HANDLING) {
    throw new MalformedPacket("the retain handling of a subscription is 3");
  }
}
