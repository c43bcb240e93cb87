/**
 * Random MQTT packets of clients, both versions: most are valid, so that
 * mutations of them reach deep into the broker.
 *
 * @module
 */
import {
  binary,
  FIRST,
  frame,
  join,
  type Part,
  properties,
  u16,
  u32,
  varint,
} from "../support/packet_bytes.ts";
import type { Version } from "../support/packets.ts";
import { mutate, type Random, split } from "./random.ts";

/** A session over one connection. */
export interface MqttCase {
  readonly version: Version;
  /** Bytes, written one after the other. */
  readonly pieces: readonly Uint8Array[];
  /** True if the client closes the connection without waiting. */
  readonly leaves: boolean;
}

/** Few names, so that sessions, takeovers and subscriptions meet. */
const CLIENT_IDS = [
  "",
  "a",
  "b",
  "c",
  "d",
  "e",
  "f",
  "g",
  "ü€😀",
  "a".repeat(70),
];
const TOPICS = [
  ...["occupancy/data", "occupancy/data/floor1", "occupancy/request"],
  ...["occupancy/response/a", "occupancy/changes", "a", "a/b", "a/b/c", "/"],
  ...["a//b", "$SYS/broker/version", "$fuzz", "ü/€/😀", "x".repeat(300)],
];
const FILTERS = [
  ...[...TOPICS, "#", "+", "a/#", "+/b", "a/+/c", "$SYS/#", "occupancy/#"],
  ...["$share/g/a/#", "$share/h/#", "a#", "++", "", "$share/g", "$share//a"],
];
const PAYLOADS = [
  ...["", "1,2,3", "1,2,3\n4,5,6", '{"x":1}', "get data", "x"],
  ...['{"at":"now"}', '{"at":"-1s","format":"csv"}', '{"zone":"a"}'],
  ...['{"from":"-1h","step":"15m"}', '{"step":"1w","from":0}'],
];
const MAX_PACKETS = 12;

/** Returns a session: packets that a client may send, some of them mutated. */
export function mqttCase(random: Random): MqttCase {
  const version = random.of([4, 5] as const);
  const packets: Uint8Array[] = [];
  if (!random.once(20)) packets.push(connect(random, version));
  for (let count = random.below(MAX_PACKETS); count > 0; count--) {
    packets.push(packet(random, version));
  }
  if (random.once(2)) packets.push(disconnect(random, version));
  const sent = packets.map((bytes) =>
    random.once(8) ? mutate(random, bytes) : bytes
  );
  const all = join(...sent);
  return {
    version,
    pieces: split(random, random.once(20) ? mutate(random, all) : all),
    leaves: random.once(4),
  };
}

/** Returns a packet that may follow CONNECT. */
export function packet(random: Random, version: Version): Uint8Array {
  return random.of(PACKETS)(random, version);
}

type Make = (random: Random, version: Version) => Uint8Array;

/** Returns a CONNECT. */
export const connect: Make = (random, version) => {
  const hasWill = random.once(3);
  const hasUser = random.once(4);
  const hasPassword = hasUser && random.once(2);
  const flags = random.below(2) << 1 |
    (hasWill ? 4 | random.below(3) << 3 | random.below(2) << 5 : 0) |
    (hasPassword ? 0x40 : 0) | (hasUser ? 0x80 : 0);
  return frame(
    FIRST.connect,
    ...["MQTT", version, flags, u16(random.of([0, 1, 60, 65_535]))],
    some(random, version, {
      0x11: u32(random.below(2)), // sessions must not pile up
      0x21: u16(1 + random.below(100)),
      0x27: u32(random.of([20, 100, 100_000])),
      0x22: u16(random.below(10)),
      0x19: random.below(2),
      0x17: random.below(2),
      0x26: join("name", "value"),
    }),
    random.of(CLIENT_IDS),
    ...(hasWill
      ? [
        some(random, version, {
          ...message(random),
          0x18: u32(random.below(3)),
        }),
        random.of(TOPICS),
        random.of(PAYLOADS),
      ]
      : []),
    ...(hasUser ? ["user"] : []),
    ...(hasPassword ? ["secret"] : []),
  );
};

