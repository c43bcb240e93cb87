/**
 * The network connection of a session, as its delivery uses it.
 *
 * @module
 */
import type { QoS } from "../../mqtt/link.ts";
import type { Message } from "../message.ts";

/**
 * Sends packets to a connected client. Nothing here throws, waits, or calls the
 * session. A message is passed as arguments, so that sending one to many
 * clients allocates nothing.
 */
export interface Outlet {
  /**
   * PUBLISHes at QoS 1 and 2 that may be unacknowledged (MQTT 5, 3.1.2.11.3);
   * 65,535 in MQTT 3.1.1.
   */
  readonly receiveMaximum: number;
  /**
   * False while so much is unsent that retained messages wait. It does not
   * delay other messages.
   */
  readonly hasRoom: boolean;
  /**
   * Sends a PUBLISH.
   *
   * @param message the message; it is the same object for all subscribers
   * @param qos of the delivery
   * @param retain RETAIN, as sent
   * @param subscriptionIds MQTT 5: of all subscriptions that match (3.3.4);
   * undefined: none. The same array as long as the subscriptions are the same
   * @param packetId 0 at QoS 0
   * @param dup true if it was sent before (3.3.1.1)
   * @returns false if the message is larger than the client accepts (MQTT 5,
   * 3.1.2.11.4): it counts as delivered
   */
  sendPublish(
    message: Message,
    qos: QoS,
    retain: boolean,
    subscriptionIds: readonly number[] | undefined,
    packetId: number,
    dup: boolean,
  ): boolean;
  /** Called when a message waits, because the window is full. */
  queued(): void;
  /**
   * Sends a PUBREL (3.6).
   *
   * @param packetId of the PUBREC
   * @param reason MQTT 5: 0, or 0x92 if the packet id is unknown
   */
  sendPubrel(packetId: number, reason: 0 | 0x92): void;
  /**
   * Disconnects the client: MQTT 5 sends DISCONNECT with the reason. The
   * session does not use this outlet again, and ignores its end.
   *
   * @param reason 0x8E: another connection has taken the session over (3.1.4);
   * 0x98: the session was ended by the broker
   */
  disconnect(reason: 0x8e | 0x98): void;
}
