/** Fixed headers: types, flags, lengths. */
import assert from "node:assert/strict";
import { MAX_PACKET_ITEMS } from "../../../src/broker/codec/body_reader.ts";
import { MAX_CONTROL_PACKET_BYTES } from "../../../src/broker/codec/frame.ts";
import { PacketDecoder } from "../../../src/broker/codec/packet_decoder.ts";
import { PacketType, type Version } from "../../../src/broker/codec/packets.ts";
import {
  connectFrame,
  frame,
  hex,
  join,
  properties,
  u16,
  varint,
} from "../../support/packet_bytes.ts";
import {
  connected,
  decodeAll,
  failure,
  MAX_PACKET_BYTES,
  refuses,
  VERSIONS,
} from "./decode.ts";

const MALFORMED = 0x81;
const PROTOCOL_ERROR = 0x82;
const TOO_LARGE = 0x95;

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

test("the first packet must be a CONNECT (MQTT 5, 3.1.0-1)", () => {
  for (let first = 0; first < 256; first++) {
    if (first >> 4 === PacketType.Connect) continue;
    const error = failure(
      new PacketDecoder(MAX_PACKET_BYTES),
      Uint8Array.of(first, 0),
    );
    assert.equal(error.reasonCode, PROTOCOL_ERROR, `${first}`);
    assert.equal(error.connackVersion, undefined, `${first}`);
  }
});

test("a second CONNECT is a protocol error (MQTT 5, 3.1.0-2)", () => {
  for (const version of VERSIONS) {
    refuses(version, connectFrame(version), PROTOCOL_ERROR);
  }
});

test("the flags of CONNECT must be 0 (MQTT 5, 2.1.3-1)", () => {
  for (let flags = 1; flags < 16; flags++) {
    const bytes = connectFrame(4);
    bytes[0] = 0x10 | flags;
    const error = failure(new PacketDecoder(MAX_PACKET_BYTES), bytes);
    assert.equal(error.reasonCode, MALFORMED);
  }
});

test("flags that are not those of the type are malformed (MQTT 5, 2.1.3-1)", () => {
  const id = u16(7);
  const body: Record<number, Uint8Array> = {
    [PacketType.Puback]: id,
    [PacketType.Pubrec]: id,
    [PacketType.Pubrel]: id,
    [PacketType.Pubcomp]: id,
    [PacketType.Subscribe]: join(id, "t", 0),
    [PacketType.Unsubscribe]: join(id, "t"),
    [PacketType.Pingreq]: hex(""),
    [PacketType.Disconnect]: hex(""),
  };
  const required = (type: number) =>
    type === PacketType.Pubrel || type === PacketType.Subscribe ||
      type === PacketType.Unsubscribe
      ? 2
      : 0;
  for (const [name, bytes] of Object.entries(body)) {
    const type = Number(name);
    for (let flags = 0; flags < 16; flags++) {
      const whole = frame(type << 4 | flags, bytes);
      if (flags === required(type)) {
        const [decoded] = decodeAll(connected(4), whole);
        assert.equal(decoded!.type, type);
      } else {
        for (const version of VERSIONS) {
          refuses(version, whole, MALFORMED, `type ${type}, flags ${flags}`);
        }
      }
    }
  }
});

test("type 0, and packets of a server, are protocol errors (MQTT 5, 2.1.2)", () => {
  for (const type of [0, PacketType.Connack, PacketType.Pingresp]) {
    for (const version of VERSIONS) {
      refuses(version, Uint8Array.of(type << 4, 0), PROTOCOL_ERROR);
    }
  }
  for (const type of [PacketType.Suback, PacketType.Unsuback]) {
    for (const version of VERSIONS) {
      refuses(version, frame(type << 4, u16(1), 0), PROTOCOL_ERROR);
    }
  }
});

test("type 15 does not exist in MQTT 3.1.1 (2.2.1)", () => {
  refuses(4, hex("f000"), PROTOCOL_ERROR);
});

test("a wrong first byte is refused before the length arrives", () => {
  refuses(4, hex("00"), PROTOCOL_ERROR);
  refuses(5, hex("63"), MALFORMED);
});

test("a remaining length has at most four bytes (MQTT 3.1.1, 2.2.3)", () => {
  for (const version of VERSIONS) {
    refuses(version, hex("30 ffffffff 7f"), MALFORMED);
    // Before the fifth byte arrives.
    refuses(version, hex("30 ffffffff"), MALFORMED);
  }
});

test("a remaining length of MQTT 5 must be minimal (1.5.5-1)", () => {
  refuses(5, hex("c0 80 00"), MALFORMED);
  refuses(5, hex("40 82 80 00 0001"), MALFORMED);
  // MQTT 3.1.1 does not require it.
  const [ping] = decodeAll(connected(4), hex("c0 80 00"));
  assert.equal(ping!.type, PacketType.Pingreq);
});

