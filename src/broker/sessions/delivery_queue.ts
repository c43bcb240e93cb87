/**
 * The messages at QoS 1 and 2 for one client: sent within its window, or
 * waiting.
 *
 * @module
 */
import { Fifo } from "../../common/fifo.ts";
import type { Message } from "../message.ts";
import type { KeptDelivery } from "../persistence/persistence.ts";
import type { SessionContext } from "./context.ts";
import { InFlight } from "./in_flight.ts";
import {
  inResendOrder,
  isForOthers,
  QueuedDelivery,
} from "./queued_delivery.ts";
import type { Outlet } from "./outlet.ts";
import { type QueueOwner, QueueRoom } from "./queue_room.ts";
import { ReceiveRights } from "./receive_rights.ts";

/** Reason codes from here on are failures (MQTT 5, 2.4). */
const FIRST_FAILURE = 0x80;
/** Packet Identifier not found (MQTT 5, 2.4). */
const UNKNOWN_PACKET_ID = 0x92;

/**
 * Delivers each message once (QoS 2) or at least once (QoS 1), in order, with a
 * packet id that is unique among those in flight (2.2.1), and not more at once
 * than the client receives (MQTT 5, 4.9).
 */
export class DeliveryQueue {
  readonly #owner: QueueOwner;
  readonly #context: SessionContext;
  readonly #room: QueueRoom;
  readonly #rights: ReceiveRights;
  readonly #inFlight = new InFlight<QueuedDelivery>();
  readonly #waiting = new Fifo<QueuedDelivery>();
  /** Sent on an earlier connection, and not yet again. */
  #resend = new Fifo<QueuedDelivery>();
  #outlet: Outlet | undefined;
  /** Messages that may be in flight on this connection. */
  #window = 0;
  #usedWindow = 0;
  #lastSequence = 0;
  #releases = 0;
  #isPumping = false;
  #hasEnded = false;

  constructor(owner: QueueOwner, context: SessionContext) {
    this.#owner = owner;
    this.#context = context;
    this.#room = new QueueRoom(owner, context);
    this.#rights = new ReceiveRights(context.rules, owner);
  }

  /** Messages that the client has not acknowledged. */
  get length(): number {
    return this.#room.messages;
  }

  /** The bytes of these messages. */
  get bytes(): number {
    return this.#room.bytes;
  }

  /** Messages that wait until others are acknowledged. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * True if all messages are dropped until the client connects, or messages
   * expire: it is disconnected, and its queue is full.
   */
  get isBlocked(): boolean {
    return this.#room.isBlocked;
  }

  /** When the next message expires, ms since 1970; undefined: it does not. */
  get nextExpiry(): number | undefined {
    return this.#waiting.first?.message.expiresAt;
  }

  /** True if another message would not have to wait for long. */
  get hasRoom(): boolean {
    return this.#waiting.length < Math.max(1, this.#window);
  }

