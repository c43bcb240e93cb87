/**
 * The properties of MQTT 5 (2.2.2.2): their identifiers and types, and the
 * packets in which they are allowed.
 *
 * @module
 */
import { PacketType, type Properties } from "./packets.ts";

/** How the value of a property is encoded (MQTT 5, 1.5). */
export const ValueType = {
  /** A byte that must be 0 or 1. */
  Flag: 0,
  Uint16: 1,
  Uint32: 2,
  Varint: 3,
  String: 4,
  Binary: 5,
  /** Two strings. */
  Pair: 6,
  /** A string that is a topic name, not empty, without wildcards. */
  Topic: 7,
} as const;

/** One of the numbers of {@linkcode ValueType}. */
export type ValueType = typeof ValueType[keyof typeof ValueType];

/** One property. */
export interface PropertySpec {
  /** Its index in {@linkcode PROPERTIES}. */
  readonly index: number;
  /** The identifier on the wire. */
  readonly id: number;
  readonly key: keyof Properties;
  readonly type: ValueType;
  /** The smallest value of a number. */
  readonly min: number;
  /** True if it may occur more than once. */
  readonly isRepeatable: boolean;
}

/** The properties of the will, which are inside of CONNECT (3.1.3.2). */
export const WILL = 0;

/** A packet type, or {@linkcode WILL}: what has a list of properties. */
export type PropertyOwner = PacketType | typeof WILL;

const { Flag, Uint16, Uint32, Varint, String, Binary, Pair, Topic } = ValueType;
const { Connect, Connack, Publish, Disconnect, Auth } = PacketType;
const { Puback, Pubrec, Pubrel, Pubcomp } = PacketType;
const { Subscribe, Suback, Unsubscribe, Unsuback } = PacketType;

type Owners = readonly PropertyOwner[];

const MESSAGE: Owners = [Publish, WILL];
const CONNECTION: Owners = [Connect, Connack];
const ANSWERS: Owners = [Puback, Pubrec, Pubrel, Pubcomp, Suback, Unsuback];

const USERS: Owners = [
  ...[...CONNECTION, ...MESSAGE, ...ANSWERS],
  ...[Subscribe, Unsubscribe, Disconnect, Auth] as const,
];

type Row = [
  id: number,
  key: keyof Properties,
  type: ValueType,
  packets: Owners,
  min?: 1,
];

const ROWS: readonly Row[] = [
  [0x01, "payloadFormatIndicator", Flag, MESSAGE],
  [0x02, "messageExpiryInterval", Uint32, MESSAGE],
  [0x03, "contentType", String, MESSAGE],
  [0x08, "responseTopic", Topic, MESSAGE],
  [0x09, "correlationData", Binary, MESSAGE],
  // Only a server sends it in a PUBLISH (MQTT 5, 3.3.4-6).
  [0x0b, "subscriptionIdentifiers", Varint, [Subscribe], 1],
  [0x11, "sessionExpiryInterval", Uint32, [...CONNECTION, Disconnect]],
  [0x12, "assignedClientIdentifier", String, [Connack]],
  [0x13, "serverKeepAlive", Uint16, [Connack]],
  [0x15, "authenticationMethod", String, [...CONNECTION, Auth]],
  [0x16, "authenticationData", Binary, [...CONNECTION, Auth]],
  [0x17, "requestProblemInformation", Flag, [Connect]],
  [0x18, "willDelayInterval", Uint32, [WILL]],
  [0x19, "requestResponseInformation", Flag, [Connect]],
  [0x1a, "responseInformation", String, [Connack]],
  [0x1c, "serverReference", String, [Connack, Disconnect]],
  [0x1f, "reasonString", String, [Connack, ...ANSWERS, Disconnect, Auth]],
  [0x21, "receiveMaximum", Uint16, CONNECTION, 1],
  [0x22, "topicAliasMaximum", Uint16, CONNECTION],
  [0x23, "topicAlias", Uint16, [Publish], 1],
  [0x24, "maximumQoS", Flag, [Connack]],
  [0x25, "retainAvailable", Flag, [Connack]],
  [0x26, "userProperties", Pair, USERS],
  [0x27, "maximumPacketSize", Uint32, CONNECTION, 1],
  [0x28, "wildcardSubscriptionAvailable", Flag, [Connack]],
  [0x29, "subscriptionIdentifiersAvailable", Flag, [Connack]],
  [0x2a, "sharedSubscriptionAvailable", Flag, [Connack]],
];

/** All properties, by ascending identifier; fewer than 32. */
export const PROPERTIES: readonly PropertySpec[] = ROWS.map(
  ([id, key, type, _owners, min = 0], index) => ({
    ...{ index, id, key, type, min },
    isRepeatable: type === Pair,
  }),
);

const BY_ID: (PropertySpec | undefined)[] = [];
for (const spec of PROPERTIES) BY_ID[spec.id] = spec;

/** For each owner a bit for the index of each allowed property. */
const ALLOWED: number[] = new Array(16).fill(0);
ROWS.forEach(([_id, _key, _type, owners], index) => {
  for (const owner of owners) ALLOWED[owner]! |= 1 << index;
});

/** Returns the property of an identifier, if there is one. */
export function propertyOf(id: number): PropertySpec | undefined {
  return BY_ID[id];
}

/**
 * Returns a bit for the index of each property that a packet may have.
 *
 * @param owner the packet
 */
export function allowedProperties(owner: PropertyOwner): number {
  return ALLOWED[owner]!;
}
