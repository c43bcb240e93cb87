/**
 * SUBACK and UNSUBACK, the answers to SUBSCRIBE and UNSUBSCRIBE (MQTT 5, 3.9,
 * 3.11; MQTT 3.1.1, 3.9, 3.11).
 *
 * @module
 */
import type { ByteWriter } from "../../common/byte_writer.ts";
import { writeFixedHeader } from "./frame.ts";
import { PacketType, type SubackPacket, type Version } from "./packets.ts";
import { encodeProperties } from "./properties_encoder.ts";
import { ReasonCode, SUBACK_FAILURE } from "./reason_codes.ts";
import { varintBytes } from "./varint.ts";

/**
 * Returns the size of a SUBACK or UNSUBACK of MQTT 5 without properties.
 *
 * @param codes how many reason codes it has
 * @returns bytes
 */
export function subackBytes(codes: number): number {
  const length = 2 + 1 + codes;
  return 1 + varintBytes(length) + length;
}

/**
 * Appends a SUBACK or UNSUBACK.
 *
 * With MQTT 3.1.1 each failure of a SUBACK becomes 0x80 (3.9.3-2), and an
 * UNSUBACK has no codes (3.11).
 */
export function appendSuback(
  out: ByteWriter,
  version: Version,
  { type, packetId, reasonCodes, properties }: SubackPacket,
): void {
  const encoded = version === 5 ? encodeProperties(properties) : undefined;
  const hasCodes = version === 5 || type === PacketType.Suback;
  const length = 2 + (encoded?.length ?? 0) +
    (hasCodes ? reasonCodes.length : 0);
  writeFixedHeader(out, type << 4, length);
  out.view.setUint16(out.at, packetId);
  out.at += 2;
  if (encoded) out.raw(encoded);
  if (!hasCodes) return;
  for (const code of reasonCodes) {
    out.bytes[out.at++] = version === 4 && code >= ReasonCode.UnspecifiedError
      ? SUBACK_FAILURE
      : code;
  }
}