  /**
   * Adds a message, and sends it if the window allows. A full queue drops it.
   *
   * @returns false if it was dropped
   */
  add(
    message: Message,
    qos: 1 | 2,
    retain: boolean,
    subscriptionIds: readonly number[] | undefined,
    share: string | undefined,
  ): boolean {
    if (this.#hasEnded) return false;
    this.#dropExpired();
    if (!this.#room.admit(message, this.#outlet !== undefined)) return false;
    // To make room for all sessions, this one may have been ended.
    if (this.#hasEnded) return false;
    const delivery = new QueuedDelivery(
      message,
      qos,
      retain,
      subscriptionIds,
      ++this.#lastSequence,
      share,
    );
    this.#room.add(message);
    if (
      this.#outlet !== undefined && this.#usedWindow < this.#window &&
      this.#waiting.length === 0 && this.#resend.length === 0
    ) {
      this.#send(delivery, this.#outlet);
    } else {
      this.#waiting.push(delivery);
      this.#keep(delivery);
      this.#outlet?.queued();
    }
    return true;
  }

  /**
   * Handles a PUBACK.
   *
   * @param packetId of the PUBACK
   * @returns false if no message at QoS 1 has this id: it is ignored
   */
  acknowledged(packetId: number): boolean {
    const delivery = this.#inFlight.get(packetId);
    if (delivery?.qos !== 1) return false;
    this.#finish(delivery);
    this.#pump();
    return true;
  }

  /**
   * Handles a PUBREC: sends the PUBREL, with 0x92 if no message has this id.
   * With a failure the delivery ends (MQTT 5, 4.3.3).
   *
   * @param packetId of the PUBREC
   * @param reason MQTT 5: its reason code; otherwise 0
   * @returns false if no message at QoS 2 has this id
   */
  received(packetId: number, reason: number): boolean {
    const delivery = this.#inFlight.get(packetId);
    if (delivery?.qos !== 2) {
      if (delivery === undefined && reason < FIRST_FAILURE) {
        this.#outlet?.sendPubrel(packetId, UNKNOWN_PACKET_ID);
      }
      return false;
    }
    if (reason >= FIRST_FAILURE) {
      // After a PUBREC without a failure the id stays in use (4.3.3).
      if (delivery.released) return true;
      this.#finish(delivery);
      this.#pump();
      return true;
    }
    if (!delivery.released) {
      delivery.released = true;
      delivery.releaseOrder = ++this.#releases;
      this.#keep(delivery);
      // It was not sent on this connection: the PUBREL takes its place.
      this.#enterWindow(delivery);
    }
    if (this.#outlet !== undefined) this.#transmit(delivery, this.#outlet);
    return true;
  }

  /**
   * Handles a PUBCOMP.
   *
   * @param packetId of the PUBCOMP
   * @returns false if no message at QoS 2 that was released has this id: it is
   * ignored
   */
  completed(packetId: number): boolean {
    const delivery = this.#inFlight.get(packetId);
    if (delivery === undefined || !delivery.released) return false;
    this.#finish(delivery);
    this.#pump();
    return true;
  }

  /** Returns true if a message with this packet id is in flight. */
  isInFlight(packetId: number): boolean {
    return this.#inFlight.get(packetId) !== undefined;
  }

  /**
   * Begins to send on a connection: first what was in flight, in its original
   * order with its packet ids (4.4, 4.6), then what waits.
   */
  resume(outlet: Outlet): void {
    this.#outlet = outlet;
    this.#room.unblock();
    this.#window = Math.min(
      outlet.receiveMaximum,
      this.#context.limits.maxInFlight,
    );
    this.#usedWindow = 0;
    if (this.#inFlight.count > 0) this.#resumeInFlight(outlet);
    this.#pump();
  }

  #resumeInFlight(outlet: Outlet): void {
    const inFlight = this.#inFlight.values();
    for (const delivery of inFlight) delivery.inWindow = false;
    const [released, messages] = inResendOrder(inFlight);
    for (const delivery of released) {
      this.#enterWindow(delivery);
      this.#transmit(delivery, outlet);
    }
    this.#resend = new Fifo();
    for (const delivery of messages) this.#resend.push(delivery);
  }

  /** Removes expired messages, and receives new ones if some have expired. */
  unblock(): void {
    const before = this.length;
    this.#dropExpired();
    if (this.length < before) this.#room.unblock();
  }

  /** Ends sending. */
  pause(): void {
    this.#outlet = undefined;
    this.#resend = new Fifo();
  }

  /** Restores a delivery at the start. Call it in order of their sequences. */
  restore(kept: KeptDelivery): void {
    const delivery = QueuedDelivery.restored(kept);
    if (kept.released) delivery.releaseOrder = ++this.#releases;
    this.#lastSequence = Math.max(this.#lastSequence, kept.sequence);
    this.#room.add(kept.message);
    this.#rights.forget();
    if (kept.packetId === 0) {
      this.#waiting.push(delivery);
      return;
    }
    // An earlier delivery with the id was acknowledged: a crash can keep the
    // new use of the id without the end of the one before.
    const earlier = this.#inFlight.get(kept.packetId);
    if (earlier !== undefined) this.#finish(earlier);
    this.#inFlight.restore(delivery);
  }

  /**
   * Removes what waits for a shared subscription.
   *
   * @returns the deliveries, for other members
   */
  takeShared(share: string): QueuedDelivery[] {
    const taken = this.#waiting.take((one) => one.share === share);
    for (const delivery of taken) this.#forget(delivery);
    return taken;
  }

  /**
   * Removes everything: the session ends.
   *
   * @returns deliveries of shared subscriptions, for other members: those that
   * were not sent, and those at QoS 1 (MQTT 5, 4.8.2)
   */
  clear(): QueuedDelivery[] {
    this.pause();
    this.#hasEnded = true;
    const inFlight = this.#inFlight.values()
      .sort((a, b) => a.sequence - b.sequence);
    for (const { packetId } of inFlight) this.#inFlight.delete(packetId);
    const all = [...inFlight, ...this.#waiting.take(() => true)];
    // The persistence deletes them with the session.
    for (const { message } of all) this.#room.remove(message);
    return all.filter(isForOthers);
  }

  /** Removes expired messages at the head of what waits. */
  #dropExpired(): void {
    if (this.nextExpiry === undefined) return;
    const now = this.#context.clock();
    while ((this.nextExpiry ?? Infinity) <= now) {
      this.#forget(this.#waiting.shift()!);
    }
  }

  /** Removes what the client may no longer receive. */
  #dropForbidden(): void {
    if (this.length === 0 || !this.#rights.haveChanged()) return;
    const isForbidden = (one: QueuedDelivery) => !this.#rights.allow(one);
    const again = this.#resend.take(isForbidden)
      .filter((one) => this.#isInFlight(one) && !one.released);
    const waiting = this.#waiting.take(isForbidden);
    for (const delivery of again) this.#finish(delivery);
    for (const delivery of waiting) this.#forget(delivery);
    this.#context.onReturned([...again, ...waiting].filter(isForOthers));
  }

  #isInFlight(delivery: QueuedDelivery): boolean {
    return this.#inFlight.get(delivery.packetId) === delivery;
  }

  /** Sends what the window allows. */
  #pump(): void {
    const outlet = this.#outlet;
    if (outlet === undefined || this.#isPumping) return;
    this.#isPumping = true;
    this.#dropForbidden();
    while (this.#usedWindow < this.#window) {
      const again = this.#resend.shift();
      if (again !== undefined) {
        // It may be acknowledged in the meantime.
        if (!this.#isInFlight(again) || again.released) continue;
        this.#enterWindow(again);
        this.#transmit(again, outlet, true);
        continue;
      }
      this.#dropExpired();
      const delivery = this.#waiting.shift();
      if (delivery === undefined) break;
      this.#send(delivery, outlet);
    }
    this.#isPumping = false;
  }

  /** Sends a message for the first time. */
  #send(delivery: QueuedDelivery, outlet: Outlet): void {
    this.#inFlight.add(delivery);
    this.#enterWindow(delivery);
    this.#keep(delivery);
    this.#transmit(delivery, outlet);
  }

  /**
   * Sends a PUBLISH or PUBREL. At QoS 2 a kept session sends after the commit:
   * after a crash it would otherwise not know which packet id the client has,
   * and deliver the message twice.
   */
  #transmit(delivery: QueuedDelivery, outlet: Outlet, dup = false): void {
    if (delivery.qos === 1 || !this.#owner.isKept) {
      this.#write(delivery, outlet, dup);
      return;
    }
    const { released } = delivery;
    const { version } = this.#rights;
    this.#context.persistence.afterCommit(() => {
      if (this.#outlet !== outlet || delivery.released !== released) return;
      if (!this.#isInFlight(delivery)) return;
      if (!released && !this.#rights.allow(delivery, version)) {
        this.#finish(delivery);
        return this.#pump();
      }
      this.#write(delivery, outlet, dup);
    });
  }

  #write(delivery: QueuedDelivery, outlet: Outlet, dup: boolean): void {
    const { message, qos, retain, subscriptionIds, packetId } = delivery;
    if (delivery.released) outlet.sendPubrel(packetId, 0);
    else if (
      !outlet.sendPublish(message, qos, retain, subscriptionIds, packetId, dup)
    ) {
      this.#finish(delivery);
      this.#pump();
    }
  }

  #enterWindow(delivery: QueuedDelivery): void {
    if (delivery.inWindow) return;
    delivery.inWindow = true;
    this.#usedWindow++;
  }

  #keep(delivery: QueuedDelivery): void {
    if (!this.#owner.isKept) return;
    this.#context.persistence.setDelivery(this.#owner.clientId, delivery);
  }

  /** Removes a delivery that was in flight. */
  #finish(delivery: QueuedDelivery): void {
    this.#inFlight.delete(delivery.packetId);
    if (delivery.inWindow) this.#usedWindow--;
    this.#forget(delivery);
  }

  #forget(delivery: QueuedDelivery): void {
    this.#room.remove(delivery.message);
    if (!this.#owner.isKept) return;
    this.#context.persistence.deleteDelivery(
      this.#owner.clientId,
      delivery.sequence,
    );
  }
}
