/**
 * Decodes the properties that clients send (MQTT 5, 2.2.2).
 *
 * @module
 */
import { joinBytes } from "../../common/bytes.ts";
import { BodyReader } from "./body_reader.ts";
import { MAX_CONTROL_PACKET_BYTES } from "./frame.ts";
import { MalformedPacket, protocolError } from "./malformed.ts";
import {
  type ForwardedProperties,
  PacketType,
  type Properties,
  type UserProperty,
  type Version,
} from "./packets.ts";
import {
  allowedProperties,
  propertyOf,
  type PropertyOwner,
  type PropertySpec,
  ValueType,
  WILL,
} from "./property_table.ts";
import { ReasonCode } from "./reason_codes.ts";
import { hasWildcard } from "./topic_names.ts";

/** No properties. */
export const NO_PROPERTIES: Properties = Object.freeze({});
/** No bytes. */
export const NO_BYTES: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/**
 * Reads the length of the properties and the properties.
 *
 * @param owner the packet, for which each must be allowed
 * @throws {MalformedPacket}
 */
export function readProperties(
  reader: BodyReader,
  owner: PropertyOwner,
): Properties {
  const length = reader.varint();
  if (length === 0) return NO_PROPERTIES;
  const bodyEnd = limitTo(reader, length);
  const properties = readAll(reader, owner);
  reader.end = bodyEnd;
  return properties;
}

/** Why a packet was sent. */
export interface Reason {
  readonly reasonCode: number;
  readonly properties: Properties;
}

/**
 * Reads the end of a packet: its reason code and its properties. Without them:
 * success, no properties (MQTT 5, 3.4.2.1, 3.4.2.2.1, 3.14.2.1, 3.15.2.1).
 *
 * @param owner the packet
 * @throws {MalformedPacket}
 */
export function readReason(
  reader: BodyReader,
  owner: PropertyOwner,
  version: Version,
): Reason {
  const hasReason = version === 5 && reader.left > 0;
  const reasonCode = hasReason ? reader.byte() : ReasonCode.Success;
  const properties = hasReason && reader.left > 0
    ? readProperties(reader, owner)
    : NO_PROPERTIES;
  reader.expectEnd();
  return { reasonCode, properties };
}

/**
 * Decodes the forwarded properties of a message for a receiver inside of the
 * broker.
 *
 * @param encoded `properties` of a `PublishPacket` or a `Will`
 */
export function decodeForwardedProperties(
  encoded: Uint8Array,
): ForwardedProperties {
  if (encoded.length === 0) return NO_PROPERTIES;
  const reader = new BodyReader();
  reader.reset(encoded, 0, encoded.length);
  return readAll(reader, PacketType.Publish);
}

/** The properties of a message, those to forward still encoded. */
export interface MessageProperties {
  /** 0 for none. */
  readonly topicAlias: number;
  /** In s, or undefined. */
  readonly messageExpiryInterval: number | undefined;
  /** In s. */
  readonly willDelayInterval: number;
  /**
   * All other properties, encoded, unchanged and in order (MQTT 5, 3.3.2-17,
   * 3.3.2-18), without their length. A view of the input if they are together
   * there.
   */
  readonly forwarded: Uint8Array;
}

/** Those of a message without any, as always with MQTT 3.1.1. */
export const NO_MESSAGE_PROPERTIES: MessageProperties = {
  topicAlias: 0,
  messageExpiryInterval: undefined,
  willDelayInterval: 0,
  forwarded: NO_BYTES,
};

/**
 * Reads the length of the properties of a PUBLISH or a will, and checks them.
 *
 * @throws {MalformedPacket}
 */
export function readMessageProperties(
  reader: BodyReader,
  owner: typeof PacketType.Publish | typeof WILL,
): MessageProperties {
  const length = reader.varint();
  if (length === 0) return NO_MESSAGE_PROPERTIES;
  const bodyEnd = limitTo(reader, length);
  if (length > MAX_CONTROL_PACKET_BYTES) {
    throw new MalformedPacket(
      "the properties are larger than the limit",
      ReasonCode.PacketTooLarge,
    );
  }
  let topicAlias = 0;
  let messageExpiryInterval: number | undefined;
  let willDelayInterval = 0;
  const kept: Uint8Array[] = [];
  let keptFrom = reader.at;
  let seen = 0;
  while (reader.left > 0) {
    const start = reader.at;
    const spec = readIdentifier(reader);
    let value = 0;
    switch (spec.key) {
      case "topicAlias":
        value = topicAlias = reader.uint16();
        break;
      case "messageExpiryInterval":
        value = messageExpiryInterval = reader.uint32();
        break;
      case "willDelayInterval":
        value = willDelayInterval = reader.uint32();
        break;
      default:
        skipValue(reader, spec);
        seen = addTo(seen, spec);
        continue;
    }
    seen = addTo(seen, spec);
    checkMinimum(spec, value);
    if (start > keptFrom) kept.push(reader.bytes.subarray(keptFrom, start));
    keptFrom = reader.at;
  }
  checkAllowed(seen, owner);
  if (reader.end > keptFrom) {
    kept.push(reader.bytes.subarray(keptFrom, reader.end));
  }
  reader.end = bodyEnd;
  return {
    topicAlias,
    messageExpiryInterval,
    willDelayInterval,
    forwarded: kept.length === 1
      ? kept[0]!
      : kept.length === 0
      ? NO_BYTES
      : joinBytes(kept),
  };
}

