/**
 * Fixed headers (MQTT 5, 2.1): finds those in a growing input, without the
 * bodies, and writes them.
 *
 * @module
 */
import type { ByteWriter } from "../../common/byte_writer.ts";
import { MalformedPacket, protocolError } from "./malformed.ts";
import { PacketType, type Version } from "./packets.ts";
import { ReasonCode } from "./reason_codes.ts";
import { MAX_VARINT_BYTES, writeVarint } from "./varint.ts";

/**
 * The largest packet of a type other than PUBLISH, and the longest properties
 * of a PUBLISH, in bytes: only a payload may be as large as the broker allows.
 * A CONNECT with the longest fields fits.
 */
export const MAX_CONTROL_PACKET_BYTES: number = 512 * 1024;

/** The position of a packet in the input; reused for all packets. */
export class Frame {
  /** The first byte: type and flags. */
  header = 0;
  /** The offset of the body. */
  bodyStart = 0;
  /**
   * The offset after the packet, which may be beyond the input; 0 if the
   * remaining length has not arrived.
   */
  end = 0;
}

/**
 * Finds the packet that begins at an offset. Allocates nothing.
 *
 * @param bytes the input
 * @param from the offset of the first byte of the packet
 * @param to the offset after the last byte that has arrived
 * @param version that of the connection; undefined: a CONNECT must come
 * @param maxPacketBytes the largest packet, fixed header included; for types
 * other than PUBLISH also {@linkcode MAX_CONTROL_PACKET_BYTES}
 * @param frame receives the position
 * @returns true if the whole packet has arrived
 * @throws {MalformedPacket} as soon as the fixed header allows it
 */
export function findFrame(
  bytes: Uint8Array,
  from: number,
  to: number,
  version: Version | undefined,
  maxPacketBytes: number,
  frame: Frame,
): boolean {
  frame.end = 0;
  if (from >= to) return false;
  const header = bytes[from]!;
  if (HEADERS[version ?? 0][header] !== 0) throw badHeader(version, header);
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const at = from + 1 + i;
    if (at >= to) return false;
    const next = bytes[at]!;
    length |= (next & 0x7f) << 7 * i;
    if (next >= 0x80) continue;
    if (next === 0 && i > 0 && version === 5) {
      // The shortest form is required (MQTT 5, 1.5.5-1).
      throw new MalformedPacket("the remaining length is not minimal");
    }
    frame.header = header;
    frame.bodyStart = at + 1;
    frame.end = at + 1 + length;
    // (MQTT 5, 3.2.2-15)
    if (frame.end - from > limitOf(header, maxPacketBytes)) {
      throw new MalformedPacket(
        "the packet is larger than the limit",
        ReasonCode.PacketTooLarge,
      );
    }
    return frame.end <= to;
  }
  // (MQTT 5, 1.5.5; MQTT 3.1.1, 2.2.3)
  throw new MalformedPacket("the remaining length is longer than four bytes");
}

function limitOf(header: number, maxPacketBytes: number): number {
  return header >> 4 === PacketType.Publish
    ? maxPacketBytes
    : Math.min(maxPacketBytes, MAX_CONTROL_PACKET_BYTES);
}

/**
 * Appends a fixed header, and reserves space for the body.
 *
 * @param header the first byte: type and flags
 * @param length of the body, in bytes
 */
export function writeFixedHeader(
  out: ByteWriter,
  header: number,
  length: number,
): void {
  out.reserve(1 + MAX_VARINT_BYTES + length);
  out.bytes[out.at++] = header;
  writeVarint(out, length);
}

/** The only flags of PUBREL, SUBSCRIBE and UNSUBSCRIBE (MQTT 5, 2.1.3). */
const REQUEST_FLAGS = 0b0010;
const MAX_QOS = 2;

/**
 * For each first byte 0 if it is allowed, else a `ReasonCode`: before CONNECT
 * (0), in MQTT 3.1.1 (4) and in MQTT 5 (5).
 */
const HEADERS: Readonly<Record<0 | Version, Uint8Array>> = {
  0: headerTable((header) => codeBeforeConnect(header)),
  4: headerTable((header) => codeOf(header, 4)),
  5: headerTable((header) => codeOf(header, 5)),
};

function headerTable(code: (header: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, header) => code(header));
}

function codeBeforeConnect(header: number): number {
  // The first packet must be a CONNECT (MQTT 5, 3.1.0-1).
  if (header >> 4 !== PacketType.Connect) return ReasonCode.ProtocolError;
  return (header & 0xf) === 0 ? 0 : ReasonCode.MalformedPacket;
}

function codeOf(header: number, version: Version): number {
  const flags = header & 0xf;
  switch (header >> 4) {
    case PacketType.Publish:
      return codeOfPublish(flags);
    case PacketType.Puback:
    case PacketType.Pubrec:
    case PacketType.Pubcomp:
    case PacketType.Pingreq:
    case PacketType.Disconnect:
      // (MQTT 5, 2.1.3-1; MQTT 3.1.1, 2.2.2-2)
      return flags === 0 ? 0 : ReasonCode.MalformedPacket;
    case PacketType.Pubrel:
    case PacketType.Subscribe:
    case PacketType.Unsubscribe:
      // (MQTT 5, 3.6.1-1, 3.8.1-1, 3.10.1-1)
      return flags === REQUEST_FLAGS ? 0 : ReasonCode.MalformedPacket;
    case PacketType.Suback:
    case PacketType.Unsuback:
      return flags === 0
        ? ReasonCode.ProtocolError
        : ReasonCode.MalformedPacket;
    case PacketType.Auth:
      // No method is supported, so an AUTH is out of order with any flags.
      return version === 5 && flags === 0 ? 0 : ReasonCode.ProtocolError;
    default:
      // Type 0 is forbidden (MQTT 5, 2.1.2); a second CONNECT is an error (MQTT
      // 5, 3.1.0-2); the others are sent by servers.
      return ReasonCode.ProtocolError;
  }
}

function codeOfPublish(flags: number): number {
  const qos = flags >> 1 & 3;
  const isDup = (flags & 0b1000) !== 0;
  // (MQTT 5, 3.3.1-4, 3.3.1-2)
  return qos > MAX_QOS || (isDup && qos === 0) ? ReasonCode.MalformedPacket : 0;
}

function badHeader(
  version: Version | undefined,
  header: number,
): MalformedPacket {
  if (version === undefined) {
    return header >> 4 === PacketType.Connect
      ? new MalformedPacket("the flags of CONNECT are not 0")
      : protocolError("the first packet is not a CONNECT");
  }
  return HEADERS[version][header] === ReasonCode.MalformedPacket
    ? new MalformedPacket("the flags of a packet are not valid")
    : protocolError("a client does not send this packet here");
}
