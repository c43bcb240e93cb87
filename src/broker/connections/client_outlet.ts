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
import type { ConnectionContext } from "./context.ts";
import { type Output, SHARED_PAYLOAD_BYTES } from "./output.ts";

/** A client with more unacknowledged bytes does not keep up. */
const MAX_UNACKNOWLEDGED_BYTES = 1024 * 1024;

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
export class ClientOutlet implements Outlet {
  readonly receiveMaximum: number;
  readonly #context: ConnectionContext;
  readonly #output: Output;
  readonly #version: Version;
  readonly #maxPacketBytes: number | undefined;
  readonly #disconnect: (reason: number) => void;
  #onRoom: (() => void)[] = [];
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
    return this.#output.hasRoom &&
      (this.session?.queue.bytes ?? 0) < MAX_UNACKNOWLEDGED_BYTES;
  }

  /** Calls back when the client keeps up again, or is gone. */
  afterRoom(callback: () => void): void {
    this.#onRoom.push(callback);
  }

  /** Called when the client has read or acknowledged something, or is gone. */
  onProgress(isGone = false): void {
    if (this.#onRoom.length === 0 || !(isGone || this.keepsUp)) return;
    for (const callback of this.#onRoom.splice(0)) callback();
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
    const { slow } = this.#context;
    if (slow.isCollecting) slow.add(this, this.keepsUp);
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
