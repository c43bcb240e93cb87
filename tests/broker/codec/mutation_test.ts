/**
 * Mutated packets: each decodes or is refused with a MalformedPacket, and what
 * is outside of the packet makes no difference.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { MalformedPacket } from "../../../src/broker/codec/malformed.ts";
import { PacketDecoder } from "../../../src/broker/codec/packet_decoder.ts";
import {
  type ClientPacket,
  PacketType,
  type Version,
} from "../../../src/broker/codec/packets.ts";
import { isTopicName } from "../../../src/broker/codec/topic_names.ts";
import { connectFrame, join } from "../../support/packet_bytes.ts";
import { randomIntegers } from "../../support/random.ts";
import { connectSample, sample } from "./arbitrary.ts";
import { MAX_PACKET_BYTES, VERSIONS } from "./decode.ts";

const SEED = 20_261_127;
/** Packets of each version that are mutated. */
const PACKETS = 400;
/** Mutations of the random test, both versions together. */
const MUTATIONS = 100_000;
/** One in so many is decoded a second time, between other bytes. */
const SECOND_LOOK = 5;
/** Bytes around a packet: decoding must not look at them. */
const MARGIN_BYTES = 8;

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

/** What decoding came to: a packet, a reason code, or incomplete. */
type Outcome = ClientPacket | number | undefined;

interface Original {
  readonly version: Version;
  readonly isConnect: boolean;
  readonly bytes: Uint8Array;
}

function originals(): Original[] {
  return VERSIONS.flatMap((version) => {
    const options = { seed: SEED, numRuns: PACKETS };
    const first = fc.sample(connectSample(version), { ...options });
    const others = fc.sample(sample(version), options);
    return [
      ...first.slice(0, PACKETS / 4)
        .map(({ bytes }) => ({ version, isConnect: true, bytes })),
      ...others.map(({ bytes }) => ({ version, isConnect: false, bytes })),
    ];
  });
}

/** Decodes a packet that lies between other bytes. */
function decodeWithin(
  { version, isConnect }: Original,
  bytes: Uint8Array,
  filler: number,
): Outcome {
  const input = new Uint8Array(bytes.length + 2 * MARGIN_BYTES).fill(filler);
  input.set(bytes, MARGIN_BYTES);
  const decoder = new PacketDecoder(MAX_PACKET_BYTES);
  if (!isConnect) {
    const first = connectFrame(version);
    decoder.next(first, 0, first.length);
  }
  const to = MARGIN_BYTES + bytes.length;
  try {
    const packet = decoder.next(input, MARGIN_BYTES, to);
    if (packet) assert.ok(decoder.end <= to);
    return packet;
  } catch (error) {
    if (error instanceof MalformedPacket) return error.reasonCode;
    throw error;
  }
}

function check(original: Original, bytes: Uint8Array): Outcome {
  const outcome = decodeWithin(original, bytes, 0x00);
  if (typeof outcome === "number") {
    assert.ok(outcome >= 0x80 && outcome <= 0xa2);
  } else if (outcome) {
    checkPacket(outcome);
  }
  return outcome;
}

/** As {@linkcode check}; what is around the packet makes no difference. */
function checkTwice(original: Original, bytes: Uint8Array): void {
  const outcome = check(original, bytes);
  assert.deepEqual(decodeWithin(original, bytes, 0xff), outcome);
}

/** What the broker relies on. */
function checkPacket(packet: ClientPacket): void {
  switch (packet.type) {
    case PacketType.Connect:
      if (packet.will) assert.ok(isTopicName(packet.will.topic));
      assert.ok(isText(packet.clientId));
      break;
    case PacketType.Publish:
      assert.equal(packet.packetId > 0, packet.qos > 0);
      if (packet.topic === "") assert.ok(packet.topicAlias > 0);
      else assert.ok(isTopicName(packet.topic));
      break;
    case PacketType.Subscribe:
      assert.ok(packet.packetId > 0 && packet.subscriptions.length > 0);
      for (const one of packet.subscriptions) {
        assert.ok(isText(one.filter) && one.qos <= 2);
        assert.ok(one.retainHandling <= 2);
      }
      break;
    case PacketType.Unsubscribe:
      assert.ok(packet.packetId > 0 && packet.filters.length > 0);
      assert.ok(packet.filters.every(isText));
  }
}

function isText(text: string): boolean {
  return text.isWellFormed() && !/\p{Cc}/u.test(text);
}

test("each single byte of a packet may change", () => {
  const random = randomIntegers(SEED);
  for (const original of originals().slice(0, 120)) {
    const { bytes } = original;
    for (let at = 0; at < bytes.length; at++) {
      const values = [0, 0xff, bytes[at]! + 1, bytes[at]! ^ 0x80];
      for (const value of [...values, random(256), random(256)]) {
        checkTwice(original, bytes.with(at, value));
      }
    }
  }
});

test("a packet may end anywhere", () => {
  for (const original of originals()) {
    const { bytes } = original;
    for (let length = 0; length < bytes.length; length++) {
      const outcome = decodeWithin(original, bytes.subarray(0, length), 0);
      assert.equal(outcome, undefined);
    }
  }
});

test(`${MUTATIONS} packets with random changes`, () => {
  const random = randomIntegers(SEED);
  const all = originals();
  const counts = { decoded: 0, refused: 0, incomplete: 0 };
  for (let i = 0; i < MUTATIONS; i++) {
    const original = all[random(all.length)]!;
    let bytes = original.bytes;
    for (let changes = 1 + random(3); changes > 0; changes--) {
      bytes = mutate(bytes, all[random(all.length)]!.bytes, random);
    }
    if (i % SECOND_LOOK === 0) checkTwice(original, bytes);
    const outcome = check(original, bytes);
    if (outcome === undefined) counts.incomplete++;
    else if (typeof outcome === "number") counts.refused++;
    else counts.decoded++;
  }
  for (const count of Object.values(counts)) assert.ok(count > MUTATIONS / 20);
});

/** Changes, removes, repeats or inserts bytes; may repair the length. */
function mutate(
  bytes: Uint8Array,
  other: Uint8Array,
  random: (below: number) => number,
): Uint8Array {
  if (bytes.length === 0) return other;
  const at = random(bytes.length);
  const end = at + random(bytes.length - at + 1);
  const before = bytes.subarray(0, at);
  switch (random(7)) {
    case 0:
      return bytes.with(at, random(256));
    case 1:
      return bytes.with(at, bytes[at]! ^ 1 << random(8));
    case 2:
      return join(before, bytes.subarray(end));
    case 3:
      return join(bytes.subarray(0, end), bytes.subarray(at));
    case 4:
      return join(before, other.subarray(random(other.length)));
    case 5:
      return join(before, random(256), bytes.subarray(at));
    default:
      // A body that is changed reaches the decoder only with its own length.
      return bytes.length < 130 && bytes.length > 2
        ? bytes.with(1, bytes.length - 2)
        : bytes;
  }
}
