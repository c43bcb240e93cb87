/**
 * PINGREQ and its answer PINGRESP (MQTT 5, 3.12, 3.13).
 *
 * @module
 */
import type { ByteWriter } from "../../common/byte_writer.ts";
import type { BodyReader } from "./body_reader.ts";
import { PacketType, type PingreqPacket } from "./packets.ts";

const PINGREQ: PingreqPacket = { type: PacketType.Pingreq };

/**
 * Decodes the body, which must be empty.
 *
 * @throws {MalformedPacket}
 */
export function decodePingreq(reader: BodyReader): PingreqPacket {
  reader.expectEnd();
  return PINGREQ;
}

/** Appends a PINGRESP. */
export function appendPingresp(out: ByteWriter): void {
  out.reserve(2);
  out.bytes[out.at++] = PacketType.Pingresp << 4;
  out.bytes[out.at++] = 0;
}
