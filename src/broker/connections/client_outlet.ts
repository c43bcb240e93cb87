/**
 * Sends packets of a session to its client.
 *
 * @module
 */
import { appendAcknowledgement } from "../codec/acknowledgement.ts";
import { PacketType, type Version } from "../codec/packets.ts";
import { NO_BYTES } from "../codec/properties.ts";
import { publishFlags } from "../codec/publish.ts";
import type { QoS } from "../../mqtt/link.ts";
import type { Message } from "../message.ts";
import type { Outlet } from "../sessions/outlet.ts";
import type { Session } from "../sessions/session.ts";
import type { Receiver } from "./slow_receivers.ts";
import type { ConnectionContext } from "./context.ts";
import type { Output } from "./output.ts";

/** A payload from this size on is not copied. */
const SHARED_PAYLOAD_BYTES = 16 * 1024;
/** A client with more unacknowledged bytes does not keep up. */
const MAX_UNACKNOWLEDGED_BYTES = 1024 * 1024;
/** The same for messages that wait because its window is full. */
const MAX_WAITING_MESSAGES = 64;
/** A client that takes fewer bytes between two checks is frozen. */
const MIN_TAKEN_BYTES = 8 * 1024;
/** What an acknowledgement counts as. */
const ACKNOWLEDGED_BYTES = 1024;

/** Options of {@linkcode ClientOutlet}. */
export interface ClientOutletOptions {
  readonly version: Version;
  /** Receive Maximum of the client (MQTT 5, 3.1.2.11.3). */
  readonly receiveMaximum: number | undefined;
  /** Maximum Packet Size of the client (MQTT 5, 3.1.2.11.4). */
  readonly maxPacketBytes: number | undefined;
  /** Ends the connection. */
  readonly disconnect: (reason: number) => void;
}

/** The outlet of a connection that has logged in. */
export class ClientOutlet implements Outlet, Receiver {
  readonly receiveMaximum: number;
  readonly #context: ConnectionContext;
  readonly #output: Output;
  readonly #version: Version;
  readonly #maxPacketBytes: number | undefined;
  readonly #disconnect: (reason: number) => void;
  #onChange: (() => void)[] = [];
  /** True if the client did not keep up at the last check. */
  #wasSlow = false;
  /** Bytes that the client had taken at the last check. */
  #takenBefore = 0;
  #acknowledged = 0;
  /**
   * True if the client does not keep up and has taken almost nothing between two
   * checks. It may be slow: it stays connected, but others do not wait for it.
   */
  isFrozen = false;
  /** The session, as soon as there is one. */
  session: Session | undefined;

  constructor(
    context: ConnectionContext,
    output: Output,
    options: ClientOutletOptions,
  ) {
    this.#context = context;
    this.#output = output;
    this.#version = options.version;
    this.receiveMaximum = options.receiveMaximum ?? 65_535;
    this.#maxPacketBytes = options.maxPacketBytes;
    this.#disconnect = options.disconnect;
  }

  get hasRoom(): boolean {
    return this.#output.hasRoom;
  }

  /** True if the client keeps up with what is sent to it. */
  get keepsUp(): boolean {
    if (!this.#output.hasRoom) return false;
    if (this.session === undefined) return true;
    const { bytes, waiting } = this.session.queue;
    return bytes < MAX_UNACKNOWLEDGED_BYTES && waiting < MAX_WAITING_MESSAGES;
  }

  afterChange(callback: () => void): void {
    this.#onChange.push(callback);
  }

  /** Called when the client has read something. */
  onSent(): void {
    if (this.#onChange.length > 0 && this.keepsUp) this.#setFrozen(false);
  }

  /** Called when the client has acknowledged something. */
  onAcknowledged(): void {
    this.#acknowledged++;
    this.onSent();
  }

  /** Called when the client is gone. */
  onGone(): void {
    this.#setFrozen(false);
  }

  /** Checks whether the client is frozen. Called once or twice in a second. */
  checkProgress(): void {
    const taken = this.#output.taken + this.#acknowledged * ACKNOWLEDGED_BYTES;
    const isSlow = !this.keepsUp;
    const isFrozen = isSlow && this.#wasSlow &&
      taken - this.#takenBefore < MIN_TAKEN_BYTES;
    this.#wasSlow = isSlow;
    this.#takenBefore = taken;
    if (isFrozen !== this.isFrozen) this.#setFrozen(isFrozen);
  }

  #setFrozen(isFrozen: boolean): void {
    this.isFrozen = isFrozen;
    for (const callback of this.#onChange.splice(0)) callback();
  }

  queued(): void {
    this.#context.slow.add(this);
  }

  sendPublish(
    message: Message,
    qos: QoS,
    retain: boolean,
    subscriptionIds: readonly number[] | undefined,
    packetId: number,
    dup: boolean,
  ): boolean {
    const { counters, encoders } = this.#context;
    const version = this.#version;
    const { payload, expiresAt } = message;
    const encoder = encoders.of(message);
    const flags = publishFlags(qos, retain, dup);
    const extra = version === 5 &&
        (subscriptionIds !== undefined || expiresAt !== undefined)
      ? encoders.extra(expiresAt, subscriptionIds)
      : NO_BYTES;
    const maxBytes = this.#maxPacketBytes;
    if (
      maxBytes !== undefined && encoder.size(version, flags, extra) > maxBytes
    ) {
      counters.publishDropped++;
      return false;
    }
    const out = this.#output.begin();
    if (payload.length < SHARED_PAYLOAD_BYTES) {
      encoder.append(out, version, flags, packetId, extra);
    } else {
      encoder.appendHead(out, version, flags, packetId, extra);
      this.#output.payload(payload);
    }
    counters.packetsSent++;
    counters.publishSent++;
    counters.payloadBytesSent += payload.length;
    this.#context.slow.add(this);
    return true;
  }

  sendPubrel(packetId: number, reason: 0 | 0x92): void {
    this.#context.counters.packetsSent++;
    const out = this.#output.begin();
    const version = this.#version;
    appendAcknowledgement(out, version, PacketType.Pubrel, packetId, reason);
  }

  disconnect(reason: 0x8e | 0x98): void {
    this.#disconnect(reason);
  }
}