const publish: Make = (random, version) => {
  const qos = random.below(3);
  const flags = qos << 1 | (random.once(4) ? 1 : 0) |
    (qos > 0 && random.once(8) ? 8 : 0);
  const payload = random.once(10)
    ? random.bytes(random.length(2000))
    : new TextEncoder().encode(random.of(PAYLOADS));
  return frame(
    FIRST.publish | flags,
    ...[random.of(TOPICS), ...(qos > 0 ? [id(random)] : [])],
    some(random, version, {
      ...message(random),
      ...(random.once(4) && { 0x23: u16(random.below(12)) }),
    }),
    payload,
  );
};

const subscribe: Make = (random, version) => {
  const filters: Part[] = [];
  for (let count = 1 + random.below(4); count > 0; count--) {
    const options = random.below(3) |
      (version === 5
        ? random.below(2) << 2 | random.below(2) << 3 | random.below(3) << 4
        : 0);
    filters.push(random.of(FILTERS), options);
  }
  const list = some(random, version, {
    0x0b: varint(1 + random.below(300)),
    0x26: join("name", "value"),
  });
  return frame(FIRST.subscribe, id(random), list, ...filters);
};

const unsubscribe: Make = (random, version) =>
  frame(
    FIRST.unsubscribe,
    ...[id(random), some(random, version, { 0x26: join("a", "b") })],
    ...Array.from(
      { length: 1 + random.below(3) },
      () => random.of(FILTERS),
    ),
  );

const acknowledgement: Make = (random, version) => {
  const first = random.of(
    [FIRST.puback, FIRST.pubrec, FIRST.pubrel, FIRST.pubcomp],
  );
  if (version === 4 || random.once(2)) return frame(first, id(random));
  const code = random.of([0, 0x10, 0x80, 0x92]);
  if (random.once(2)) return frame(first, id(random), code);
  const list = some(random, 5, { 0x1f: "reason", 0x26: join("a", "b") });
  return frame(first, id(random), code, list);
};

const disconnect: Make = (random, version) => {
  if (version === 4 || random.once(2)) return frame(FIRST.disconnect);
  const code = random.of([0, 4, 0x80]);
  if (random.once(2)) return frame(FIRST.disconnect, code);
  const list = some(random, 5, {
    0x11: u32(random.below(2)),
    0x1f: "reason",
  });
  return frame(FIRST.disconnect, code, list);
};

const PACKETS: readonly Make[] = [
  ...[publish, publish, publish, publish, subscribe, subscribe, unsubscribe],
  ...[acknowledgement, acknowledgement, () => frame(FIRST.pingreq)],
  (random, version) =>
    random.once(20)
      ? version === 5
        ? frame(FIRST.auth, 0x18, properties(5, 0x15, "m"))
        : frame(FIRST.auth)
      : frame(FIRST.pingreq),
];

/** Properties of a message, for PUBLISH and wills. */
function message(random: Random): Record<number, Part> {
  return {
    0x01: random.below(2),
    0x02: u32(random.of([0, 1, 100, 0xffffffff])),
    0x03: "text/plain",
    0x08: random.of(TOPICS),
    0x09: binary(...random.bytes(random.below(20))),
    0x26: join("name", random.of(PAYLOADS)),
  };
}

/** Some of the properties, in any order. */
function some(
  random: Random,
  version: Version,
  list: Record<number, Part>,
): Uint8Array {
  if (version === 4) return properties(4);
  const share = random.of([1, 2, 8]);
  const parts = Object.entries(list)
    .filter(() => random.once(share))
    .flatMap(([id, value]) => [Number(id), value]);
  return properties(5, ...(random.once(3) ? parts : []));
}

function id(random: Random): Uint8Array {
  return u16(1 + random.below(random.of([5, 5, 65_535])));
}
