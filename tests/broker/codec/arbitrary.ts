/**
 * Arbitrary valid packets of a client for fast-check: bytes, and what they must
 * decode to.
 *
 * @module
 */
import fc from "fast-check";
import {
  type ClientPacket,
  PacketType,
  type Properties,
  type Version,
} from "../../../src/broker/codec/packets.ts";
import { encodeForwardedProperties } from "../../../src/broker/codec/properties_encoder.ts";
import { ReasonCode } from "../../../src/broker/codec/reason_codes.ts";
import { parseFilter } from "../../../src/broker/codec/topic_names.ts";
import {
  binary,
  connectFrame,
  frame,
  join,
  type Part,
  properties,
  u16,
  u32,
} from "../../support/packet_bytes.ts";

/** A packet as bytes, and decoded. */
export interface Sample {
  readonly bytes: Uint8Array;
  readonly packet: ClientPacket;
}

const LEVEL = fc.string({
  unit: fc.constantFrom(..."abc/$ é€𝄞\ufeff"),
  maxLength: 8,
});
/** A topic name. */
export const TOPIC = LEVEL.map((text) => text || "t");
const FILTER = fc.oneof(
  TOPIC,
  fc.constantFrom("#", "+", "a/#", "+/b", "/+/#", "$share/g/a/+", "a#", "++"),
);
const NAME = fc.string({
  unit: fc.constantFrom(..."abcXYZ09-_.é€"),
  maxLength: 12,
});
const TEXT = fc.string({ unit: "grapheme", maxLength: 10 })
  .filter((text) => !text.includes("\0"));
/** Application messages and other binary data. */
export const BYTES: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 24 });
export const PACKET_ID: fc.Arbitrary<number> = fc.integer({
  min: 1,
  max: 65_535,
});
const UINT32 = fc.oneof(fc.constantFrom(0, 2 ** 32 - 1), fc.nat());
const QOS = fc.constantFrom(0 as const, 1 as const, 2 as const);
const FLAG = fc.constantFrom(0 as const, 1 as const);
const USER_PROPERTIES = fc.array(fc.tuple(TEXT, TEXT), {
  minLength: 1,
  maxLength: 3,
});

/** The properties that are forwarded to subscribers. */
export const FORWARDED: fc.Arbitrary<Properties> = record({
  payloadFormatIndicator: FLAG,
  contentType: TEXT,
  responseTopic: TOPIC,
  correlationData: BYTES,
  userProperties: USER_PROPERTIES,
});
/** The properties of most answers. */
export const REASON: fc.Arbitrary<Properties> = record({
  reasonString: TEXT,
  userProperties: USER_PROPERTIES,
});
const CONNECT: fc.Arbitrary<Properties> = record({
  sessionExpiryInterval: UINT32,
  receiveMaximum: PACKET_ID,
  maximumPacketSize: PACKET_ID,
  topicAliasMaximum: fc.nat(65_535),
  requestResponseInformation: FLAG,
  requestProblemInformation: FLAG,
  userProperties: USER_PROPERTIES,
  authenticationMethod: TEXT,
});

/** Any of the fields. */
function record(
  model: { [K in keyof Properties]: fc.Arbitrary<Properties[K]> },
): fc.Arbitrary<Properties> {
  return fc.record(model, {
    requiredKeys: [],
    noNullPrototype: true,
  }) as fc.Arbitrary<Properties>;
}