/** Limits a reader to the next bytes. Returns its former end. */
function limitTo(reader: BodyReader, length: number): number {
  const bodyEnd = reader.end;
  if (length > reader.left) {
    throw new MalformedPacket("the properties are longer than the packet");
  }
  reader.end = reader.at + length;
  return bodyEnd;
}

function readAll(reader: BodyReader, owner: PropertyOwner): Properties {
  const properties: Record<string, unknown> = {};
  const userProperties: UserProperty[] = [];
  let seen = 0;
  while (reader.left > 0) {
    const spec = readIdentifier(reader);
    if (spec.type === ValueType.Pair) {
      reader.countItem();
      userProperties.push([reader.string(), reader.string()]);
      properties[spec.key] = userProperties;
      seen = addTo(seen, spec);
      continue;
    }
    const value = readValue(reader, spec);
    seen = addTo(seen, spec);
    if (typeof value === "number") checkMinimum(spec, value);
    properties[spec.key] = spec.type === ValueType.Varint ? [value] : value;
  }
  checkAllowed(seen, owner);
  return properties;
}

function readIdentifier(reader: BodyReader): PropertySpec {
  const spec = propertyOf(reader.varint());
  if (spec === undefined) {
    throw new MalformedPacket("a property has an unknown identifier");
  }
  return spec;
}

/** Adds a property to those seen, of which there is a bit for each. */
function addTo(seen: number, spec: PropertySpec): number {
  const bit = 1 << spec.index;
  if ((seen & bit) !== 0 && !spec.isRepeatable) {
    // (MQTT 5, 2.2.2.2 and the section of each property)
    throw protocolError("a property occurs twice");
  }
  return seen | bit;
}

/**
 * Checks that all properties are allowed.
 *
 * A property in a packet that does not have it is malformed (MQTT 5, 2.2.2.2),
 * and data that the protocol does not allow, a protocol error (MQTT 5, 1.2).
 * Each packet has the code that Mosquitto sends.
 */
function checkAllowed(seen: number, owner: PropertyOwner): void {
  if ((seen & ~allowedProperties(owner)) === 0) return;
  const isMalformed = owner === WILL || owner === PacketType.Connect ||
    owner === PacketType.Subscribe || owner === PacketType.Unsubscribe;
  throw new MalformedPacket(
    "a property is not allowed in this packet",
    isMalformed ? ReasonCode.MalformedPacket : ReasonCode.ProtocolError,
  );
}

function checkMinimum({ key, min }: PropertySpec, value: number): void {
  if (value >= min) return;
  // (MQTT 5, 3.3.2-8); others: (MQTT 5, 3.1.2.11.3, 3.1.2.11.4, 3.8.2.1.2)
  throw key === "topicAlias"
    ? new MalformedPacket("a topic alias is 0", ReasonCode.TopicAliasInvalid)
    : protocolError("the value of a property is 0");
}

function readValue(
  reader: BodyReader,
  { type }: PropertySpec,
): number | string | Uint8Array {
  switch (type) {
    case ValueType.Flag:
      return readFlag(reader);
    case ValueType.Uint16:
      return reader.uint16();
    case ValueType.Uint32:
      return reader.uint32();
    case ValueType.Varint:
      return reader.varint();
    case ValueType.Binary:
      return reader.binary();
    case ValueType.Topic:
      return reader.textBefore(skipTopic(reader));
    default:
      return reader.string();
  }
}

/** As {@linkcode readValue}, without a result. */
function skipValue(reader: BodyReader, { type }: PropertySpec): void {
  switch (type) {
    case ValueType.Flag:
      readFlag(reader);
      return;
    case ValueType.Uint16:
      reader.skip(2);
      return;
    case ValueType.Uint32:
      reader.skip(4);
      return;
    case ValueType.Varint:
      reader.varint();
      return;
    case ValueType.Binary:
      reader.skip(reader.uint16());
      return;
    case ValueType.Topic:
      skipTopic(reader);
      return;
    case ValueType.Pair:
      reader.countItem();
      reader.skipString();
      reader.skipString();
      return;
    case ValueType.String:
      reader.skipString();
  }
}

function readFlag(reader: BodyReader): 0 | 1 {
  const value = reader.byte();
  if (value === 0 || value === 1) return value;
  // (MQTT 5, 3.1.2.11.6, 3.1.2.11.7; for the Payload Format Indicator as well)
  throw protocolError("the value of a property is neither 0 nor 1");
}

/** Skips a response topic. Returns its length in bytes. */
function skipTopic(reader: BodyReader): number {
  const length = reader.skipName();
  // (MQTT 5, 3.3.2-14, 4.7.3-1)
  if (
    length === 0 || hasWildcard(reader.bytes, reader.at - length, reader.at)
  ) {
    throw protocolError("a response topic is empty or contains a wildcard");
  }
  return length;
}
