/**
 * Makes aedes route messages in the order in which they were published.
 *
 * @module
 */
import type { Aedes, PublishPacket } from "aedes";

/** Marks a packet that aedes acknowledges but does not route. */
export const UNROUTED: unique symbol = Symbol("unrouted");

/** A packet to route. */
export type RoutedPacket = PublishPacket & { [UNROUTED]?: true };

type Done = (error?: Error | null) => void;

/** Parts of aedes 1.2.0 that its types omit. */
interface AedesInternals {
  publish(packet: RoutedPacket, client: unknown, done?: Done): void;
  mq: { emit(packet: RoutedPacket, done?: Done): void };
}

/**
 * Replaces the method by which aedes routes messages.
 *
 * aedes numbers each message, then delivers it: at QoS 0 at once, at QoS 1 and
 * 2 and if it is retained after its promises. A message at QoS 0 can thus
 * overtake the one before it, and aedes then drops that as a repetition, since
 * its number is lower than the last. So a message waits until the one before it
 * is delivered.
 *
 * Messages with {@linkcode UNROUTED} are not delivered.
 */
export function keepPublishOrder(aedes: Aedes): void {
  const internals = aedes as unknown as AedesInternals;
  const route = internals.publish.bind(aedes);
  const emit = internals.mq.emit.bind(internals.mq);
  const waiting: (() => void)[] = [];
  /** The message that is not delivered yet. */
  let current: RoutedPacket | undefined;

  const release = () => {
    current = undefined;
    while (current === undefined && waiting.length > 0) waiting.shift()!();
  };
  const start = (packet: RoutedPacket, client: unknown, done?: Done) => {
    if (!packet.qos && !packet.retain) {
      route(packet, client, done); // delivers it before it returns
      return;
    }
    current = packet;
    route(packet, client, (error) => {
      if (current === packet) release(); // it failed before its delivery
      done?.(error);
    });
  };
  internals.publish = (packet, client, done) => {
    if (packet[UNROUTED]) done?.(null);
    else if (current === undefined) start(packet, client, done);
    else waiting.push(() => start(packet, client, done));
  };
  internals.mq.emit = (packet, done) => {
    emit(packet, done);
    if (current !== undefined) release();
  };
}
