/**
 * The control packets of MQTT 3.1.1 and 5, decoded: unions on `type`.
 *
 * Decoded packets hold views of the input where it says so; everything else is
 * a copy.
 *
 * @module
 */

/**
 * The numbers of the packet types (MQTT 5, 2.1.2). Auth exists in MQTT 5 only.
 */
export const PacketType = {
  /** Client to server. */
  Connect: 1,
  /** Server to client. */
  Connack: 2,
  /** Both directions. */
  Publish: 3,
  /** Both directions, QoS 1. */
  Puback: 4,
  /** Both directions, QoS 2, first answer. */
  Pubrec: 5,
  /** Both directions, QoS 2, second packet of the sender. */
  Pubrel: 6,
  /** Both directions, QoS 2, last answer. */
  Pubcomp: 7,
  /** Client to server. */
  Subscribe: 8,
  /** Server to client. */
  Suback: 9,
  /** Client to server. */
  Unsubscribe: 10,
  /** Server to client. */
  Unsuback: 11,
  /** Client to server. */
  Pingreq: 12,
  /** Server to client. */
  Pingresp: 13,
  /** Client to server; in MQTT 5 both directions. */
  Disconnect: 14,
  /** MQTT 5 only, both directions. */
  Auth: 15,
} as const;

/** One of the numbers of {@linkcode PacketType}. */
export type PacketType = typeof PacketType[keyof typeof PacketType];

/** The protocol level: 4 is MQTT 3.1.1, 5 is MQTT 5 (MQTT 5, 3.1.2.2). */
export type Version = 4 | 5;

/**
 * Quality of service: at most once, at least once, exactly once (MQTT 5, 4.3).
 */
export type QoS = 0 | 1 | 2;

/** A name and a value (MQTT 5, 2.2.2.2). */
export type UserProperty = readonly [name: string, value: string];

/**
 * The properties of MQTT 5 (2.2.2.2), decoded; a missing one was not sent.
 * Intervals are in seconds, sizes in bytes.
 */
export interface Properties {
  /** 1: the payload is UTF-8 (MQTT 5, 3.3.2.3.2). */
  readonly payloadFormatIndicator?: 0 | 1;
  /** Lifetime of the message, 0 to 2^32 - 1 s (MQTT 5, 3.3.2.3.3). */
  readonly messageExpiryInterval?: number;
  /** For the receiver of a message (MQTT 5, 3.3.2.3.9). */
  readonly contentType?: string;
  /** The topic for an answer; no wildcards (MQTT 5, 3.3.2.3.5). */
  readonly responseTopic?: string;
  /** Identifies a request (MQTT 5, 3.3.2.3.6). A copy. */
  readonly correlationData?: Uint8Array;
  /**
   * Of the subscription, 1 to 268,435,455; one in SUBSCRIBE, one for each
   * matching subscription in PUBLISH (MQTT 5, 3.3.2.3.8, 3.8.2.1.2).
   */
  readonly subscriptionIdentifiers?: readonly number[];
  /** 2^32 - 1: the session never expires (MQTT 5, 3.1.2.11.2). */
  readonly sessionExpiryInterval?: number;
  /** The id that the server chose (MQTT 5, 3.2.2.3.7). */
  readonly assignedClientIdentifier?: string;
  /** Replaces the client's keep-alive, in s (MQTT 5, 3.2.2.3.14). */
  readonly serverKeepAlive?: number;
  /** (MQTT 5, 3.1.2.11.9) */
  readonly authenticationMethod?: string;
  /** (MQTT 5, 3.1.2.11.10) A copy. */
  readonly authenticationData?: Uint8Array;
  /**
   * 0: reason strings and user properties only in PUBLISH, CONNACK and
   * DISCONNECT (MQTT 5, 3.1.2.11.7).
   */
  readonly requestProblemInformation?: 0 | 1;
  /** Delay of the will after the end of the connection (MQTT 5, 3.1.3.2.2). */
  readonly willDelayInterval?: number;
  /** 1: the client wants Response Information (MQTT 5, 3.1.2.11.6). */
  readonly requestResponseInformation?: 0 | 1;
  /** (MQTT 5, 3.2.2.3.15) */
  readonly responseInformation?: string;
  /** Another server to use (MQTT 5, 4.11). */
  readonly serverReference?: string;
  /** For people (MQTT 5, 3.2.2.3.9). */
  readonly reasonString?: string;
  /** QoS 1 and 2 messages in flight, 1 to 65,535 (MQTT 5, 3.1.2.11.3). */
  readonly receiveMaximum?: number;
  /** The highest topic alias, 0 for none (MQTT 5, 3.1.2.11.5). */
  readonly topicAliasMaximum?: number;
  /** In place of the topic, 1 to 65,535 (MQTT 5, 3.3.2.3.4). */
  readonly topicAlias?: number;
  /** The highest QoS of the server (MQTT 5, 3.2.2.3.4). */
  readonly maximumQoS?: 0 | 1;
  /** (MQTT 5, 3.2.2.3.5) */
  readonly retainAvailable?: 0 | 1;
  /** In the order in which they were sent (MQTT 5, 3.1.2.11.8). */
  readonly userProperties?: readonly UserProperty[];
  /** The largest packet, fixed header included, 1 or more (MQTT 5, 3.1.2.11.4). */
  readonly maximumPacketSize?: number;
  /** (MQTT 5, 3.2.2.3.11) */
  readonly wildcardSubscriptionAvailable?: 0 | 1;
  /** (MQTT 5, 3.2.2.3.12) */
  readonly subscriptionIdentifiersAvailable?: 0 | 1;
  /** (MQTT 5, 3.2.2.3.13) */
  readonly sharedSubscriptionAvailable?: 0 | 1;
}

