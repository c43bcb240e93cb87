/**
 * The session state of the embedded broker.
 *
 * @module
 */
import type { Aedes } from "aedes";
import { Readable } from "node:stream";

/** A packet of aedes; only the fields that sessions use. */
export interface SessionPacket {
  readonly cmd: string;
  readonly payload?: Uint8Array;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly dup?: boolean;
  /** The packet identifier; undefined before it is sent. */
  messageId?: number | undefined;
  /** The id of the broker; null for a retained message sent on SUBSCRIBE. */
  readonly brokerId?: string | null;
  /** The broker's number of the message. */
  readonly brokerCounter?: number;
}

/** The client of a session. */
export interface SessionOwner {
  readonly id: string;
  /** True if the session ends with the connection (3.1.2.4). */
  readonly clean: boolean;
}

/** A subscription that matches a message. */
export interface MatchedSubscription {
  readonly clientId: string;
  readonly qos: number;
}

/** The limits of one session. */
export interface SessionLimits {
  /** Unacknowledged messages. */
  readonly maxMessages: number;
  /** Payload bytes of the unacknowledged messages. */
  readonly maxBytes: number;
  /**
   * Called when a session becomes full: it drops messages until it has room.
   */
  readonly onFull: (clientId: string) => void;
}

/** An unacknowledged message. */
interface Entry {
  /** The PUBLISH; after a PUBREC the PUBREL. */
  packet: SessionPacket;
  readonly bytes: number;
  /** True if published before the client was ready, and sent after that. */
  late: boolean;
}

/** The unacknowledged messages to one client. */
class Outgoing {
  /** By the broker's number of the message. */
  readonly entries = new Map<number, Entry>();
  /** The broker's number by packet identifier, of sent messages. */
  readonly sent = new Map<number, number>();
  bytes = 0;
  full = false;
}

/** The methods of aedes' persistence that {@linkcode Sessions} replaces. */
const SESSION_METHODS = [
  "outgoingEnqueueCombi",
  "outgoingEnqueue",
  "outgoingUpdate",
  "outgoingClearMessageId",
  "outgoingStream",
  "incomingStorePacket",
  "incomingGetPacket",
  "incomingDelPacket",
  "cleanIncoming",
] as const;

const MAX_PACKET_ID = 65_535;

