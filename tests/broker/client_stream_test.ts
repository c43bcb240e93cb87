import { deepEqual, equal, match } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import fc from "fast-check";
import {
  guardStream,
  PacketScanner,
  type StreamLimits,
} from "../../src/broker/client_stream.ts";

const LIMITS: StreamLimits = {
  maxPacketBytes: 1_000,
  softBufferBytes: 100_000,
  hardBufferBytes: 200_000,
  drainTimeout: 60_000,
  mayRead: () => true,
};

/** A packet with a body of up to 16,383 bytes. */
function frame(first: number, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body);
  const { length } = bytes;
  const digits = length < 128 ? [length] : [length % 128 | 128, length >> 7];
  return Buffer.concat([Uint8Array.of(first, ...digits), bytes]);
}

/**
 * A guarded stream whose other end sends what the test pushes and never reads.
 */
function openStream(limits: Partial<StreamLimits> = {}) {
  const errors: string[] = [];
  const stream = new Duplex({ read() {}, write() {} });
  stream.on("error", (error) => errors.push(error.message));
  return { stream: guardStream(stream, { ...LIMITS, ...limits }), errors };
}

Deno.test({
  name: "guardStream() makes read() return all data, and read(0) none",
  permissions: "none",
  fn() {
    const { stream } = openStream();
    const chunks = [frame(0x30, "a"), frame(0x30, "b"), frame(0x30, "c")];
    for (const chunk of chunks) stream.push(chunk);
    equal(stream.read(0), null);
    deepEqual(stream.read(), Buffer.concat(chunks));
    equal(stream.read(), null);
  },
});

Deno.test({
  name: "guardStream() calls mayRead() before each read, with complete packets",
  permissions: "none",
  fn() {
    const calls: number[] = [];
    const { stream } = openStream({
      mayRead: (packets: number) => {
        calls.push(packets);
        return packets < 2;
      },
    });
    const bytes = Buffer.concat([frame(0x10, "one"), frame(0x30, "two")]);
    stream.push(bytes.subarray(0, 3));
    equal(stream.read().length, 3);
    stream.push(bytes.subarray(3));
    equal(stream.read().length, bytes.length - 3);
    stream.push(frame(0x30, "kept"));
    equal(stream.read(), null);
    deepEqual(calls, [0, 0, 2]);
    equal(stream.readableLength > 0, true);
  },
});

Deno.test({
  name: "guardStream() ends a stream with a packet that is too long",
  permissions: "none",
  async fn() {
    const { stream, errors } = openStream();
    stream.push(frame(0x30, new Uint8Array(1_001)).subarray(0, 10));
    equal(stream.read(), null, "none of its bytes");
    equal(stream.destroyed, true);
    await new Promise((done) => stream.once("close", done));
    deepEqual(errors, ["a packet of more than 1000 bytes"]);
  },
});

Deno.test({
  name:
    "guardStream() makes write() report the soft limit, and ends the stream at the hard one",
  permissions: "none",
  async fn() {
    const { stream, errors } = openStream();
    const chunk = new Uint8Array(10_000);
    const room: boolean[] = [];
    while (!stream.destroyed) room.push(stream.write(chunk));
    deepEqual(room, [...Array(9).fill(true), ...Array(13).fill(false)]);
    await new Promise((done) => stream.once("close", done));
    deepEqual(errors, ["does not read its messages"]);
  },
});

Deno.test({
  name:
    "guardStream() keeps a client that reads slowly, until it reads nothing for drainTimeout",
  permissions: "none",
  async fn() {
    const errors: string[] = [];
    const written: number[] = [];
    let isReading = true;
    const stream = guardStream(
      new Duplex({
        read() {},
        write(chunk: Uint8Array, _encoding, done) {
          written.push(chunk.length);
          if (!isReading) return;
          if (written.length === 40) isReading = false;
          setTimeout(done, 50);
        },
      }),
      { ...LIMITS, drainTimeout: 1000 },
    );
    stream.on("error", (error) => errors.push(error.message));
    equal(stream.write(new Uint8Array(4_000_000)), false);
    await new Promise((done) => stream.once("close", done));
    deepEqual(errors, ["does not read its messages"]);
    equal(written.length, 41, "2 s of slow reading");
    equal(new Set(written).size, 1, "pieces of one size");
  },
});

Deno.test({
  name: "guardStream() passes all data on, in order, in any division",
  permissions: "none",
  async fn() {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 150_000 }), { maxLength: 20 }),
        fc.boolean(),
        async (lengths, joins) => {
          const received: Uint8Array[] = [];
          const stream = guardStream(
            new Duplex({
              read() {},
              write(chunk: Uint8Array, _encoding, done) {
                received.push(chunk);
                queueMicrotask(done);
              },
              ...(joins && {
                writev(chunks, done) {
                  received.push(...chunks.map(({ chunk }) => chunk));
                  queueMicrotask(done);
                },
              }),
            }),
            { ...LIMITS, hardBufferBytes: 10_000_000 },
          );
          const sent = lengths.map((length, i) => Buffer.alloc(length, i + 1));
          for (const chunk of sent) stream.write(chunk);
          await new Promise((done) => stream.end(done));
          equal(
            Buffer.compare(Buffer.concat(received), Buffer.concat(sent)),
            0,
          );
          stream.destroy();
        },
      ),
      { numRuns: 30 },
    );
  },
});

const MAX_BYTES = 300;

Deno.test({
  name:
    "PacketScanner.push() counts the packets for any division of the stream",
  permissions: "none",
  fn() {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: MAX_BYTES }), { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
        (bodies, cuts) => {
          const stream = Buffer.concat(
            bodies.map((body) => frame(0x30, body)),
          );
          const scan = new PacketScanner(MAX_BYTES);
          for (let at = 0, i = 0; at < stream.length; i++) {
            const end = at + cuts[i % cuts.length]!;
            equal(scan.push(stream.subarray(at, end)), undefined);
            at = end;
          }
          equal(scan.packets, bodies.length);
        },
      ),
    );
  },
});

Deno.test({
  name:
    "PacketScanner.push() detects a packet that is too long by its header, also byte by byte",
  permissions: "none",
  fn() {
    const good = frame(0x30, new Uint8Array(MAX_BYTES));
    const bad = frame(0x30, new Uint8Array(MAX_BYTES + 1)).subarray(0, 3);
    const bytes = Buffer.concat([good, bad]);
    const whole = new PacketScanner(MAX_BYTES);
    match(whole.push(bytes)!, /more than 300 bytes/);
    equal(whole.packets, 1);
    const slow = new PacketScanner(MAX_BYTES);
    const problems = Array.from(
      bytes,
      (byte) => slow.push(Uint8Array.of(byte)),
    );
    match(problems.at(-1)!, /more than 300 bytes/);
    equal(problems.filter((problem) => problem !== undefined).length, 1);
  },
});

Deno.test({
  name: "PacketScanner.push() accepts four digits of length, and refuses five",
  permissions: "none",
  fn() {
    const max = 268_435_455; // MQTT 3.1.1, 2.2.3
    const longest = Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f);
    equal(new PacketScanner(max).push(longest), undefined);
    const five = Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01);
    match(new PacketScanner(max).push(five)!, /malformed/);
  },
});