/** The message that the server publishes when the connection is lost. */
export interface Will {
  /** Not empty, no wildcards. */
  readonly topic: string;
  /** A copy. */
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** In s; 0 with MQTT 3.1.1 (MQTT 5, 3.1.3.2.2). */
  readonly delayInterval: number;
  /** In s; undefined: never expires (MQTT 5, 3.1.3.2.4). */
  readonly messageExpiryInterval: number | undefined;
  /** As {@linkcode PublishPacket.properties}; a copy. */
  readonly properties: Uint8Array;
}

/** The first packet of a client (MQTT 5, 3.1). */
export interface ConnectPacket {
  readonly type: typeof PacketType.Connect;
  readonly version: Version;
  /** True if the protocol level has bit 0x80, as bridges of Mosquitto set it. */
  readonly isBridge: boolean;
  /** Clean Session of MQTT 3.1.1, Clean Start of MQTT 5. */
  readonly clean: boolean;
  /** In s, 0 for none. */
  readonly keepAlive: number;
  /** May be empty: the session layer decides. */
  readonly clientId: string;
  readonly will: Will | undefined;
  readonly username: string | undefined;
  /** A copy. */
  readonly password: Uint8Array | undefined;
  /** Empty with MQTT 3.1.1. */
  readonly properties: ConnectProperties;
}

/** Properties of CONNECT (MQTT 5, 3.1.2.11). */
export type ConnectProperties = Pick<
  Properties,
  | "sessionExpiryInterval"
  | "receiveMaximum"
  | "maximumPacketSize"
  | "topicAliasMaximum"
  | "requestResponseInformation"
  | "requestProblemInformation"
  | "userProperties"
  | "authenticationMethod"
  | "authenticationData"
>;

/** The answer to CONNECT (MQTT 5, 3.2). */
export interface ConnackPacket {
  readonly type: typeof PacketType.Connack;
  readonly sessionPresent: boolean;
  /** A `ConnackCode` of MQTT 3.1.1, or a `ReasonCode` of MQTT 5. */
  readonly reasonCode: number;
  /** MQTT 5 only. */
  readonly properties?: ConnackProperties;
}

/** Properties of CONNACK (MQTT 5, 3.2.2.3). */
export type ConnackProperties = Pick<
  Properties,
  | "sessionExpiryInterval"
  | "receiveMaximum"
  | "maximumQoS"
  | "retainAvailable"
  | "maximumPacketSize"
  | "assignedClientIdentifier"
  | "topicAliasMaximum"
  | "reasonString"
  | "userProperties"
  | "wildcardSubscriptionAvailable"
  | "subscriptionIdentifiersAvailable"
  | "sharedSubscriptionAvailable"
  | "serverKeepAlive"
  | "responseInformation"
  | "serverReference"
  | "authenticationMethod"
  | "authenticationData"
>;

/** A message from a client (MQTT 5, 3.3). */
export interface PublishPacket {
  readonly type: typeof PacketType.Publish;
  readonly qos: QoS;
  readonly dup: boolean;
  readonly retain: boolean;
  /** 1 to 65,535; 0 at QoS 0. */
  readonly packetId: number;
  /** Valid, no wildcards; empty only with a topic alias. */
  readonly topic: string;
  /** 1 to 65,535; 0 for none (MQTT 5, 3.3.2.3.4). */
  readonly topicAlias: number;
  /** In s; undefined: never expires (MQTT 5, 3.3.2.3.3). */
  readonly messageExpiryInterval: number | undefined;
  /**
   * The encoded properties to forward, unchanged and in order, without their
   * length (MQTT 5, 3.3.2.3). Topic Alias and Message Expiry Interval are not
   * among them. `decodeForwardedProperties` decodes them. A view of the input,
   * or empty.
   */
  readonly properties: Uint8Array;
  /** A view of the input. */
  readonly payload: Uint8Array;
}

/** The properties of a message that a receiver may be interested in. */
export type ForwardedProperties = Pick<
  Properties,
  | "payloadFormatIndicator"
  | "contentType"
  | "responseTopic"
  | "correlationData"
  | "userProperties"
