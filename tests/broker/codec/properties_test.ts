/** The properties of MQTT 5: which packet has which, how often, which values. */
import assert from "node:assert/strict";
import { PacketDecoder } from "../../../src/broker/codec/packet_decoder.ts";
import { PacketType } from "../../../src/broker/codec/packets.ts";
import {
  binary,
  connectFrame,
  frame,
  hex,
  join,
  properties,
  u16,
  u32,
  varint,
} from "../../support/packet_bytes.ts";
import {
  connected,
  decodeAll,
  failure,
  MAX_PACKET_BYTES,
  refuses,
} from "./decode.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;

/** Packets that a client sends, with a list of properties. */
const PACKETS = {
  connect: (list: Uint8Array) =>
    connectFrame(5, { properties: properties(5, list) }),
  will: (list: Uint8Array) =>
    connectFrame(5, {
      flags: 6,
      payload: ["c", properties(5, list), "t", "m"],
    }),
  publish: (list: Uint8Array) => frame(0x30, "t", properties(5, list)),
  puback: (list: Uint8Array) => frame(0x40, 0, 1, 0, properties(5, list)),
  pubrec: (list: Uint8Array) => frame(0x50, 0, 1, 0, properties(5, list)),
  pubrel: (list: Uint8Array) => frame(0x62, 0, 1, 0, properties(5, list)),
  pubcomp: (list: Uint8Array) => frame(0x70, 0, 1, 0, properties(5, list)),
  subscribe: (list: Uint8Array) =>
    frame(0x82, 0, 1, properties(5, list), "t", 0),
  unsubscribe: (list: Uint8Array) =>
    frame(0xa2, 0, 1, properties(5, list), "t"),
  disconnect: (list: Uint8Array) => frame(0xe0, 0, properties(5, list)),
};
type Name = keyof typeof PACKETS;
const NAMES = Object.keys(PACKETS) as Name[];

interface Case {
  readonly value: Uint8Array;
  /** The packets of a client that may have it. */
  readonly packets: readonly Name[];
}

const MESSAGE: readonly Name[] = ["publish", "will"];
const REASON: readonly Name[] = [
  ...["puback", "pubrec", "pubrel", "pubcomp", "disconnect"] as const,
];
const byte = Uint8Array.of(1);

/** By identifier (MQTT 5, 2.2.2.2, table 2-4). */
const CASES: Record<number, Case> = {
  0x01: { value: byte, packets: MESSAGE },
  0x02: { value: u32(1), packets: MESSAGE },
  0x03: { value: join("x"), packets: MESSAGE },
  0x08: { value: join("x"), packets: MESSAGE },
  0x09: { value: binary(...hex("ff")), packets: MESSAGE },
  0x0b: { value: byte, packets: ["subscribe"] },
  0x11: { value: u32(1), packets: ["connect", "disconnect"] },
  0x12: { value: join("x"), packets: [] },
  0x13: { value: u16(1), packets: [] },
  0x15: { value: join("x"), packets: ["connect"] },
  0x17: { value: byte, packets: ["connect"] },
  0x18: { value: u32(1), packets: ["will"] },
  0x19: { value: byte, packets: ["connect"] },
  0x1a: { value: join("x"), packets: [] },
  0x1c: { value: join("x"), packets: ["disconnect"] },
  0x1f: { value: join("x"), packets: REASON },
  0x21: { value: u16(1), packets: ["connect"] },
  0x22: { value: u16(1), packets: ["connect"] },
  0x23: { value: u16(1), packets: ["publish"] },
  0x24: { value: byte, packets: [] },
  0x25: { value: byte, packets: [] },
  0x26: { value: join("k", "v"), packets: NAMES },
  0x27: { value: u32(100), packets: ["connect"] },
  0x28: { value: byte, packets: [] },
  0x29: { value: byte, packets: [] },
  0x2a: { value: byte, packets: [] },
};

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

