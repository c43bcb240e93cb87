/**
 * DISCONNECT, in both directions (MQTT 5, 3.14; MQTT 3.1.1, 3.14).
 *
 * @module
 */
import type { ByteWriter } from "../../common/byte_writer.ts";
import type { BodyReader } from "./body_reader.ts";
import { writeFixedHeader } from "./frame.ts";
import {
  type DisconnectPacket,
  type DisconnectProperties,
  PacketType,
  type Version,
} from "./packets.ts";
import { readReason } from "./properties.ts";
import { encodeProperties } from "./properties_encoder.ts";

/**
 * Decodes the body. The reason code may be unknown: the connection ends anyway,
 * with the will, as for any other code but 0 (MQTT 5, 3.14.4-3).
 *
 * @throws {MalformedPacket}
 */
export function decodeDisconnect(
  reader: BodyReader,
  version: Version,
): DisconnectPacket {
  const type = PacketType.Disconnect;
  return { type, ...readReason(reader, type, version) };
}

/**
 * Appends a DISCONNECT of MQTT 5: a server of MQTT 3.1.1 sends none.
 *
 * @param reasonCode a `ReasonCode`
 */
export function appendDisconnect(
  out: ByteWriter,
  reasonCode: number,
  properties?: DisconnectProperties,
): void {
  const encoded = properties ? encodeProperties(properties) : undefined;
  const length = 1 + (encoded?.length ?? 0);
  writeFixedHeader(out, PacketType.Disconnect << 4, length);
  out.bytes[out.at++] = reasonCode;
  if (encoded) out.raw(encoded);
}
