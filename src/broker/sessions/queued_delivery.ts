/**
 * A message at QoS 1 or 2 in the queue of a session.
 *
 * @module
 */
import type { Message } from "../message.ts";
import type { KeptDelivery } from "../persistence/persistence.ts";

/** A message that the client has not acknowledged. */
export class QueuedDelivery implements KeptDelivery {
  packetId = 0;
  released = false;
  /** The order of the PUBRECs, see 4.6. */
  releaseOrder = 0;
  /** True if it takes a place in the window of this connection. */
  inWindow = false;

  constructor(
    readonly message: Message,
    readonly qos: 1 | 2,
    readonly retain: boolean,
    readonly subscriptionIds: readonly number[] | undefined,
    readonly sequence: number,
    readonly share: string | undefined,
  ) {}

  /** Returns a delivery from before a restart. */
  static restored(kept: KeptDelivery): QueuedDelivery {
    const { message, qos, retain, subscriptionIds, sequence, share } = kept;
    const delivery = new QueuedDelivery(
      message,
      qos,
      retain,
      subscriptionIds,
      sequence,
      share,
    );
    delivery.released = kept.released;
    delivery.packetId = kept.packetId;
    return delivery;
  }
}

/**
 * Returns what is sent again on a new connection: PUBRELs in the order of the
 * PUBRECs, and messages in theirs (4.4, 4.6).
 */
export function inResendOrder(
  inFlight: readonly QueuedDelivery[],
): readonly [released: QueuedDelivery[], messages: QueuedDelivery[]] {
  return [
    inFlight.filter((one) => one.released)
      .sort((a, b) => a.releaseOrder - b.releaseOrder),
    inFlight.filter((one) => !one.released)
      .sort((a, b) => a.sequence - b.sequence),
  ];
}

/**
 * Returns true if another member of a shared subscription can get a message:
 * it was not sent, or is at QoS 1 (MQTT 5, 4.8.2).
 */
export function isForOthers(
  { share, qos, packetId }: QueuedDelivery,
): boolean {
  return share !== undefined && (qos === 1 || packetId === 0);
}
