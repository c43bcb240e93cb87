/**
 * UNSUBSCRIBE (MQTT 5, 3.10; MQTT 3.1.1, 3.10).
 *
 * @module
 */
import type { BodyReader } from "./body_reader.ts";
import { PacketType, type UnsubscribePacket, type Version } from "./packets.ts";
import { NO_PROPERTIES, readProperties } from "./properties.ts";
import { readFilter } from "./subscribe.ts";

/**
 * Decodes the body.
 *
 * @throws {MalformedPacket}
 */
export function decodeUnsubscribe(
  reader: BodyReader,
  version: Version,
): UnsubscribePacket {
  const packetId = reader.packetId();
  const properties = version === 5
    ? readProperties(reader, PacketType.Unsubscribe)
    : NO_PROPERTIES;
  const filters: string[] = [];
  // At least one (MQTT 5, 3.10.3-2; MQTT 3.1.1, 3.10.3-2).
  do {
    filters.push(readFilter(reader));
  } while (reader.left > 0);
  return { type: PacketType.Unsubscribe, packetId, properties, filters };
}
