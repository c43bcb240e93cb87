/**
 * An application message on its way through the broker.
 *
 * @module
 */
import type { QoS } from "../mqtt/link.ts";

/**
 * An application message, as it was published. Immutable except `holders`, and
 * shared by all subscribers: its bytes are its own, not views of a buffer that
 * is read into.
 */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  /** RETAIN, as published. */
  readonly retain: boolean;
  /**
   * MQTT 5: the encoded properties that are forwarded unchanged and in order
   * (3.3.2.3), without their length, without Topic Alias, Message Expiry
   * Interval and Subscription Identifier; undefined if there are none.
   */
  readonly properties: Uint8Array | undefined;
  /** MQTT 5: when the message expires, ms since 1970 (3.3.2.3.3). */
  readonly expiresAt: number | undefined;
  /** The client id of the publisher, for No Local; undefined: the server. */
  readonly publisher: string | undefined;
  /**
   * How many sessions have it in their queues; 0 in a new message. Only the
   * sessions change it: they count the bytes of a message once.
   */
  holders: number;
}
