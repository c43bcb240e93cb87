/**
 * CONNECT: who may connect, and the answer (MQTT 5, 3.1 and 3.2).
 *
 * @module
 */
import type { Identity, Login, LoginRefusal } from "../access/access.ts";
import { appendConnack } from "../codec/connack.ts";
import type {
  ConnackProperties,
  ConnectPacket,
  Will as WillPacket,
} from "../codec/packets.ts";
import { ConnackCode, ReasonCode } from "../codec/reason_codes.ts";
import { countLevels } from "../codec/topic_names.ts";
import { ByteWriter } from "../../common/byte_writer.ts";
import type { ConnectionSettings } from "../limits.ts";
import type { Transport } from "../listeners/transport.ts";
import type { Message } from "../message.ts";
import type {
  ConnectRequest,
  ConnectResult,
} from "../sessions/session_registry.ts";
import type { Session } from "../sessions/session.ts";
import type { ConnectionContext } from "./context.ts";
import { TOPIC_ALIAS_MAXIMUM } from "./topic_aliases.ts";

/** Session Expiry Interval of a session that never expires (3.1.2.11.2). */
const NEVER_SECONDS = 0xffff_ffff;
/** A CONNACK of MQTT 5 without properties. */
const REFUSAL_BYTES = 5;
/** Client ids that are longer, in UTF-16 code units, are refused. */
const MAX_CLIENT_ID_LENGTH = 1024;

/** Why a CONNECT is refused. */
export type ConnectRefusal =
  | LoginRefusal
  | NonNullable<ConnectResult["refused"]>
  | "authentication-method"
  | "foreign-page"
  | "packet-size"
  | "will-topic";

/** Return code (MQTT 3.1.1, 3.2.2.3), reason code (MQTT 5, 3.2.2.2), reason. */
const ANSWERS: Record<ConnectRefusal, readonly [number, number, string]> = {
  "bad-credentials": [
    ConnackCode.BadUserNameOrPassword,
    ReasonCode.BadUserNameOrPassword,
    "wrong user name or password",
  ],
  "not-authorized": [
    ConnackCode.NotAuthorized,
    ReasonCode.NotAuthorized,
    "a user name and a password are required",
  ],
  "client-id": [
    ConnackCode.IdentifierRejected,
    ReasonCode.ClientIdentifierNotValid,
    "its client id is not allowed",
  ],
  "busy": [
    ConnackCode.ServerUnavailable,
    ReasonCode.ServerBusy,
    "too many logins at the same time",
  ],
  "other-user": [
    ConnackCode.IdentifierRejected,
    ReasonCode.ClientIdentifierNotValid,
    "the session belongs to another user",
  ],
  "too-many-sessions": [
    ConnackCode.ServerUnavailable,
    ReasonCode.QuotaExceeded,
    "too many sessions",
  ],
  "will-memory": [
    ConnackCode.ServerUnavailable,
    ReasonCode.QuotaExceeded,
    "wills and messages that wait use up their memory",
  ],
  "authentication-method": [
    ConnackCode.NotAuthorized,
    ReasonCode.BadAuthenticationMethod,
    "authentication methods are not supported",
  ],
  "foreign-page": [
    ConnackCode.NotAuthorized,
    ReasonCode.NotAuthorized,
    "a page of another site may not connect without a user",
  ],
  "packet-size": [
    ConnackCode.ServerUnavailable, // not sent: a property of MQTT 5
    ReasonCode.PacketTooLarge,
    "its Maximum Packet Size is too small for a CONNACK",
  ],
  "will-topic": [
    ConnackCode.NotAuthorized,
    ReasonCode.TopicNameInvalid,
    "the topic of its will has too many levels",
  ],
};

/** Returns the reason of a refusal, for the log. */
export function describeRefusal(refusal: ConnectRefusal): string {
  return ANSWERS[refusal][2];
}

/** Returns why a CONNECT is refused for any client. */
export function problemOf(
  { version, clientId, clean, will, properties }: ConnectPacket,
  maxTopicLevels: number,
): ConnectRefusal | undefined {
  // (MQTT 5, 4.12)
  if (properties.authenticationMethod !== undefined) {
    return "authentication-method";
  }
  // (MQTT 3.1.1, 3.1.3-8)
  if (clientId === "" && version === 4 && !clean) return "client-id";
  if (clientId.length > MAX_CLIENT_ID_LENGTH) return "client-id";
  if (will !== undefined && countLevels(will.topic) > maxTopicLevels) {
    return "will-topic";
  }
  return undefined;
}

