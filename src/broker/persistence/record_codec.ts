/**
 * Encodes what the broker keeps as records of the store, and decodes them.
 *
 * A record is a kind (1 byte), the length of its head (4 bytes, little-endian),
 * the head (JSON), and for messages the payload and the properties.
 *
 * @module
 */
import { encodeText, isJsonObject, parseJson } from "../../protocol/text.ts";
import type { QoS } from "../../mqtt/link.ts";
import type { Message } from "../message.ts";
import type { KeptDelivery, KeptSession, KeptWill } from "./persistence.ts";

/** Stored in each record: never change a number. */
const KINDS = {
  retained: 1,
  session: 2,
  /** A message that deliveries refer to. */
  message: 3,
  delivery: 4,
  will: 5,
} as const;
const KIND_NAMES = new Map<number, keyof typeof KINDS>(
  Object.entries(KINDS).map(([name, kind]) =>
    [kind, name as keyof typeof KINDS] as const
  ),
);
/** Kind and length of the head. */
const PREFIX_BYTES = 5;

/** A delivery that refers to the record of its message. */
export type DeliveryRecord = Omit<KeptDelivery, "message"> & {
  readonly clientId: string;
  /** The id of the record of its message. */
  readonly messageId: number;
};

/** The content of a record. */
export type BrokerRecord =
  | { readonly kind: "retained" | "message"; readonly message: Message }
  | { readonly kind: "session"; readonly session: KeptSession }
  | { readonly kind: "delivery"; readonly delivery: DeliveryRecord }
  | { readonly kind: "will"; readonly will: KeptWill };

/** Encodes a retained message, or one that deliveries refer to. */
export function encodeMessage(
  kind: "retained" | "message",
  message: Message,
): Uint8Array<ArrayBuffer> {
  return encodeRecord(kind, messageHead(message), message);
}

/** Encodes a session without its deliveries. */
export function encodeSession(session: KeptSession): Uint8Array<ArrayBuffer> {
  const { expiry } = session;
  return encodeRecord("session", {
    ...session,
    // JSON has no Infinity.
    expiry: expiry === Infinity ? null : expiry,
  });
}

/**
 * Encodes a delivery.
 *
 * @param clientId of its session
 * @param messageId the id of the record of its message
 */
export function encodeDelivery(
  clientId: string,
  messageId: number,
  delivery: KeptDelivery,
): Uint8Array<ArrayBuffer> {
  const { qos, retain, subscriptionIds, share } = delivery;
  const { sequence, packetId, released } = delivery;
  const record: DeliveryRecord = {
    ...{ clientId, messageId, sequence, packetId, released },
    ...{ qos, retain, subscriptionIds, share },
  };
  return encodeRecord("delivery", record);
}

/** Encodes a will that waits. */
export function encodeWill(
  { message, ...will }: KeptWill,
): Uint8Array<ArrayBuffer> {
  const head = { ...will, message: messageHead(message) };
  return encodeRecord("will", head, message);
}

/**
 * Decodes a record.
 *
 * @throws {RangeError} if it is none of this version
 */
export function decodeRecord(bytes: Uint8Array): BrokerRecord {
  const kind = KIND_NAMES.get(bytes[0] ?? 0);
  if (kind === undefined || bytes.length < PREFIX_BYTES) {
    throw new RangeError("a record of the broker has an unknown kind");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = PREFIX_BYTES + view.getUint32(1, true);
  const head = parseJson(bytes.subarray(PREFIX_BYTES, end));
  if (!isJsonObject(head)) {
    throw new RangeError("a record of the broker has no head");
  }
  const body = bytes.subarray(end);
  switch (kind) {
    case "retained":
    case "message":
      return { kind, message: messageOf(head as unknown as MessageHead, body) };
    case "session":
      return { kind, session: sessionOf(head as unknown as SessionHead) };
    case "delivery":
      return { kind, delivery: deliveryOf(head as unknown as DeliveryRecord) };
    case "will": {
      const { message, ...rest } = head as unknown as WillHead;
      const { clientId, delay, due, user, expiryInterval } = rest;
      return {
        kind,
        will: {
          ...{ clientId, delay, due, user, expiryInterval },
          message: messageOf(message, body),
        },
      };
    }
  }
}

interface MessageHead {
  readonly topic: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly expiresAt?: number;
  readonly publisher?: string;
  /** Lengths in bytes. */
  readonly payload: number;
  readonly properties?: number;
}

interface WillHead {
  readonly clientId: string;
  readonly delay: number;
  readonly due?: number;
  readonly user?: string;
  readonly expiryInterval?: number;
  readonly message: MessageHead;
}

/** JSON leaves out what is undefined. */
type SessionHead = Omit<KeptSession, "expiry"> & {
  readonly expiry: number | null;
};

function messageHead(message: Message): MessageHead {
  const { topic, qos, retain, expiresAt, publisher } = message;
  return {
    ...{ topic, qos, retain },
    ...(expiresAt !== undefined && { expiresAt }),
    ...(publisher !== undefined && { publisher }),
    payload: message.payload.length,
    ...(message.properties && { properties: message.properties.length }),
  };
}

function messageOf(head: MessageHead, body: Uint8Array): Message {
  const { topic, qos, retain, expiresAt, publisher } = head;
  const end = head.payload + (head.properties ?? 0);
  if (body.length !== end) {
    throw new RangeError("a message of the broker has a wrong length");
  }
  return {
    ...{ topic, qos, retain, expiresAt, publisher },
    // Copies: the row is not needed for as long.
    payload: body.slice(0, head.payload),
    properties: head.properties === undefined
      ? undefined
      : body.slice(head.payload, end),
    holders: 0,
  };
}

function sessionOf(head: SessionHead): KeptSession {
  const { clientId, user, disconnectedAt, receivedIds } = head;
  return {
    ...{ clientId, user, disconnectedAt, receivedIds },
    expiry: head.expiry ?? Infinity,
    subscriptions: head.subscriptions.map((one) => ({
      ...one,
      subscriptionId: one.subscriptionId,
    })),
  };
}

function deliveryOf(head: DeliveryRecord): DeliveryRecord {
  const { subscriptionIds, share } = head;
  return { ...head, subscriptionIds, share };
}

function encodeRecord(
  kind: keyof typeof KINDS,
  head: object,
  { payload, properties }: Partial<Pick<Message, "payload" | "properties">> =
    {},
): Uint8Array<ArrayBuffer> {
  const text = encodeText(JSON.stringify(head));
  const at = PREFIX_BYTES + text.length;
  const bytes = new Uint8Array(
    at + (payload?.length ?? 0) + (properties?.length ?? 0),
  );
  bytes[0] = KINDS[kind];
  new DataView(bytes.buffer).setUint32(1, text.length, true);
  bytes.set(text, PREFIX_BYTES);
  if (payload !== undefined) bytes.set(payload, at);
  if (properties !== undefined) {
    bytes.set(properties, at + (payload?.length ?? 0));
  }
  return bytes;
}