function decoderFor(name: Name): PacketDecoder {
  return name === "connect" || name === "will"
    ? new PacketDecoder(MAX_PACKET_BYTES)
    : connected(5);
}

test("a packet has only its own properties (MQTT 5, 2.2.2.2)", () => {
  for (const [key, { value, packets }] of Object.entries(CASES)) {
    for (const name of NAMES) {
      const bytes = PACKETS[name](join(Number(key), value));
      const decoder = decoderFor(name);
      if (packets.includes(name)) {
        assert.equal(decodeAll(decoder, bytes).length, 1, `${name} ${key}`);
      } else {
        const { reasonCode } = failure(decoder, bytes);
        const isMalformed = reasonCode === MALFORMED;
        assert.ok(isMalformed || reasonCode === PROTOCOL_ERROR);
      }
    }
  }
});

test("only a user property may occur twice (MQTT 5, 2.2.2.2)", () => {
  for (const [key, { value, packets }] of Object.entries(CASES)) {
    for (const name of packets) {
      const once = join(Number(key), value);
      const bytes = PACKETS[name](join(once, once));
      if (Number(key) === 0x26) {
        assert.equal(decodeAll(decoderFor(name), bytes).length, 1);
      } else {
        assert.equal(
          failure(decoderFor(name), bytes).reasonCode,
          PROTOCOL_ERROR,
          `${name} ${key}`,
        );
      }
    }
  }
});

test("a property that is cut is malformed", () => {
  for (const [key, { value, packets }] of Object.entries(CASES)) {
    for (const name of packets) {
      for (let length = 0; length < value.length; length++) {
        const list = join(Number(key), value.subarray(0, length));
        assert.equal(
          failure(decoderFor(name), PACKETS[name](list)).reasonCode,
          MALFORMED,
          `${name} ${key}`,
        );
      }
    }
  }
});

test("an unknown identifier is malformed (MQTT 5, 2.2.2.2)", () => {
  const known = new Set(Object.keys(CASES).map(Number).concat(0x16));
  for (const name of NAMES) {
    for (let id = 0; id < 128; id++) {
      if (known.has(id)) continue;
      const list = Uint8Array.of(id, 1);
      const { reasonCode } = failure(decoderFor(name), PACKETS[name](list));
      assert.equal(reasonCode, MALFORMED, `${name} ${id}`);
    }
    // Longer than one byte, or not minimal (MQTT 5, 1.5.5-1).
    for (const id of ["8100", "8001", "a600", "ffff7f", "8080808001"]) {
      const list = hex(id + "00016b000176");
      const { reasonCode } = failure(decoderFor(name), PACKETS[name](list));
      assert.equal(reasonCode, MALFORMED, `${name} ${id}`);
    }
  }
});

test("strings of properties are UTF-8 without NUL (MQTT 5, 1.5.4-1, 1.5.4-2)", () => {
  for (const bad of ["00", "eda080", "ff", "c080", "f4908080"]) {
    const value = binary(...hex(bad));
    refuses(5, PACKETS.publish(join(0x03, value)), MALFORMED);
    refuses(5, PACKETS.publish(join(0x26, value, "v")), MALFORMED);
    refuses(5, PACKETS.publish(join(0x26, "k", value)), MALFORMED);
    refuses(5, PACKETS.puback(join(0x1f, value)), MALFORMED);
  }
});

test("user properties may have line breaks, unlike names", () => {
  const bytes = PACKETS.puback(join(0x26, "k", "a\nb"));
  const [decoded] = decodeAll(connected(5), bytes);
  assert.ok(decoded?.type === PacketType.Puback);
  assert.deepEqual(decoded.properties.userProperties, [["k", "a\nb"]]);
});

test("properties do not end behind the packet", () => {
  for (const length of [2, 127, 128, 16_384, 268_435_455]) {
    refuses(5, frame(0x30, "t", varint(length), 0x01), MALFORMED);
  }
});
