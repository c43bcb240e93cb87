/**
 * Decodes packets as a connection does, for the tests of the codec.
 *
 * @module
 */
import assert from "node:assert/strict";
import { MalformedPacket } from "../../../src/broker/codec/malformed.ts";
import { PacketDecoder } from "../../../src/broker/codec/packet_decoder.ts";
import type {
  ClientPacket,
  PacketType,
  Version,
} from "../../../src/broker/codec/packets.ts";
import { connectFrame } from "../../support/packet_bytes.ts";

/** The largest packet of the tests, unless one says otherwise. */
export const MAX_PACKET_BYTES = 1 << 20;
export const VERSIONS: readonly Version[] = [4, 5];

/** Returns the decoder of a connection after its CONNECT. */
export function connected(
  version: Version,
  maxPacketBytes = MAX_PACKET_BYTES,
): PacketDecoder {
  const decoder = new PacketDecoder(maxPacketBytes);
  const bytes = connectFrame(version);
  assert.ok(decoder.next(bytes, 0, bytes.length));
  return decoder;
}

/** Decodes all packets of an input; it must end with a whole one. */
export function decodeAll(
  decoder: PacketDecoder,
  bytes: Uint8Array,
): ClientPacket[] {
  const packets: ClientPacket[] = [];
  for (let at = 0; at < bytes.length; at = decoder.end) {
    const packet = decoder.next(bytes, at, bytes.length);
    assert.ok(packet, "incomplete");
    packets.push(packet);
  }
  return packets;
}

/** Decodes one packet after a CONNECT. It must be of a type. */
export function decode<T extends PacketType>(
  version: Version,
  type: T,
  bytes: Uint8Array,
): Extract<ClientPacket, { type: T }> {
  const packets = decodeAll(connected(version), bytes);
  assert.equal(packets.length, 1);
  assert.equal(packets[0]!.type, type);
  return packets[0] as Extract<ClientPacket, { type: T }>;
}

/** Returns the error of an input that must not decode. */
export function failure(
  decoder: PacketDecoder,
  bytes: Uint8Array,
): MalformedPacket {
  try {
    decodeAll(decoder, bytes);
  } catch (error) {
    if (error instanceof MalformedPacket) return error;
    throw error;
  }
  assert.fail("the packet was decoded");
}

/** Checks that a packet after a CONNECT is refused with a reason code. */
export function refuses(
  version: Version,
  bytes: Uint8Array,
  reasonCode: number,
  message = "",
): void {
  const error = failure(connected(version), bytes);
  assert.equal(error.reasonCode, reasonCode, `${message}: ${error.message}`);
  assert.equal(error.connackVersion, undefined);
}
