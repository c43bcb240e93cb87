/**
 * Decodes the packets of one client.
 *
 * @module
 */
import { decodeAcknowledgement } from "./acknowledgement.ts";
import { decodeAuth } from "./auth.ts";
import { BodyReader } from "./body_reader.ts";
import { decodeConnect } from "./connect.ts";
import { decodeDisconnect } from "./disconnect.ts";
import { findFrame, Frame } from "./frame.ts";
import { MalformedPacket } from "./malformed.ts";
import {
  type ClientPacket,
  type ConnectPacket,
  PacketType,
  type Version,
} from "./packets.ts";
import { decodePingreq } from "./ping.ts";
import { NO_BYTES } from "./properties.ts";
import { decodePublish } from "./publish.ts";
import { PublishPattern, type PublishRun } from "./publish_run.ts";
import { ReasonCode } from "./reason_codes.ts";
import { decodeSubscribe } from "./subscribe.ts";
import { decodeUnsubscribe } from "./unsubscribe.ts";
import { varintBytes } from "./varint.ts";

/**
 * The decoder of one connection. The caller keeps the input: a packet that is
 * incomplete stays there until the rest arrives.
 *
 * After a {@linkcode MalformedPacket} the connection must end.
 */
export class PacketDecoder {
  readonly #frame = new Frame();
  readonly #reader = new BodyReader();
  readonly #pattern = new PublishPattern();
  #version: Version | undefined;

  /**
   * The largest packet, fixed header included, in bytes. Those of types other
   * than PUBLISH have the limit `MAX_CONTROL_PACKET_BYTES` too.
   */
  maxPacketBytes: number;

  /** The offset after the last packet, or after the last run. */
  end = 0;

  /** @param maxPacketBytes as the property */
  constructor(maxPacketBytes: number) {
    this.maxPacketBytes = maxPacketBytes;
  }

  /** The version of the CONNECT; undefined before it. */
  get version(): Version | undefined {
    return this.#version;
  }

  /**
   * After {@linkcode next} returned undefined: the offset after the incomplete
   * packet; 0 if its length has not arrived.
   */
  get incompleteEnd(): number {
    return this.#frame.end;
  }

  /**
   * Decodes the packet that begins at an offset, and sets {@linkcode end}.
   *
   * @param bytes the input
   * @param from the offset of the first byte of the packet
   * @param to the offset after the last byte that has arrived
   * @returns undefined if the packet is incomplete
   * @throws {MalformedPacket} often before the whole packet has arrived
   */
  next(bytes: Uint8Array, from: number, to: number): ClientPacket | undefined {
    const frame = this.#frame;
    const { maxPacketBytes } = this;
    if (!findFrame(bytes, from, to, this.#version, maxPacketBytes, frame)) {
      return undefined;
    }
    this.#reader.reset(bytes, frame.bodyStart, frame.end);
    this.end = frame.end;
    const packet = this.#version === undefined
      ? this.#connect(from)
      : this.#decode(this.#version);
    // An idle connection does not keep the input.
    this.#reader.reset(NO_BYTES, 0, 0);
    return packet;
  }

  /**
   * Finds the PUBLISH packets that follow the last packet, if that was a
   * PUBLISH, and differ from it only in packet identifier and payload; sets
   * {@linkcode end}. See `PublishPattern.read`.
   *
   * @param run receives the packets
   * @returns the number of packets; 0: call {@linkcode next}
   */
  nextRun(
    run: PublishRun,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): number {
    const { maxPacketBytes } = this;
    const count = this.#pattern.read(run, bytes, from, to, maxPacketBytes);
    if (count > 0) this.end = run.end;
    return count;
  }

  #connect(from: number): ConnectPacket {
    const packet = decodeConnect(this.#reader);
    checkLength(packet.version, this.#frame, from);
    this.#version = packet.version;
    return packet;
  }

  #decode(version: Version): ClientPacket {
    const { header } = this.#frame;
    const reader = this.#reader;
    const type = header >> 4;
    switch (type) {
      case PacketType.Publish:
        return decodePublish(reader, header & 0xf, version, this.#pattern);
      case PacketType.Puback:
      case PacketType.Pubrec:
      case PacketType.Pubrel:
      case PacketType.Pubcomp:
        return decodeAcknowledgement(reader, type, version);
      case PacketType.Subscribe:
        return decodeSubscribe(reader, version);
      case PacketType.Unsubscribe:
        return decodeUnsubscribe(reader, version);
      case PacketType.Pingreq:
        return decodePingreq(reader);
      case PacketType.Disconnect:
        return decodeDisconnect(reader, version);
      default:
        // `findFrame` lets no other type pass.
        return decodeAuth(reader);
    }
  }
}

/** Checks the remaining length of a CONNECT of MQTT 5 (1.5.5-1). */
function checkLength(version: Version, frame: Frame, from: number): void {
  const { bodyStart, end } = frame;
  if (version === 4) return;
  if (bodyStart - from !== 1 + varintBytes(end - bodyStart)) {
    throw new MalformedPacket(
      "the remaining length is not minimal",
      ReasonCode.MalformedPacket,
      { connackVersion: version },
    );
  }
}