/** A CONNECT. */
export function connectSample(version: Version): fc.Arbitrary<Sample> {
  const will = fc.record({
    topic: TOPIC,
    payload: BYTES,
    qos: QOS,
    retain: fc.boolean(),
    delayInterval: fc.nat(1000),
    messageExpiryInterval: fc.option(UINT32, { nil: undefined }),
    forwarded: FORWARDED,
  });
  return fc.record({
    isBridge: fc.boolean(),
    clean: fc.boolean(),
    clientId: NAME,
    will: fc.option(will, { nil: undefined }),
    username: fc.option(NAME, { nil: undefined }),
    password: fc.option(BYTES, { nil: undefined }),
    list: CONNECT,
  }).filter(({ username, password }) =>
    version === 5 || username !== undefined || password === undefined
  ).map(({ will, list, ...fields }) => {
    const payload: Part[] = [fields.clientId];
    let flags = (fields.clean ? 2 : 0) |
      (fields.username === undefined ? 0 : 0x80) |
      (fields.password === undefined ? 0 : 0x40);
    const forwarded = encodeForwardedProperties(will?.forwarded ?? {});
    if (will) {
      flags |= 4 | will.qos << 3 | (will.retain ? 0x20 : 0);
      const own = join(
        ...[0x18, u32(will.delayInterval), forwarded] as const,
        ...will.messageExpiryInterval === undefined
          ? []
          : [0x02, u32(will.messageExpiryInterval)],
      );
      payload.push(
        ...[properties(version, own), will.topic, binary(...will.payload)],
      );
    }
    if (fields.username !== undefined) payload.push(fields.username);
    if (fields.password !== undefined) payload.push(binary(...fields.password));
    const bytes = connectFrame(version, {
      level: version | (fields.isBridge ? 0x80 : 0),
      flags,
      properties: properties(version, encodeForwardedProperties(list)),
      payload,
    });
    const { forwarded: _, ...rest } = will ?? { forwarded: {} };
    const decodedWill = version === 5 ? { ...rest, properties: forwarded } : {
      ...rest,
      delayInterval: 0,
      messageExpiryInterval: undefined,
      properties: new Uint8Array(),
    };
    return {
      bytes,
      packet: {
        type: PacketType.Connect,
        version,
        keepAlive: 60,
        ...fields,
        will: will && decodedWill,
        properties: version === 5 ? list : {},
      } as ClientPacket,
    };
  });
}

/** A PUBLISH. */
export function publishSample(version: Version): fc.Arbitrary<Sample> {
  return fc.record({
    qos: QOS,
    dup: fc.boolean(),
    retain: fc.boolean(),
    packetId: PACKET_ID,
    topic: TOPIC,
    topicAlias: fc.oneof(fc.constant(0), PACKET_ID),
    messageExpiryInterval: fc.option(UINT32, { nil: undefined }),
    forwarded: FORWARDED,
    payload: BYTES,
  }).map(({ forwarded, ...fields }) => {
    const { qos, retain, topicAlias, messageExpiryInterval } = fields;
    const dup = fields.dup && qos > 0;
    const packetId = qos > 0 ? fields.packetId : 0;
    const encoded = encodeForwardedProperties(forwarded);
    const list = join(
      ...topicAlias > 0 ? [0x23, u16(topicAlias)] : [],
      encoded,
      ...messageExpiryInterval === undefined
        ? []
        : [0x02, u32(messageExpiryInterval)],
    );
    const bytes = frame(
      0x30 | (dup ? 8 : 0) | qos << 1 | (retain ? 1 : 0),
      fields.topic,
      ...qos > 0 ? [u16(packetId)] : [],
      properties(version, list),
      fields.payload,
    );
    const own = version === 5
      ? { topicAlias, messageExpiryInterval, properties: encoded }
      : {
        topicAlias: 0,
        messageExpiryInterval: undefined,
        properties: new Uint8Array(),
      };
    return {
      bytes,
      packet: {
        ...fields,
        ...own,
        ...{ type: PacketType.Publish, dup, packetId },
      } as ClientPacket,
    };
  });
}

