/**
 * The network connection of a session, as its delivery uses it.
 *
 * @module
 */
import type { QoS } from "../../mqtt/link.ts";
import type { Message } from "../message.ts";

/** How a message is delivered to a subscriber. */
export interface Delivery {
  readonly message: Message;
  /** The lesser of the published and the granted QoS, see 3.8.4. */
  readonly qos: QoS;
  /** RETAIN, as sent (3.3.1.3). */
  readonly retain: boolean;
  /** MQTT 5: of all subscriptions that match (3.3.4); undefined: none. */
  readonly subscriptionIds: readonly number[] | undefined;
}

/** Sends packets to a connected client. Nothing here throws or waits. */
export interface Outlet {
  /** PUBLISHes at QoS 1 and 2 that may be unacknowledged (MQTT 5, 3.1.2.11.3). */
  readonly receiveMaximum: number;
  /**
   * Sends a PUBLISH.
   *
   * @param packetId 0 at QoS 0
   * @returns false if the message is larger than the client accepts (MQTT 5,
   * 3.1.2.11.4): it counts as delivered
   */
  sendPublish(delivery: Delivery, packetId: number, dup: boolean): boolean;
  /** Sends a PUBREL (3.6). */
  sendPubrel(packetId: number): void;
}
