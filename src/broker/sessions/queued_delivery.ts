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
}
