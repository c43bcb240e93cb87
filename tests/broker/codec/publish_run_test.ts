/** Runs of PUBLISH: the same packets as without the fast path. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { PacketDecoder } from "../../../src/broker/codec/packet_decoder.ts";
import {
  PacketType,
  type PublishPacket,
  type Version,
} from "../../../src/broker/codec/packets.ts";
import { PublishRun } from "../../../src/broker/codec/publish_run.ts";
import {
  frame,
  hex,
  join,
  properties,
  u16,
  u32,
} from "../../support/packet_bytes.ts";
import {
  connected,
  decodeAll,
  failure,
  MAX_PACKET_BYTES,
  VERSIONS,
} from "./decode.ts";

const PAYLOAD = new TextEncoder().encode("1,2,3");

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

function publish(
  version: Version,
  id: number,
  { first = 0x32, topic = "a/b", list = hex(""), payload = PAYLOAD } = {},
): Uint8Array {
  const ids = (first & 6) === 0 ? hex("") : u16(id);
  return frame(first, topic, ids, properties(version, list), payload);
}

/** Decodes the first packet, then a run. */
function runOf(
  version: Version,
  pieces: readonly Uint8Array[],
  { capacity = 100, cut = 0, maxPacketBytes = MAX_PACKET_BYTES } = {},
): { run: PublishRun; decoder: PacketDecoder; input: Uint8Array } {
  const input = join(...pieces);
  const to = input.length - cut;
  const decoder = connected(version, maxPacketBytes);
  const run = new PublishRun(capacity);
  assert.ok(decoder.next(input, 0, to));
  const count = decoder.nextRun(run, input, decoder.end, to);
  assert.equal(count, run.count);
  return { run, decoder, input };
}

test("a run has packet identifiers and payloads", () => {
  for (const version of VERSIONS) {
    const sizes = [0, 1, 100, 118, 119, 120, 127, 128, 20_000];
    const pieces = sizes.map((size, i) =>
      publish(version, i + 10, { payload: new Uint8Array(size).fill(i) })
    );
    const whole = [publish(version, 1), ...pieces];
    const { run, decoder, input } = runOf(version, whole);
    assert.equal(run.count, sizes.length);
    assert.equal(run.end, input.length);
    assert.equal(decoder.end, input.length);
    for (const [i, size] of sizes.entries()) {
      assert.equal(run.packetIds[i], i + 10);
      const payload = input.subarray(run.payloadStarts[i], run.payloadEnds[i]);
      assert.deepEqual(payload, new Uint8Array(size).fill(i));
    }
  }
});

test("a run ends before a packet with another topic, flag or property", () => {
  for (const version of VERSIONS) {
    const same = publish(version, 2);
    const others = [
      publish(version, 3, { topic: "a/c" }),
      publish(version, 3, { topic: "a" }),
      publish(version, 3, { topic: "a/bb" }),
      publish(version, 3, { first: 0x33 }),
      publish(version, 3, { first: 0x3a }),
      publish(version, 3, { first: 0x34 }),
      publish(version, 3, { first: 0x30 }),
      frame(0xc0),
      ...version === 5 ? [publish(5, 3, { list: hex("0100") })] : [],
    ];
    for (const other of others) {
      const { run } = runOf(version, [publish(version, 1), same, other, same]);
      assert.equal(run.count, 1);
      assert.equal(run.end, 2 * same.length);
    }
  }
});

test("a run ends before a packet that is incomplete, malformed or too large", () => {
  for (const version of VERSIONS) {
    const one = publish(version, 1);
    for (let cut = 1; cut < one.length; cut++) {
      assert.equal(runOf(version, [one, one, one], { cut }).run.count, 1);
    }
    const bad = [
      publish(version, 0),
      // A body that ends before the payload.
      hex("32 05 0003 612f62"),
      hex("32 00"),
      // Remaining lengths that are not minimal, or too long.
      join(0x32, one[1]! | 0x80, 0, one.subarray(2)),
      hex("32 ffffffff 01"),
    ];
    for (const piece of bad) {
      assert.equal(runOf(version, [one, one, piece]).run.count, 1);
    }
    const large = publish(version, 2, { payload: new Uint8Array(101) });
    const options = { maxPacketBytes: large.length - 1 };
    assert.equal(runOf(version, [one, one, large], options).run.count, 1);
  }
});

