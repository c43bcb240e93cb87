/**
 * CONNACK, the answer to CONNECT (MQTT 5, 3.2; MQTT 3.1.1, 3.2).
 *
 * @module
 */
import type { ByteWriter } from "../../common/byte_writer.ts";
import { writeFixedHeader } from "./frame.ts";
import { type ConnackPacket, PacketType, type Version } from "./packets.ts";
import { encodeProperties } from "./properties_encoder.ts";

/**
 * Appends a CONNACK.
 *
 * @param version that of the CONNECT, or `connackVersion` of a
 * `MalformedPacket`
 */
export function appendConnack(
  out: ByteWriter,
  version: Version,
  { sessionPresent, reasonCode, properties }: Omit<ConnackPacket, "type">,
): void {
  const encoded = version === 5 ? encodeProperties(properties) : undefined;
  const length = 2 + (encoded?.length ?? 0);
  writeFixedHeader(out, PacketType.Connack << 4, length);
  // Only together with success (MQTT 5, 3.2.2-6; MQTT 3.1.1, 3.2.2-4).
  out.bytes[out.at++] = sessionPresent && reasonCode === 0 ? 1 : 0;
  out.bytes[out.at++] = reasonCode;
  if (encoded) out.raw(encoded);
}
