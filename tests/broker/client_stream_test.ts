import { deepEqual, equal } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import {
  guardStream,
  type StreamLimits,
} from "../../src/broker/client_stream.ts";
import { concat, frame } from "./raw_client.ts";

const LIMITS: StreamLimits = {
  maxPacketBytes: 1_000,
  softBufferBytes: 100_000,
  hardBufferBytes: 200_000,
  mayRead: () => true,
};

/** A stream whose other side sends what is pushed, and reads nothing. */
function frozen(limits: Partial<StreamLimits> = {}) {
  const errors: string[] = [];
  const stream = new Duplex({ read() {}, write() {} });
  stream.on("error", (error) => errors.push(error.message));
  return { stream: guardStream(stream, { ...LIMITS, ...limits }), errors };
}

Deno.test({
  name:
    "guardStream() makes read() return all that has arrived, and read(0) nothing",
  permissions: "none",
  fn() {
    const { stream } = frozen();
    const chunks = [frame(0x30, "a"), frame(0x30, "b"), frame(0x30, "c")];
    for (const chunk of chunks) stream.push(chunk);
    equal(stream.read(0), null);
    deepEqual(stream.read(), Buffer.from(concat(chunks)));
    equal(stream.read(), null);
  },
});

Deno.test({
  name:
    "guardStream() asks before each read, with the packets seen whole so far",
  permissions: "none",
  fn() {
    const asked: number[] = [];
    const { stream } = frozen({
      mayRead: (packets: number) => {
        asked.push(packets);
        return packets < 2;
      },
    });
    const bytes = concat([frame(0x10, "x"), frame(0x30, "y")]);
    stream.push(bytes.subarray(0, 3));
    equal(stream.read().length, 3);
    stream.push(bytes.subarray(3));
    equal(stream.read().length, bytes.length - 3);
    stream.push(frame(0x30, "kept"));
    equal(stream.read(), null);
    deepEqual(asked, [0, 0, 2]);
    equal(stream.readableLength > 0, true);
  },
});

Deno.test({
  name:
    "guardStream() ends a stream with a packet that is too long, and gives out none of it",
  permissions: "none",
  async fn() {
    const { stream, errors } = frozen();
    stream.push(frame(0x30, new Uint8Array(1_001)).subarray(0, 10));
    equal(stream.read(), null);
    equal(stream.destroyed, true);
    await new Promise((done) => stream.once("close", done));
    deepEqual(errors, ["a packet of more than 1000 bytes"]);
  },
});

Deno.test({
  name:
    "guardStream() makes write() say full at the soft limit, and end the stream at the hard one",
  permissions: "none",
  async fn() {
    const { stream, errors } = frozen();
    const chunk = new Uint8Array(10_000);
    const room: boolean[] = [];
    while (!stream.destroyed) room.push(stream.write(chunk));
    deepEqual(room, [...Array(9).fill(true), ...Array(12).fill(false)]);
    await new Promise((done) => stream.once("close", done));
    deepEqual(errors, ["does not read what is sent to it"]);
  },
});