test("a run ends at its capacity and goes on", () => {
  const pieces = Array.from({ length: 8 }, (_, i) => publish(4, i + 1));
  const { run, decoder, input } = runOf(4, pieces, { capacity: 3 });
  const counts = [run.count];
  while (decoder.end < input.length) {
    counts.push(decoder.nextRun(run, input, decoder.end, input.length));
  }
  assert.deepEqual(counts, [3, 3, 1]);
  assert.equal(run.packetIds[0], 8);
});

test("the properties of a run are the same bytes", () => {
  const list = join(0x26, "k", "v", 0x02, u32(60), 0x23, u16(1));
  const pieces = [1, 2, 3].map((id) => publish(5, id, { list }));
  assert.equal(runOf(5, pieces).run.count, 2);
  // With the alias in place of the topic.
  const aliased = [4, 5].map((id) => publish(5, id, { list, topic: "" }));
  assert.equal(runOf(5, aliased).run.count, 1);
});

test("there is no run before a PUBLISH, nor of very long topics", () => {
  const run = new PublishRun(10);
  const bytes = publish(4, 1);
  assert.equal(connected(4).nextRun(run, bytes, 0, bytes.length), 0);
  assert.deepEqual([run.count, run.end], [0, 0]);
  assert.equal(connected(4).nextRun(run, bytes, bytes.length, bytes.length), 0);
  const long = publish(4, 1, { topic: "t".repeat(2000) });
  assert.equal(runOf(4, [long, long]).run.count, 0);
});

test("the fast path gives the same packets as the slow one", () => {
  const topics = fc.constantFrom("a", "a/b", "a/c", "abcdefgh", "abcdefgi");
  const parts = fc.record({
    first: fc.constantFrom(0x30, 0x32, 0x32, 0x32, 0x33, 0x34),
    topic: topics,
    list: fc.constantFrom(hex(""), hex("0101"), hex("02 00000001 23 0001")),
    payload: fc.uint8Array({ maxLength: 200, size: "max" }),
  });
  // Several packets of each kind in a row, and sometimes one with the id 0.
  const kinds = fc.array(fc.tuple(parts, fc.integer({ min: 1, max: 5 })));
  const ids = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1 });
  fc.assert(
    fc.property(
      fc.constantFrom(...VERSIONS),
      kinds,
      ids,
      fc.integer({ min: 1, max: 6 }),
      (version, kinds, ids, capacity) => {
        let next = 0;
        const pieces = kinds.flatMap(([kind, count]) =>
          Array.from(
            { length: count },
            () => publish(version, ids[next++ % ids.length]!, kind),
          )
        );
        const input = join(...pieces);
        const slow = outcome((decoder) => decodeAll(decoder, input));
        const fast = outcome((decoder) => fastDecode(decoder, input, capacity));
        assert.deepEqual(fast, slow);

        function outcome(decode: (decoder: PacketDecoder) => unknown) {
          try {
            return decode(connected(version));
          } catch {
            return failure(connected(version), input).message;
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** Decodes with the fast path where it applies. */
function fastDecode(
  decoder: PacketDecoder,
  input: Uint8Array,
  capacity: number,
): PublishPacket[] {
  const run = new PublishRun(capacity);
  const packets: PublishPacket[] = [];
  for (let at = 0; at < input.length; at = decoder.end) {
    if (decoder.nextRun(run, input, at, input.length) > 0) {
      const last = packets.at(-1)!;
      for (let i = 0; i < run.count; i++) {
        packets.push({
          ...last,
          packetId: last.qos === 0 ? 0 : run.packetIds[i]!,
          payload: input.subarray(run.payloadStarts[i], run.payloadEnds[i]),
        });
      }
      continue;
    }
    const packet = decoder.next(input, at, input.length);
    assert.ok(packet?.type === PacketType.Publish);
    packets.push(packet);
  }
  return packets;
}
