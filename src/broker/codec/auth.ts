/**
 * AUTH of MQTT 5 (3.15), from a client.
 *
 * @module
 */
import type { BodyReader } from "./body_reader.ts";
import { protocolError } from "./malformed.ts";
import { type AuthPacket, PacketType } from "./packets.ts";
import { readReason } from "./properties.ts";
import { ReasonCode } from "./reason_codes.ts";

/** The reason codes that a client may send (MQTT 5, 3.15.2.1). */
const CODES: readonly number[] = [
  ReasonCode.ContinueAuthentication,
  ReasonCode.ReAuthenticate,
];

/**
 * Decodes the body.
 *
 * @throws {MalformedPacket}
 */
export function decodeAuth(reader: BodyReader): AuthPacket {
  const { reasonCode, properties } = readReason(reader, PacketType.Auth, 5);
  // (MQTT 5, 3.15.2-1, 3.15.2.2.2)
  if (
    !CODES.includes(reasonCode) ||
    properties.authenticationMethod === undefined
  ) {
    throw protocolError("AUTH has no method, or a reason code of a server");
  }
  return { type: PacketType.Auth, reasonCode, properties };
}