/**
 * Returns what a CONNECT says of its client.
 *
 * @param isConnected returns false after the connection has ended
 */
export function loginOf(
  packet: ConnectPacket,
  transport: Transport,
  isConnected: () => boolean,
): Login {
  const { clientId, username, password } = packet;
  const { address, certificateName } = transport;
  return {
    // (MQTT 3.1.1, 3.1.3-6; MQTT 5, 3.1.3.1)
    clientId: clientId === "" ? `auto-${crypto.randomUUID()}` : clientId,
    user: username,
    password,
    certificateName,
    address,
    isConnected,
  };
}

/** Returns the Session Expiry Interval, in s (MQTT 5, 3.1.2.11.2). */
export function expiryOf(packet: ConnectPacket): number {
  if (packet.version === 4) return packet.clean ? 0 : Infinity;
  return secondsOf(packet.properties.sessionExpiryInterval ?? 0);
}

/** Returns a Session Expiry Interval, in s; Infinity: never. */
export function secondsOf(interval: number): number {
  return interval === NEVER_SECONDS ? Infinity : interval;
}

/** Returns the will of a CONNECT; its lifetime begins when it is published. */
export function willOf(
  will: WillPacket | undefined,
  { clientId, user }: Identity,
): ConnectRequest["will"] {
  if (will === undefined) return undefined;
  const message: Message = {
    topic: will.topic,
    payload: will.payload,
    qos: will.qos,
    retain: will.retain,
    properties: will.properties.length === 0 ? undefined : will.properties,
    expiresAt: undefined,
    publisher: clientId,
    holders: 0,
  };
  const { delayInterval, messageExpiryInterval } = will;
  return {
    message,
    user,
    delay: delayInterval,
    expiryInterval: messageExpiryInterval,
  };
}

/**
 * Appends the CONNACK of a refused CONNECT.
 *
 * @returns false if it is larger than the client accepts (MQTT 5, 3.1.2-24)
 */
export function appendRefusal(
  out: ByteWriter,
  { version, properties }: ConnectPacket,
  refusal: ConnectRefusal,
): boolean {
  const { maximumPacketSize = REFUSAL_BYTES } = properties;
  if (version === 5 && maximumPacketSize < REFUSAL_BYTES) return false;
  const [returnCode, reasonCode] = ANSWERS[refusal];
  appendConnack(out, version, {
    sessionPresent: false,
    reasonCode: version === 4 ? returnCode : reasonCode,
  });
  return true;
}

/**
 * Returns true if the client accepts a CONNACK of that size (MQTT 5, 3.1.2-24).
 * It has no property that may be left out.
 */
export function mayAccept(
  packet: ConnectPacket,
  { settings, router }: ConnectionContext,
  clientId: string,
): boolean {
  const { maximumPacketSize } = packet.properties;
  if (maximumPacketSize === undefined) return true;
  const expiry = router.sessions.grantedExpiry(expiryOf(packet));
  const out = new ByteWriter();
  appendAccepted(out, packet, settings, { clientId, expiry }, false);
  return out.at <= maximumPacketSize;
}

/** Appends the CONNACK of an accepted CONNECT. */
export function appendAccepted(
  out: ByteWriter,
  packet: ConnectPacket,
  settings: ConnectionSettings,
  session: Pick<Session, "clientId" | "expiry">,
  isPresent: boolean,
): void {
  const properties: ConnackProperties = {
    receiveMaximum: settings.receiveMaximum,
    maximumPacketSize: settings.maxPacketBytes,
    topicAliasMaximum: TOPIC_ALIAS_MAXIMUM,
    ...(packet.clientId === "" && {
      assignedClientIdentifier: session.clientId,
    }),
    ...(expiryOf(packet) !== session.expiry && {
      sessionExpiryInterval: Math.min(session.expiry, NEVER_SECONDS),
    }),
  };
  appendConnack(out, packet.version, {
    sessionPresent: isPresent,
    reasonCode: ReasonCode.Success,
    properties,
  });
}
