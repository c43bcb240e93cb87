/**
 * The reason codes of MQTT 5 and the return codes of MQTT 3.1.1.
 *
 * @module
 */

/** The reason codes (MQTT 5, 2.4); 0x80 or more: failure. */
export const ReasonCode = {
  /** Also: normal disconnection, granted QoS 0. */
  Success: 0x00,
  /** Of SUBACK. */
  GrantedQoS1: 0x01,
  /** Of SUBACK. */
  GrantedQoS2: 0x02,
  /** Of DISCONNECT. */
  DisconnectWithWill: 0x04,
  NoMatchingSubscribers: 0x10,
  NoSubscriptionExisted: 0x11,
  ContinueAuthentication: 0x18,
  ReAuthenticate: 0x19,
  UnspecifiedError: 0x80,
  MalformedPacket: 0x81,
  ProtocolError: 0x82,
  ImplementationSpecificError: 0x83,
  UnsupportedProtocolVersion: 0x84,
  ClientIdentifierNotValid: 0x85,
  BadUserNameOrPassword: 0x86,
  NotAuthorized: 0x87,
  ServerUnavailable: 0x88,
  ServerBusy: 0x89,
  Banned: 0x8a,
  ServerShuttingDown: 0x8b,
  BadAuthenticationMethod: 0x8c,
  KeepAliveTimeout: 0x8d,
  SessionTakenOver: 0x8e,
  TopicFilterInvalid: 0x8f,
  TopicNameInvalid: 0x90,
  PacketIdentifierInUse: 0x91,
  PacketIdentifierNotFound: 0x92,
  ReceiveMaximumExceeded: 0x93,
  TopicAliasInvalid: 0x94,
  PacketTooLarge: 0x95,
  MessageRateTooHigh: 0x96,
  QuotaExceeded: 0x97,
  AdministrativeAction: 0x98,
  PayloadFormatInvalid: 0x99,
  RetainNotSupported: 0x9a,
  QoSNotSupported: 0x9b,
  UseAnotherServer: 0x9c,
  ServerMoved: 0x9d,
  SharedSubscriptionsNotSupported: 0x9e,
  ConnectionRateExceeded: 0x9f,
  MaximumConnectTime: 0xa0,
  SubscriptionIdentifiersNotSupported: 0xa1,
  WildcardSubscriptionsNotSupported: 0xa2,
} as const;

/** One of the numbers of {@linkcode ReasonCode}. */
export type ReasonCode = typeof ReasonCode[keyof typeof ReasonCode];

/** The return codes of CONNACK (MQTT 3.1.1, 3.2.2.3). */
export const ConnackCode = {
  Accepted: 0,
  UnacceptableProtocolVersion: 1,
  IdentifierRejected: 2,
  ServerUnavailable: 3,
  BadUserNameOrPassword: 4,
  NotAuthorized: 5,
} as const;

/** One of the numbers of {@linkcode ConnackCode}. */
export type ConnackCode = typeof ConnackCode[keyof typeof ConnackCode];

/** The code of a SUBACK that refuses a filter (MQTT 3.1.1, 3.9.3). */
export const SUBACK_FAILURE = 0x80;
