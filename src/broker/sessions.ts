import { Readable } from "node:stream";

/** A packet as the broker keeps it for a client; only what is used here. */
export interface SessionPacket {
  readonly cmd: string;
  readonly payload?: Uint8Array;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly dup?: boolean;
  /** The packet identifier, once it was sent. */
  messageId?: number | undefined;
  /** The broker's own count of messages; null for a retained one sent on SUBSCRIBE. */
  readonly brokerId?: string | null;
  readonly brokerCounter?: number;
}

/** Whose session it is: a connected client. */
export interface SessionOwner {
  readonly id: string;
  /** True if its session ends with the connection (3.1.2.4). */
  readonly clean: boolean;
}

/** A subscription that a message matched. */
export interface MatchedSubscription {
  readonly clientId: string;
  readonly qos: number;
}

/** What one session may hold. */
export interface SessionLimits {
  /** Messages that are not acknowledged yet. */
  readonly maxMessages: number;
  /** Their payload bytes. */
  readonly maxBytes: number;
  /** Told when a session is full; what comes then is dropped, until it has room again. */
  readonly onFull: (clientId: string) => void;
}

/** A message on its way; a PUBREL after its PUBREC. */
interface Entry {
  packet: SessionPacket;
  readonly bytes: number;
  /** True if it was sent when the client became ready, not when it was published. */
  late: boolean;
}

/** Messages on their way to one client: by the broker's count, and by identifier once sent. */
class Outgoing {
  readonly entries = new Map<number, Entry>();
  readonly sent = new Map<number, number>();
  bytes = 0;
  full = false;
}