test("so must that of a CONNECT of MQTT 5 (1.5.5-1)", () => {
  const padded = (version: Version) => {
    const bytes = connectFrame(version);
    return join(0x10, bytes[1]! | 0x80, 0, bytes.subarray(2));
  };
  const error = failure(new PacketDecoder(MAX_PACKET_BYTES), padded(5));
  assert.equal(error.reasonCode, MALFORMED);
  const decoder = new PacketDecoder(MAX_PACKET_BYTES);
  assert.equal(decodeAll(decoder, padded(4)).length, 1);
});

test("a packet above the limit is refused as soon as its length is known (MQTT 5, 3.2.2-15)", () => {
  const limit = 300;
  const sized = (bytes: number) => {
    const length = bytes - 3;
    return join(0x30, varint(length), "t", new Uint8Array(length - 3));
  };
  assert.equal(decodeAll(connected(4, limit), sized(limit)).length, 1);
  const head = sized(limit + 1).subarray(0, 3);
  const error = failure(connected(4, limit), head);
  assert.equal(error.reasonCode, TOO_LARGE);
});

test("a packet other than PUBLISH has a limit of its own", () => {
  const limit = MAX_CONTROL_PACKET_BYTES;
  const head = (first: number, bytes: number) => join(first, varint(bytes - 4));
  for (const first of [0x82, 0xa2, 0xe0, 0x40]) {
    for (const version of VERSIONS) {
      refuses(version, head(first, limit + 1), TOO_LARGE);
      const decoder = connected(version, 2 * limit);
      assert.equal(decoder.next(head(first, limit), 0, 4), undefined);
    }
  }
  const publish = head(0x30, MAX_PACKET_BYTES);
  assert.equal(connected(4).next(publish, 0, publish.length), undefined);
  const error = failure(
    new PacketDecoder(MAX_PACKET_BYTES),
    head(0x10, limit + 1),
  );
  assert.equal(error.reasonCode, TOO_LARGE);
});

test("a CONNECT with the longest fields is within it", () => {
  const longest = "x".repeat(65_535);
  const bytes = connectFrame(5, {
    flags: 0xc6,
    payload: [longest, properties(5), "t", longest, longest, longest],
  });
  const decoder = new PacketDecoder(MAX_PACKET_BYTES);
  assert.equal(decodeAll(decoder, bytes).length, 1);
});

test("a packet has a limited number of filters and user properties", () => {
  const most = MAX_PACKET_ITEMS;
  const users = (count: number) =>
    properties(5, ...new Array(count).fill(join(0x26, "", "")));
  const filters = (count: number) => new Array(count).fill(join("a", 0));
  const packets = (count: number) => [
    frame(0x30, "t", users(count)),
    frame(0xe0, 0, users(count)),
    frame(0x82, u16(1), 0, ...filters(count)),
    frame(0x82, u16(1), users(1), ...filters(count - 1)),
    frame(0xa2, u16(1), users(count - 1), "a"),
  ];
  for (const bytes of packets(most)) {
    assert.equal(decodeAll(connected(5), bytes).length, 1);
  }
  for (const bytes of packets(most + 1)) refuses(5, bytes, TOO_LARGE);
});

test("the properties of a PUBLISH are as long as another packet at most", () => {
  const value = "x".repeat(65_535);
  const users = (count: number) =>
    properties(5, ...new Array(count).fill(join(0x26, "", value)));
  const large = (count: number) => frame(0x30, "t", users(count));
  assert.equal(decodeAll(connected(5), large(7)).length, 1);
  refuses(5, large(8), TOO_LARGE);
});

test("the limit can change after CONNECT", () => {
  const decoder = new PacketDecoder(64);
  const bytes = connectFrame(5);
  decoder.next(bytes, 0, bytes.length);
  decoder.maxPacketBytes = 1000;
  const large = frame(0x30, "t", 0, new Uint8Array(500));
  assert.equal(decodeAll(decoder, large).length, 1);
});

test("an incomplete packet stays in the input, its end is known early", () => {
  const decoder = connected(4);
  const bytes = frame(0x32, "topic", u16(1), new Uint8Array(200));
  for (let to = 0; to < bytes.length; to++) {
    assert.equal(decoder.next(bytes, 0, to), undefined);
    assert.equal(decoder.incompleteEnd, to < 3 ? 0 : bytes.length);
  }
  assert.ok(decoder.next(bytes, 0, bytes.length));
  assert.equal(decoder.end, bytes.length);
});

test("packets are decoded at any offset of the input", () => {
  const bytes = join(hex("ffff"), hex("c000"), hex("e000"), hex("ff"));
  const decoder = connected(4);
  assert.equal(decoder.next(bytes, 2, 6)?.type, PacketType.Pingreq);
  assert.equal(decoder.end, 4);
  assert.equal(decoder.next(bytes, 4, 6)?.type, PacketType.Disconnect);
  assert.equal(decoder.next(bytes, 6, 6), undefined);
});