>;

/** The types of the packets that acknowledge a PUBLISH. */
export type AcknowledgementType =
  | typeof PacketType.Puback
  | typeof PacketType.Pubrec
  | typeof PacketType.Pubrel
  | typeof PacketType.Pubcomp;

/** PUBACK, PUBREC, PUBREL or PUBCOMP (MQTT 5, 3.4 to 3.7). */
export interface AcknowledgementPacket {
  readonly type: AcknowledgementType;
  /** 1 to 65,535. */
  readonly packetId: number;
  /** A `ReasonCode`; 0 with MQTT 3.1.1. */
  readonly reasonCode: number;
  /** Empty with MQTT 3.1.1. */
  readonly properties: ReasonProperties;
}

/** Properties of most answers (MQTT 5, 3.4.2.2). */
export type ReasonProperties = Pick<
  Properties,
  "reasonString" | "userProperties"
>;

/**
 * When the server sends retained messages: 0 at every subscribe, 1 only if the
 * subscription is new, 2 never (MQTT 5, 3.8.3.1).
 */
export type RetainHandling = 0 | 1 | 2;

/** One topic filter of a SUBSCRIBE, with its options (MQTT 5, 3.8.3.1). */
export interface SubscriptionRequest {
  /** As sent, `$share/group/` included; identifies the subscription. */
  readonly filter: string;
  /**
   * The group of a shared subscription; undefined if it is not shared, or not
   * valid (MQTT 5, 4.8.2).
   */
  readonly shareName: string | undefined;
  /** The filter to match topics with: `filter` without `$share/group/`. */
  readonly topicFilter: string;
  /** False: answer with 0x8F, in MQTT 3.1.1 with 0x80. */
  readonly isValid: boolean;
  readonly qos: QoS;
  /** False with MQTT 3.1.1. */
  readonly noLocal: boolean;
  /** False with MQTT 3.1.1. */
  readonly retainAsPublished: boolean;
  /** 0 with MQTT 3.1.1. */
  readonly retainHandling: RetainHandling;
}

/** (MQTT 5, 3.8) */
export interface SubscribePacket {
  readonly type: typeof PacketType.Subscribe;
  /** 1 to 65,535. */
  readonly packetId: number;
  /** 1 to 268,435,455, for all of the subscriptions; undefined: none. */
  readonly subscriptionIdentifier: number | undefined;
  /** Empty with MQTT 3.1.1. */
  readonly properties: Pick<Properties, "userProperties">;
  /** At least one, in the order of the packet. */
  readonly subscriptions: readonly SubscriptionRequest[];
}

/** The answer to SUBSCRIBE (3.9) or UNSUBSCRIBE (3.11). */
export interface SubackPacket {
  readonly type: typeof PacketType.Suback | typeof PacketType.Unsuback;
  readonly packetId: number;
  /** One for each filter; an UNSUBACK of MQTT 3.1.1 has none. */
  readonly reasonCodes: readonly number[];
  /** MQTT 5 only. */
  readonly properties?: ReasonProperties;
}

/** (MQTT 5, 3.10) */
export interface UnsubscribePacket {
  readonly type: typeof PacketType.Unsubscribe;
  /** 1 to 65,535. */
  readonly packetId: number;
  /** Empty with MQTT 3.1.1. */
  readonly properties: Pick<Properties, "userProperties">;
  /** At least one, in the order of the packet; may be invalid. */
  readonly filters: readonly string[];
}

/** (MQTT 5, 3.12) */
export interface PingreqPacket {
  readonly type: typeof PacketType.Pingreq;
}

/** (MQTT 5, 3.14) */
export interface DisconnectPacket {
  readonly type: typeof PacketType.Disconnect;
  /** A `ReasonCode`; 0 with MQTT 3.1.1. */
  readonly reasonCode: number;
  /** Empty with MQTT 3.1.1. */
  readonly properties: DisconnectProperties;
}

/** Properties of DISCONNECT (MQTT 5, 3.14.2.2). */
export type DisconnectProperties = Pick<
  Properties,
  | "sessionExpiryInterval"
  | "reasonString"
  | "userProperties"
  | "serverReference"
>;

/** (MQTT 5, 3.15) */
export interface AuthPacket {
  readonly type: typeof PacketType.Auth;
  /** A `ReasonCode`. */
  readonly reasonCode: number;
  readonly properties: AuthProperties;
}

/** Properties of AUTH (MQTT 5, 3.15.2.2). */
export type AuthProperties = Pick<
  Properties,
  | "authenticationMethod"
  | "authenticationData"
  | "reasonString"
  | "userProperties"
>;

/** What a client sends. */
export type ClientPacket =
  | ConnectPacket
  | PublishPacket
  | AcknowledgementPacket
  | SubscribePacket
  | UnsubscribePacket
  | PingreqPacket
  | DisconnectPacket
  | AuthPacket;
