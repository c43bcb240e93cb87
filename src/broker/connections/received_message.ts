/**
 * Makes a message of the broker of a PUBLISH that a client sent.
 *
 * @module
 */
import type { PublishPacket } from "../codec/packets.ts";
import type { Message } from "../message.ts";
import type { Input } from "./read_buffers.ts";

/** What a PUBLISH does not say of its message. */
export interface MessageOrigin {
  /** Its topic, also if the packet has only an alias. */
  readonly topic: string;
  /** The client id of the publisher. */
  readonly publisher: string;
  /** The present time, ms since 1970. */
  readonly now: number;
}

/**
 * Returns the message of a PUBLISH, with bytes of its own.
 *
 * @param packet contains views of the input
 * @param input where the packet was read
 */
export function messageOfPacket(
  packet: PublishPacket,
  input: Input,
  { topic, publisher, now }: MessageOrigin,
): Message {
  const { properties, messageExpiryInterval: seconds } = packet;
  return {
    topic,
    payload: input.keep(packet.payload),
    qos: packet.qos,
    retain: packet.retain,
    properties: properties.length === 0 ? undefined : properties.slice(),
    expiresAt: seconds === undefined ? undefined : expiryTime(seconds, now),
    publisher,
    holders: 0,
  };
}

/**
 * Returns when a message expires (MQTT 5, 3.3.2.3.3), ms since 1970.
 *
 * @param seconds its Message Expiry Interval
 * @param now when it arrived, ms since 1970
 */
export function expiryTime(seconds: number, now: number): number {
  return now + seconds * 1000;
}
