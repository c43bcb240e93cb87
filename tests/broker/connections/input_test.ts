import { deepEqual, equal, notEqual } from "node:assert/strict";
import {
  Input,
  LARGE_BYTES,
  ReadBuffers,
} from "../../../src/broker/connections/read_buffers.ts";

const PURE = { permissions: "none" } as const;

/** Receives bytes as a read of the socket does. */
function receive(input: Input, bytes: Uint8Array, packetBytes = 0): void {
  for (let at = 0; at < bytes.length;) {
    const space = input.space(packetBytes)!;
    const part = bytes.subarray(at, at + space.length);
    space.set(part);
    input.received(part.length);
    at += part.length;
  }
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 31 & 0xff);
}

Deno.test(
  "Input is small while idle, and large while reads fill it",
  PURE,
  () => {
    const input = new Input(new ReadBuffers(0));
    equal(input.space(0)!.length, 512);
    input.received(512);
    input.start = 512;
    equal(input.space(0)!.length, LARGE_BYTES);
    input.received(LARGE_BYTES);
    input.start = LARGE_BYTES;
    equal(input.space(0)!.length, LARGE_BYTES);
    input.received(100);
    input.start = 100;
    equal(input.space(0)!.length, 512);
  },
);

Deno.test(
  "Input reads many bytes at once, also if others hold all large buffers",
  PURE,
  () => {
    const buffers = new ReadBuffers(0);
    const idle: Input[] = [];
    for (let i = 0; i < 300; i++) {
      const input = new Input(buffers);
      receive(input, pattern(512));
      input.space(0);
      idle.push(input);
    }
    const input = new Input(buffers);
    receive(input, pattern(512));
    equal(input.space(0)!.length >= 4096, true);
    for (const one of idle) one.close();
  },
);

Deno.test(
  "Input keeps the bytes of an incomplete packet, of any length",
  PURE,
  () => {
    for (const length of [600, 70_000, 1_000_000]) {
      const input = new Input(new ReadBuffers(4_000_000));
      const bytes = pattern(length);
      receive(input, bytes.subarray(0, 5));
      receive(input, bytes.subarray(5), length);
      deepEqual(input.bytes.subarray(input.start, input.end), bytes);
    }
  },
);

Deno.test(
  "Input grows with what has arrived, and not beyond its limit",
  PURE,
  () => {
    const buffers = new ReadBuffers(1_000_000);
    const input = new Input(buffers);
    receive(input, pattern(5));
    // 30 MB are announced.
    equal(input.space(30_000_000)!.length < 300_000, true);
    const other = new Input(buffers);
    receive(other, pattern(5));
    for (let i = 0; i < 100; i++) {
      const space = other.space(30_000_000);
      if (space === undefined) return;
      other.received(space.length);
    }
    throw new Error("30 MB were accepted");
  },
);

Deno.test("Input does not overwrite bytes that are kept", PURE, () => {
  const input = new Input(new ReadBuffers(0));
  receive(input, pattern(400));
  const kept = input.keep(input.bytes.subarray(0, 390));
  const copy = kept.slice();
  input.start = 390;
  receive(input, new Uint8Array(300));
  deepEqual(kept, copy);
  deepEqual(
    input.bytes.subarray(input.start, input.start + 10),
    pattern(400).subarray(390),
  );
});

Deno.test("Input copies a small part of its buffer", PURE, () => {
  const input = new Input(new ReadBuffers(0));
  receive(input, pattern(400));
  const kept = input.keep(input.bytes.subarray(0, 50));
  notEqual(kept.buffer, input.bytes.buffer);
});

Deno.test(
  "only some connections hold large buffers while they wait",
  PURE,
  () => {
    const buffers = new ReadBuffers(0);
    const inputs = Array.from({ length: 300 }, () => new Input(buffers));
    let large = 0;
    for (const input of inputs) {
      receive(input, pattern(512));
      input.start = input.end;
      if (input.space(0)!.length === LARGE_BYTES) large++;
    }
    equal(large, 256);
    for (const input of inputs) input.close();
    const next = new Input(buffers);
    receive(next, pattern(512));
    next.start = next.end;
    equal(next.space(0)!.length, LARGE_BYTES);
  },
);