/**
 * The session state of MQTT 3.1.1 (3.1.2.4) except the subscriptions: the
 * unacknowledged messages to a client, and the identifiers of its QoS 2
 * messages that it has not released.
 *
 * It replaces this part of aedes' memory persistence, which has no limits,
 * searches its whole queue for each message, and stores a message once per
 * matching subscription. It also keeps the order when a client reconnects:
 * aedes would send new messages before CONNACK and before the stored ones.
 *
 * Sessions end with the process. A full session drops new messages, as in
 * Mosquitto; a connected client still receives them, once.
 */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #incoming = new Map<string, Set<number>>();
  readonly #ready = new WeakSet<SessionOwner>();

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /**
   * Returns true if the client has sent this QoS 2 message and not yet released
   * it (4.3.3).
   */
  hasReceived(clientId: string, messageId: number): boolean {
    return this.#incoming.get(clientId)?.has(messageId) ?? false;
  }

  /**
   * Returns true if aedes may send a published message to a client at once. If
   * false, the session stores the message and sends it later; at QoS 0 it is
   * dropped, as for a disconnected client.
   */
  mayForward(client: SessionOwner, packet: SessionPacket): boolean {
    if (client.clean || packet.brokerId === null) return true;
    if (packet.messageId !== undefined) return true; // sent from the session
    if (!this.#ready.has(client)) return false;
    const entries = this.#outgoing.get(client.id)?.entries;
    return entries?.get(packet.brokerCounter ?? 0)?.late !== true;
  }

  /**
   * Marks a client as ready for new messages. Call it after CONNACK and the
   * stored messages were sent.
   *
   * @returns the messages published during that, to be sent now
   */
  markReady(client: SessionOwner): SessionPacket[] {
    if (client.clean) return [];
    this.#ready.add(client);
    const unsent: SessionPacket[] = [];
    for (const entry of this.#outgoing.get(client.id)?.entries.values() ?? []) {
      if (entry.packet.messageId !== undefined) continue;
      entry.late = true;
      // Without a broker id aedes does not drop it as a repetition.
      unsent.push({ ...entry.packet, brokerId: null });
    }
    return unsent;
  }

  // aedes calls the following methods, as those of its persistence.

  /** Stores a message for the owners of subscriptions. */
  outgoingEnqueueCombi(
    subscriptions: readonly MatchedSubscription[],
    packet: SessionPacket,
  ): Promise<void> {
    if (subscriptions.length > 0) {
      // Copied: a view would retain the whole buffer of the socket.
      const payload = Uint8Array.prototype.slice.call(packet.payload);
      for (const { clientId, qos } of subscriptions) {
        this.#store(clientId, {
          ...packet,
          payload,
          qos: Math.min(packet.qos ?? 0, qos),
          retain: false, // the subscription existed before (3.3.1.3)
        });
      }
    }
    return Promise.resolve();
  }

  /** Stores a message for the owner of a subscription. */
  outgoingEnqueue(
    subscription: MatchedSubscription,
    packet: SessionPacket,
  ): Promise<void> {
    return this.outgoingEnqueueCombi([subscription], packet);
  }

  /**
   * Called before a message is sent with its identifier, and after its PUBREC.
   */
  outgoingUpdate(client: SessionOwner, packet: SessionPacket): Promise<void> {
    const outgoing = this.#outgoing.get(client.id);
    if (outgoing !== undefined) {
      if (packet.cmd === "publish") setMessageId(outgoing, packet);
      else if (packet.messageId !== undefined) {
        const entry = outgoing.entries.get(
          outgoing.sent.get(packet.messageId) ?? -1,
        );
        if (entry !== undefined) entry.packet = packet;
      }
    }
    return Promise.resolve();
  }

  /** Called after the client has acknowledged a message. */
  outgoingClearMessageId(
    client: SessionOwner,
    { messageId }: SessionPacket,
  ): Promise<SessionPacket | undefined> {
    const outgoing = this.#outgoing.get(client.id);
    // aedes passes no identifier for a message that was not sent: it is kept.
    const key = outgoing?.sent.get(messageId ?? -1);
    const entry = outgoing?.entries.get(key ?? -1);
    if (
      outgoing === undefined || messageId === undefined ||
      key === undefined || entry === undefined
    ) return Promise.resolve(undefined);
    outgoing.sent.delete(messageId);
    outgoing.entries.delete(key);
    outgoing.bytes -= entry.bytes;
    outgoing.full = false;
    return Promise.resolve(entry.packet);
  }

  /** Returns the stored messages of a client that has reconnected. */
  outgoingStream(client: SessionOwner): Readable {
    if (client.clean) this.#outgoing.delete(client.id);
    const entries = this.#outgoing.get(client.id)?.entries.values() ?? [];
    const packets = Array.from(entries, ({ packet }) => ({
      ...packet,
      // If it was sent before, it has the same identifier (3.3.1.1, 4.4).
      dup: packet.cmd === "publish" && packet.messageId !== undefined,
    }));
    return Readable.from(packets);
  }

  /** Stores the identifier of a received QoS 2 message. */
  incomingStorePacket(
    client: SessionOwner,
    { messageId }: SessionPacket,
  ): Promise<void> {
    let ids = this.#incoming.get(client.id);
    if (ids === undefined) this.#incoming.set(client.id, ids = new Set());
    if (messageId !== undefined) ids.add(messageId);
    return Promise.resolve();
  }

  /** @throws {Error} if it was not received, or is released */
  incomingGetPacket(
    client: SessionOwner,
    packet: SessionPacket,
  ): Promise<SessionPacket> {
    return this.hasReceived(client.id, packet.messageId ?? -1)
      ? Promise.resolve(packet)
      : Promise.reject(new Error("no such packet"));
  }

  /**
   * Deletes the identifier of a released QoS 2 message.
   *
   * @throws {Error} if there is none
   */
  incomingDelPacket(
    client: SessionOwner,
    { messageId }: SessionPacket,
  ): Promise<void> {
    return this.#incoming.get(client.id)?.delete(messageId ?? -1)
      ? Promise.resolve()
      : Promise.reject(new Error("no such packet"));
  }

  /** Called when a clean session begins or ends. */
  cleanIncoming(client: SessionOwner): Promise<void> {
    this.#incoming.delete(client.id);
    return Promise.resolve();
  }

  #store(clientId: string, packet: SessionPacket): void {
    let outgoing = this.#outgoing.get(clientId);
    if (outgoing === undefined) {
      this.#outgoing.set(clientId, outgoing = new Outgoing());
    }
    const key = packet.brokerCounter ?? 0;
    if (outgoing.entries.has(key)) return; // two subscriptions match
    const bytes = packet.payload?.byteLength ?? 0;
    const { maxMessages, maxBytes, onFull } = this.#limits;
    if (
      outgoing.entries.size >= maxMessages || outgoing.bytes + bytes > maxBytes
    ) {
      if (!outgoing.full) onFull(clientId);
      outgoing.full = true;
      return;
    }
    outgoing.entries.set(key, { packet, bytes, late: false });
    outgoing.bytes += bytes;
  }
}

/** Stores the identifier of a message. Changes it first if it is in use. */
function setMessageId(outgoing: Outgoing, packet: SessionPacket): void {
  const key = packet.brokerCounter ?? 0;
  const entry = outgoing.entries.get(key);
  // Missing if the session was full: the message is sent, but not repeated.
  if (entry === undefined || packet.messageId === undefined) return;
  if (entry.packet.messageId === packet.messageId) return;
  // aedes begins at a random identifier in each connection.
  while (outgoing.sent.has(packet.messageId)) {
    packet.messageId = packet.messageId % MAX_PACKET_ID + 1;
  }
  entry.packet.messageId = packet.messageId;
  outgoing.sent.set(packet.messageId, key);
}

/** Replaces the session state of aedes. */
export function useSessions(aedes: Aedes, sessions: Sessions): void {
  const { persistence } = aedes as unknown as {
    persistence: Record<string, unknown>;
  };
  for (const method of SESSION_METHODS) {
    persistence[method] = sessions[method].bind(sessions);
  }
}
