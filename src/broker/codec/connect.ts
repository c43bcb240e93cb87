/**
 * CONNECT, the first packet of a client (MQTT 5, 3.1; MQTT 3.1.1, 3.1).
 *
 * @module
 */
import type { BodyReader } from "./body_reader.ts";
import { MalformedPacket, protocolError } from "./malformed.ts";
import {
  type ConnectPacket,
  type ConnectProperties,
  PacketType,
  type QoS,
  type Version,
  type Will,
} from "./packets.ts";
import {
  NO_MESSAGE_PROPERTIES,
  NO_PROPERTIES,
  readMessageProperties,
  readProperties,
} from "./properties.ts";
import { WILL } from "./property_table.ts";
import { ReasonCode } from "./reason_codes.ts";

/** The protocol name of MQTT 3.1.1 and 5 (MQTT 5, 3.1.2-1). */
const NAME = "MQTT";
/** That of MQTT 3.1. */
const NAME_3_1 = "MQIsdp";
/** Set in the protocol level by bridges of Mosquitto, not in a specification. */
const BRIDGE_BIT = 0x80;

// The connect flags (MQTT 5, 3.1.2.3).
const RESERVED = 0b0000_0001;
const CLEAN = 0b0000_0010;
const WILL_FLAG = 0b0000_0100;
const WILL_QOS = 0b0001_1000;
const WILL_RETAIN = 0b0010_0000;
const PASSWORD = 0b0100_0000;
const USERNAME = 0b1000_0000;

/**
 * Decodes the body of a CONNECT.
 *
 * @throws {MalformedPacket} `connackVersion` says how to answer
 */
export function decodeConnect(reader: BodyReader): ConnectPacket {
  const name = reader.string();
  const level = reader.byte();
  const version = versionOf(name, level);
  try {
    return decodeRest(reader, version, (level & BRIDGE_BIT) !== 0);
  } catch (error) {
    throw version === 5 ? withConnack(error) : error;
  }
}

function versionOf(name: string, level: number): Version {
  if (name !== NAME && name !== NAME_3_1) {
    // No version of MQTT: close without an answer (MQTT 5, 3.1.2-1).
    throw unsupported("the protocol name is not MQTT");
  }
  const version = level & ~BRIDGE_BIT;
  if (name === NAME && (version === 4 || version === 5)) return version;
  // (MQTT 5, 3.1.2-2; MQTT 3.1.1, 3.1.2-2)
  throw unsupported(
    "the protocol version is neither 3.1.1 nor 5",
    name === NAME && version > 5 ? 5 : 4,
  );
}

function decodeRest(
  reader: BodyReader,
  version: Version,
  isBridge: boolean,
): ConnectPacket {
  const flags = reader.byte();
  checkFlags(flags, version);
  const keepAlive = reader.uint16();
  const properties = version === 5
    ? readConnectProperties(reader)
    : NO_PROPERTIES;
  // The order of the payload (MQTT 5, 3.1.3-1).
  const clientId = reader.name();
  const will = (flags & WILL_FLAG) === 0
    ? undefined
    : readWill(reader, flags, version);
  const username = (flags & USERNAME) === 0 ? undefined : reader.name();
  const password = (flags & PASSWORD) === 0 ? undefined : reader.binary();
  reader.expectEnd();
  return {
    type: PacketType.Connect,
    version,
    isBridge,
    clean: (flags & CLEAN) !== 0,
    keepAlive,
    clientId,
    will,
    username,
    password,
    properties,
  };
}

function checkFlags(flags: number, version: Version): void {
  // (MQTT 5, 3.1.2-3; MQTT 3.1.1, 3.1.2-3)
  if ((flags & RESERVED) !== 0) {
    throw new MalformedPacket("the reserved flag of CONNECT is set");
  }
  if ((flags & WILL_FLAG) === 0) {
    // (MQTT 5, 3.1.2-11, 3.1.2-13; MQTT 3.1.1, 3.1.2-11, 3.1.2-13, 3.1.2-15)
    if ((flags & (WILL_QOS | WILL_RETAIN)) !== 0) {
      throw new MalformedPacket("CONNECT has flags of a will, but no will");
    }
  } else if ((flags & WILL_QOS) === WILL_QOS) {
    // (MQTT 5, 3.1.2-12; MQTT 3.1.1, 3.1.2-14)
    throw new MalformedPacket("the QoS of a will is 3");
  }
  // (MQTT 3.1.1, 3.1.2-22); allowed in MQTT 5 (3.1.2.9)
  if (version === 4 && (flags & USERNAME) === 0 && (flags & PASSWORD) !== 0) {
    throw new MalformedPacket("CONNECT has a password, but no user name");
  }
}

function readConnectProperties(reader: BodyReader): ConnectProperties {
  const properties = readProperties(reader, PacketType.Connect);
  // (MQTT 5, 3.1.2.11.10)
  if (
    properties.authenticationData !== undefined &&
    properties.authenticationMethod === undefined
  ) {
    throw protocolError("CONNECT has authentication data, but no method");
  }
  return properties;
}

function readWill(reader: BodyReader, flags: number, version: Version): Will {
  const { willDelayInterval, messageExpiryInterval, forwarded } = version === 5
    ? readMessageProperties(reader, WILL)
    : NO_MESSAGE_PROPERTIES;
  const topic = reader.topicName();
  // (MQTT 5, 4.7.3-1)
  if (topic === "") throw new MalformedPacket("the topic of a will is empty");
  return {
    topic,
    payload: reader.binary(),
    qos: (flags & WILL_QOS) >> 3 as QoS,
    retain: (flags & WILL_RETAIN) !== 0,
    delayInterval: willDelayInterval,
    messageExpiryInterval,
    properties: new Uint8Array(forwarded),
  };
}

function unsupported(
  message: string,
  connackVersion?: Version,
): MalformedPacket {
  return new MalformedPacket(
    message,
    ReasonCode.UnsupportedProtocolVersion,
    { connackVersion },
  );
}

/** A client of MQTT 5 gets the reason (MQTT 5, 4.13.1). */
function withConnack(error: unknown): unknown {
  return error instanceof MalformedPacket
    ? new MalformedPacket(error.message, error.reasonCode, {
      connackVersion: 5,
    })
    : error;
}
