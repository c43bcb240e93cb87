/**
 * PUBACK, PUBREC, PUBREL and PUBCOMP, in both directions (MQTT 5, 3.4 to 3.7;
 * MQTT 3.1.1, 3.4 to 3.7).
 *
 * @module
 */
import type { ByteWriter } from "../../common/byte_writer.ts";
import type { BodyReader } from "./body_reader.ts";
import { writeFixedHeader } from "./frame.ts";
import { protocolError } from "./malformed.ts";
import {
  type AcknowledgementPacket,
  type AcknowledgementType,
  PacketType,
  type ReasonProperties,
  type Version,
} from "./packets.ts";
import { readReason } from "./properties.ts";
import { encodeProperties } from "./properties_encoder.ts";
import { ReasonCode } from "./reason_codes.ts";

/** A packet without reason code: header, length, packet identifier. */
const SHORT_BYTES = 4;
const SHORT_LENGTH = 2;

/** The reason codes of PUBACK and PUBREC (MQTT 5, 3.4.2.1, 3.5.2.1). */
const MESSAGE_CODES: readonly number[] = [
  ReasonCode.Success,
  ReasonCode.NoMatchingSubscribers,
  ReasonCode.UnspecifiedError,
  ReasonCode.ImplementationSpecificError,
  ReasonCode.NotAuthorized,
  ReasonCode.TopicNameInvalid,
  ReasonCode.PacketIdentifierInUse,
  ReasonCode.QuotaExceeded,
  ReasonCode.PayloadFormatInvalid,
];
/** The reason codes of PUBREL and PUBCOMP (MQTT 5, 3.6.2.1, 3.7.2.1). */
const RELEASE_CODES: readonly number[] = [
  ReasonCode.Success,
  ReasonCode.PacketIdentifierNotFound,
];

/**
 * Decodes the body.
 *
 * @throws {MalformedPacket}
 */
export function decodeAcknowledgement(
  reader: BodyReader,
  type: AcknowledgementType,
  version: Version,
): AcknowledgementPacket {
  const packetId = reader.packetId();
  const { reasonCode, properties } = readReason(reader, type, version);
  // (MQTT 5, 3.4.2-1, 3.5.2-1, 3.6.2-1, 3.7.2-1)
  if (!codesOf(type).includes(reasonCode)) {
    throw protocolError("an acknowledgement has an unknown reason code");
  }
  return { type, packetId, reasonCode, properties };
}

/**
 * Appends an acknowledgement: 4 bytes for success without properties.
 *
 * @param packetId 1 to 65,535
 * @param reasonCode a `ReasonCode`; MQTT 3.1.1 sends none
 * @param properties MQTT 5 only
 */
export function appendAcknowledgement(
  out: ByteWriter,
  version: Version,
  type: AcknowledgementType,
  packetId: number,
  reasonCode: number = ReasonCode.Success,
  properties?: ReasonProperties,
): void {
  if (version === 4 || (reasonCode === ReasonCode.Success && !properties)) {
    out.reserve(SHORT_BYTES);
    out.view.setUint32(out.at, firstBytes(type) | packetId);
    out.at += SHORT_BYTES;
    return;
  }
  const encoded = properties ? encodeProperties(properties) : undefined;
  const length = SHORT_LENGTH + 1 + (encoded?.length ?? 0);
  writeFixedHeader(out, headerOf(type), length);
  out.view.setUint16(out.at, packetId);
  out.at += 2;
  out.bytes[out.at++] = reasonCode;
  if (encoded) out.raw(encoded);
}

/**
 * Appends acknowledgements of success, 4 bytes each.
 *
 * @param packetIds 1 to 65,535 each
 * @param count how many of them, from the first. Default all
 */
export function appendAcknowledgements(
  out: ByteWriter,
  type: AcknowledgementType,
  packetIds: ArrayLike<number>,
  count: number = packetIds.length,
): void {
  out.reserve(SHORT_BYTES * count);
  const { view } = out;
  const first = firstBytes(type);
  let { at } = out;
  for (let i = 0; i < count; i++) {
    view.setUint32(at, first | packetIds[i]!);
    at += SHORT_BYTES;
  }
  out.at = at;
}

function codesOf(type: AcknowledgementType): readonly number[] {
  return type === PacketType.Puback || type === PacketType.Pubrec
    ? MESSAGE_CODES
    : RELEASE_CODES;
}

/** Type and flags; those of PUBREL are 0b0010 (MQTT 5, 3.6.1-1). */
function headerOf(type: AcknowledgementType): number {
  return type << 4 | (type === PacketType.Pubrel ? 0b0010 : 0);
}

/** The first four bytes of a short packet, packet identifier 0. */
function firstBytes(type: AcknowledgementType): number {
  return headerOf(type) << 24 | SHORT_LENGTH << 16;
}