function acknowledgementSample(version: Version): fc.Arbitrary<Sample> {
  const first = { 4: 0x40, 5: 0x50, 6: 0x62, 7: 0x70 };
  return fc.record({
    type: fc.constantFrom(4 as const, 5 as const, 6 as const, 7 as const),
    packetId: PACKET_ID,
    isFailure: fc.boolean(),
    list: REASON,
  }).map(({ type, packetId, isFailure, list }) => {
    const failure = type < PacketType.Pubrel
      ? ReasonCode.QuotaExceeded
      : ReasonCode.PacketIdentifierNotFound;
    const reasonCode = version === 5 && isFailure ? failure : 0;
    const rest = version === 5
      ? [reasonCode, properties(5, encodeForwardedProperties(list))]
      : [];
    return {
      bytes: frame(first[type], u16(packetId), ...rest),
      packet: {
        ...{ type, packetId, reasonCode },
        properties: version === 5 ? list : {},
      },
    };
  });
}

function subscribeSample(version: Version): fc.Arbitrary<Sample> {
  const subscription = fc.record({
    filter: FILTER,
    qos: QOS,
    noLocal: fc.boolean(),
    retainAsPublished: fc.boolean(),
    retainHandling: fc.constantFrom(0, 1, 2),
  });
  return fc.record({
    packetId: PACKET_ID,
    subscriptions: fc.array(subscription, { minLength: 1, maxLength: 4 }),
  }).map(({ packetId, subscriptions }) => {
    const decoded = subscriptions.map((one) => {
      const parsed = parseFilter(one.filter);
      return {
        filter: one.filter,
        shareName: parsed?.shareName,
        topicFilter: parsed?.topicFilter ?? one.filter,
        isValid: parsed !== undefined,
        qos: one.qos,
        noLocal: version === 5 && one.noLocal && !parsed?.shareName,
        retainAsPublished: version === 5 && one.retainAsPublished,
        retainHandling: version === 5 ? one.retainHandling : 0,
      };
    });
    const bytes = frame(
      ...[0x82, u16(packetId), properties(version)] as const,
      ...decoded.flatMap((one) => [
        one.filter,
        one.qos | (one.noLocal ? 4 : 0) | (one.retainAsPublished ? 8 : 0) |
        one.retainHandling << 4,
      ]),
    );
    return {
      bytes,
      packet: {
        ...{ type: PacketType.Subscribe, packetId, subscriptions: decoded },
        subscriptionIdentifier: undefined,
        properties: {},
      } as ClientPacket,
    };
  });
}

function unsubscribeSample(version: Version): fc.Arbitrary<Sample> {
  const filters = fc.array(FILTER, { minLength: 1, maxLength: 4 });
  return fc.tuple(PACKET_ID, filters, USER_PROPERTIES).map(
    ([packetId, filters, userProperties]) => {
      const list = encodeForwardedProperties({ userProperties });
      return {
        bytes: frame(
          ...[0xa2, u16(packetId), properties(version, list), ...filters],
        ),
        packet: {
          ...{ type: PacketType.Unsubscribe, packetId, filters },
          properties: version === 5 ? { userProperties } : {},
        },
      };
    },
  );
}

const PINGREQ: Sample = {
  bytes: frame(0xc0),
  packet: { type: PacketType.Pingreq },
};

function disconnectSample(version: Version): fc.Arbitrary<Sample> {
  const code = fc.constantFrom(0, 4, 0x80, 0x95);
  return fc.tuple(code, REASON).map(([code, list]) => {
    const isFive = version === 5;
    const body = isFive
      ? [code, properties(5, encodeForwardedProperties(list))]
      : [];
    return {
      bytes: frame(0xe0, ...body),
      packet: {
        type: PacketType.Disconnect,
        reasonCode: isFive ? code : 0,
        properties: isFive ? list : {},
      },
    };
  });
}

/** Any packet that may follow a CONNECT. */
export function sample(version: Version): fc.Arbitrary<Sample> {
  return fc.oneof(
    { weight: 3, arbitrary: publishSample(version) },
    { weight: 2, arbitrary: acknowledgementSample(version) },
    { weight: 2, arbitrary: subscribeSample(version) },
    unsubscribeSample(version),
    disconnectSample(version),
    fc.constant(PINGREQ),
  );
}
