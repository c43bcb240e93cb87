/** Any packets, split anywhere: what is encoded decodes to the same. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { PacketDecoder } from "../../../src/broker/codec/packet_decoder.ts";
import type { ClientPacket } from "../../../src/broker/codec/packets.ts";
import { join } from "../../support/packet_bytes.ts";
import { connectSample, sample } from "./arbitrary.ts";
import { decodeAll, MAX_PACKET_BYTES, VERSIONS } from "./decode.ts";

function test(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

/** A CONNECT and the packets after it. */
const SESSION = fc.constantFrom(...VERSIONS).chain((version) =>
  fc.tuple(
    connectSample(version),
    fc.array(sample(version), { maxLength: 6 }),
  )
).map(([first, others]) => [first, ...others]);

/**
 * Receives chunks as a connection does: decodes what is complete, and keeps the
 * rest for the next chunk.
 */
function receive(chunks: readonly Uint8Array[]): ClientPacket[] {
  const decoder = new PacketDecoder(MAX_PACKET_BYTES);
  const packets: ClientPacket[] = [];
  let input = new Uint8Array();
  for (const chunk of chunks) {
    input = Uint8Array.from(join(input, chunk));
    let at = 0;
    for (;;) {
      const packet = decoder.next(input, at, input.length);
      if (packet === undefined) break;
      packets.push(packet);
      at = decoder.end;
    }
    const needed = decoder.incompleteEnd;
    assert.ok(needed === 0 || needed > input.length);
    input = input.slice(at);
  }
  assert.equal(input.length, 0, "bytes are left");
  return packets;
}

test("what is encoded decodes to the same", () => {
  fc.assert(
    fc.property(SESSION, (samples) => {
      const bytes = join(...samples.map((one) => one.bytes));
      assert.deepEqual(
        decodeAll(new PacketDecoder(MAX_PACKET_BYTES), bytes),
        samples.map((one) => one.packet),
      );
    }),
    { numRuns: 1000 },
  );
});

test("any split of the input gives the same packets", () => {
  fc.assert(
    fc.property(SESSION, fc.array(fc.nat()), (samples, numbers) => {
      const bytes = join(...samples.map((one) => one.bytes));
      const cuts = numbers.map((one) => one % bytes.length)
        .concat(0, bytes.length).sort((a, b) => a - b);
      const chunks = cuts.slice(1)
        .map((end, i) => bytes.subarray(cuts[i], end));
      assert.deepEqual(receive(chunks), samples.map((one) => one.packet));
    }),
    { numRuns: 500 },
  );
});

test("so does one byte at a time", () => {
  fc.assert(
    fc.property(SESSION, (samples) => {
      const bytes = join(...samples.map((one) => one.bytes));
      const chunks = Array.from(bytes, (byte) => Uint8Array.of(byte));
      assert.deepEqual(receive(chunks), samples.map((one) => one.packet));
    }),
    { numRuns: 50 },
  );
});
