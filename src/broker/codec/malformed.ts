/**
 * The error of a packet that a client must not send: the connection ends.
 *
 * @module
 */
import type { Version } from "./packets.ts";
import { ReasonCode } from "./reason_codes.ts";

/** Options of {@linkcode MalformedPacket}. */
export interface MalformedPacketOptions {
  /**
   * The version of the CONNACK that answers a CONNECT; undefined: the
   * connection ends without one.
   */
  readonly connackVersion?: Version | undefined;
}

/** A malformed packet or a protocol error (MQTT 5, 4.13.1). */
export class MalformedPacket extends Error {
  /** `MalformedPacket` */
  override readonly name = "MalformedPacket";
  /** The `ReasonCode` for the CONNACK or DISCONNECT of MQTT 5, 0x80 or more. */
  readonly reasonCode: number;
  /**
   * The version of the CONNACK to send before the connection ends: 4 with
   * return code 1 (unacceptable protocol version), or 5 with `reasonCode`.
   * Undefined: send none. Set only for CONNECT.
   */
  readonly connackVersion: Version | undefined;

  /**
   * @param message what is wrong, for the log: constant text, nothing received
   * @param reasonCode a `ReasonCode` of 0x80 or more. Default 0x81
   * @param options how to answer a CONNECT
   */
  constructor(
    message: string,
    reasonCode: number = ReasonCode.MalformedPacket,
    { connackVersion }: MalformedPacketOptions = {},
  ) {
    super(message);
    this.reasonCode = reasonCode;
    this.connackVersion = connackVersion;
  }
}

/** Makes the error of a well-formed packet that breaks a rule (0x82). */
export function protocolError(message: string): MalformedPacket {
  return new MalformedPacket(message, ReasonCode.ProtocolError);
}