/** The methods of aedes' persistence that {@linkcode Sessions} takes over. */
export const SESSION_METHODS = [
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

const MAX_ID = 65_535;

/**
 * The session state of MQTT 3.1.1 (3.1.2.4) apart from the subscriptions:
 * messages that a client has not acknowledged, and the identifiers of its QoS 2
 * messages that it has not released.
 *
 * It takes the place of that part of aedes' memory persistence, which has no
 * bounds, goes through its queue once a message, and keeps a message once a
 * matching subscription. It also keeps order when a client comes back: aedes
 * would send it new messages before CONNACK and before those that waited.
 *
 * Kept for as long as the process lives. A full session drops what is new, as
 * Mosquitto's do; a client that is there is still sent it, once.
 */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #outgoing = new Map<string, Outgoing>();
  readonly #incoming = new Map<string, Set<number>>();
  readonly #ready = new WeakSet<SessionOwner>();

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  /** True if the client has sent this QoS 2 message and not released it yet (4.3.3). */
  hasReceived(clientId: string, messageId: number): boolean {
    return this.#incoming.get(clientId)?.has(messageId) ?? false;
  }

  /**
   * Whether a message is sent to a client as it is published. If not, it is in
   * its session and sent from there; at QoS 0 it is dropped, as for one who is
   * not there yet.
   */
  forwards(client: SessionOwner, packet: SessionPacket): boolean {
    if (client.clean || packet.brokerId === null) return true;
    if (packet.messageId !== undefined) return true; // sent from the session
    if (!this.#ready.has(client)) return false;
    const entries = this.#outgoing.get(client.id)?.entries;
    return entries?.get(packet.brokerCounter ?? 0)?.late !== true;
  }

  /**
   * From now on a client is sent what is published. Called once it has its
   * CONNACK and all that waited.
   *
   * @returns what was published meanwhile, to be sent now
   */
  ready(client: SessionOwner): SessionPacket[] {
    if (client.clean) return [];
    this.#ready.add(client);
    const unsent: SessionPacket[] = [];
    for (const entry of this.#outgoing.get(client.id)?.entries.values() ?? []) {
      if (entry.packet.messageId !== undefined) continue;
      entry.late = true;
      // Without a broker id it is not taken for a repetition of itself.
      unsent.push({ ...entry.packet, brokerId: null });
    }
    return unsent;
  }

  /** What follows is called by aedes, as methods of its persistence. */

  /** Keeps a message for the owners of subscriptions. */
  outgoingEnqueueCombi(
    subscriptions: readonly MatchedSubscription[],
    packet: SessionPacket,
  ): Promise<void> {
    if (subscriptions.length > 0) {
      // A copy: the payload is a view of all that was read at once.
      const payload = Uint8Array.prototype.slice.call(packet.payload);
      for (const { clientId, qos } of subscriptions) {
        this.#keep(clientId, {
          ...packet,
          payload,
          qos: Math.min(packet.qos ?? 0, qos),
          retain: false, // it matched an established subscription (3.3.1.3)
        });
      }
    }
    return Promise.resolve();
  }

  /** Keeps a message for the owner of a subscription. */
  outgoingEnqueue(
    subscription: MatchedSubscription,
    packet: SessionPacket,
  ): Promise<void> {
    return this.outgoingEnqueueCombi([subscription], packet);
  }

  /** A message is about to be sent with this identifier, or its PUBREC came. */
  outgoingUpdate(client: SessionOwner, packet: SessionPacket): Promise<void> {
    const outgoing = this.#outgoing.get(client.id);
    if (outgoing !== undefined) {
      if (packet.cmd === "publish") sending(outgoing, packet);
      else if (packet.messageId !== undefined) {
        const entry = outgoing.entries.get(
          outgoing.sent.get(packet.messageId) ?? -1,
        );
        if (entry !== undefined) entry.packet = packet;
      }
    }
    return Promise.resolve();
  }

  /** The client has acknowledged a message. */
  outgoingClearMessageId(
    client: SessionOwner,
    { messageId }: SessionPacket,
  ): Promise<SessionPacket | undefined> {
    const outgoing = this.#outgoing.get(client.id);
    // aedes asks without an identifier about one that was not forwarded: it stays.
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

  /** What waits for a client that has come back. */
  outgoingStream(client: SessionOwner): Readable {
    if (client.clean) this.#outgoing.delete(client.id);
    const entries = this.#outgoing.get(client.id)?.entries.values() ?? [];
    const packets = Array.from(entries, ({ packet }) => ({
      ...packet,
      // Sent before: a repetition, with the same identifier (3.3.1.1, 4.4).
      dup: packet.cmd === "publish" && packet.messageId !== undefined,
    }));
    return Readable.from(packets);
  }

  /** A QoS 2 message has been taken. */
  incomingStorePacket(
    client: SessionOwner,
    { messageId }: SessionPacket,
  ): Promise<void> {
    let ids = this.#incoming.get(client.id);
    if (ids === undefined) this.#incoming.set(client.id, ids = new Set());
    if (messageId !== undefined) ids.add(messageId);
    return Promise.resolve();
  }

  /** @throws {Error} if it has not been taken, or was released since */
  incomingGetPacket(
    client: SessionOwner,
    packet: SessionPacket,
  ): Promise<SessionPacket> {
    return this.hasReceived(client.id, packet.messageId ?? -1)
      ? Promise.resolve(packet)
      : Promise.reject(new Error("no such packet"));
  }

  /** A QoS 2 message has been released. @throws {Error} if there is none */
  incomingDelPacket(
    client: SessionOwner,
    { messageId }: SessionPacket,
  ): Promise<void> {
    return this.#incoming.get(client.id)?.delete(messageId ?? -1)
      ? Promise.resolve()
      : Promise.reject(new Error("no such packet"));
  }

  /** A session without memory begins or ends. */
  cleanIncoming(client: SessionOwner): Promise<void> {
    this.#incoming.delete(client.id);
    return Promise.resolve();
  }

  #keep(clientId: string, packet: SessionPacket): void {
    let outgoing = this.#outgoing.get(clientId);
    if (outgoing === undefined) {
      this.#outgoing.set(clientId, outgoing = new Outgoing());
    }
    const key = packet.brokerCounter ?? 0;
    if (outgoing.entries.has(key)) return; // two of its subscriptions match
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

/** Notes the identifier that a message is sent with, and changes it if it is taken. */
function sending(outgoing: Outgoing, packet: SessionPacket): void {
  const key = packet.brokerCounter ?? 0;
  const entry = outgoing.entries.get(key);
  // Not there if the session was full: it is sent, but not again.
  if (entry === undefined || packet.messageId === undefined) return;
  if (entry.packet.messageId === packet.messageId) return;
  // aedes counts from a random number at each connection.
  while (outgoing.sent.has(packet.messageId)) {
    packet.messageId = packet.messageId % MAX_ID + 1;
  }
  entry.packet.messageId = packet.messageId;
  outgoing.sent.set(packet.messageId, key);
}
