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
import { NO_PROPERTIES, readProperties } from "./properties.ts";
import { encodeProperties } from "./properties_encoder.ts";
import { ReasonCode } from "./reason_codes.ts";

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
  // Without them: normal disconnection, no properties (MQTT 5, 3.14.2.1,
  // 3.14.2.2.1).
  const hasReason = version === 5 && reader.left > 0;
  const reasonCode = hasReason ? reader.byte() : ReasonCode.Success;
  const properties = hasReason && reader.left > 0
    ? readProperties(reader, PacketType.Disconnect)
    : NO_PROPERTIES;
  reader.expectEnd();
  return { type: PacketType.Disconnect, reasonCode, properties };
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
