/**
 * Decodes mutated packets in this process, about a million a second: the
 * decoder must return a packet or throw `MalformedPacket`, and the result must
 * not depend on how the bytes arrive.
 *
 * @module
 */
import { MalformedPacket } from "../../src/broker/codec/malformed.ts";
import { PacketDecoder } from "../../src/broker/codec/packet_decoder.ts";
import { PublishRun } from "../../src/broker/codec/publish_run.ts";
import type { Version } from "../support/packets.ts";
import { randomIntegers } from "../support/random.ts";
import { connect, packet } from "./mqtt_cases.ts";
import { Random } from "./random.ts";

/** Valid packets of each version from which streams are made. */
const POOL = 2_000;
const BUFFER_BYTES = 64 * 1024;
/** Room for bytes that mutations insert. */
const MAX_INSERTED_BYTES = 100;
const MAX_PACKET_BYTES = 16 * 1024;
/** Streams that are also decoded in pieces and in runs: one in this many. */
const CHECKED = 8;
/** A stream must be decoded within this time. */
const MAX_STREAM_MS = 1_000;
const MAX_FAILURES = 20;
/** Bytes with a meaning: limits of lengths, flags, UTF-8. */
const INTERESTING = [0, 1, 2, 4, 5, 0x7f, 0x80, 0xbf, 0xc0, 0xed, 0xff];

/** What was found. */
export interface CodecFuzzResult {
  readonly failures: readonly string[];
  /** Packets that were decoded, or refused. */
  readonly packets: number;
  readonly refused: number;
  /** The longest time for one stream, in ms. */
  readonly maxMs: number;
}

/** Options of {@linkcode fuzzCodec}. */
export interface CodecFuzzOptions {
  readonly seed: number;
  /** How many packets, at least. */
  readonly packets: number;
  /** Called after each million. */
  readonly onProgress?: (packets: number) => void;
}

/** Decodes mutated packets. */
export function fuzzCodec(
  { seed, packets: wanted, onProgress }: CodecFuzzOptions,
): CodecFuzzResult {
  const pools = { 4: poolOf(seed, 4), 5: poolOf(seed, 5) };
  const below = randomIntegers(seed);
  const buffer = new Uint8Array(BUFFER_BYTES);
  const failures: string[] = [];
  const total = { packets: 0, refused: 0, maxMs: 0 };
  for (let stream = 0; total.packets < wanted; stream++) {
    const version = below(2) === 0 ? 4 : 5;
    const length = mutated(buffer, pools[version], below);
    const start = performance.now();
    const before = total.packets;
    try {
      const outcome = decode(buffer, length);
      total.packets += outcome.packets + (outcome.refused ? 1 : 0);
      if (outcome.refused) total.refused++;
      if (stream % CHECKED === 0) check(buffer, length, outcome, below);
    } catch (error) {
      failures.push(describe(error, buffer.subarray(0, length), seed, stream));
      if (failures.length >= MAX_FAILURES) break;
    }
    const ms = performance.now() - start;
    total.maxMs = Math.max(total.maxMs, ms);
    if (ms > MAX_STREAM_MS) {
      failures.push(
        describe(`${ms} ms`, buffer.subarray(0, length), seed, stream),
      );
    }
    const million = Math.floor(total.packets / 1e6);
    if (million > Math.floor(before / 1e6)) onProgress?.(total.packets);
    // An empty stream has no packet, but is a case too.
    if (total.packets === before) total.packets++;
  }
  return { failures, ...total };
}

interface Pool {
  readonly connects: readonly Uint8Array[];
  readonly packets: readonly Uint8Array[];
}

function poolOf(seed: number, version: Version): Pool {
  const make = (
    one: (random: Random, version: Version) => Uint8Array,
    offset: number,
  ) =>
    Array.from(
      { length: POOL },
      (_, i) => one(new Random(seed + version, offset + i), version),
    );
  return { connects: make(connect, 0), packets: make(packet, POOL) };
}

/** Writes a stream of packets with up to three mutations; returns its length. */
function mutated(
  buffer: Uint8Array,
  { connects, packets }: Pool,
  below: (below: number) => number,
): number {
  let length = 0;
  const append = (bytes: Uint8Array) => {
    if (length + bytes.length > BUFFER_BYTES - MAX_INSERTED_BYTES) return;
    buffer.set(bytes, length);
    length += bytes.length;
  };
  append(connects[below(POOL)]!);
  for (let count = below(8); count > 0; count--) {
    const bytes = packets[below(POOL)]!;
    for (let copies = below(4) === 0 ? 3 : 1; copies > 0; copies--) {
      append(bytes);
    }
  }
  for (let count = below(4); count > 0 && length > 0; count--) {
    length = mutateOnce(buffer, length, below);
  }
  return length;
}

/** Changes, inserts or deletes bytes; returns the length. */
function mutateOnce(
  buffer: Uint8Array,
  length: number,
  below: (below: number) => number,
): number {
  // Often near the start: headers and lengths.
  const at = below(below(2) === 0 ? Math.min(length, 40) : length);
  switch (below(6)) {
    case 0:
      buffer[at]! ^= 1 << below(8);
      return length;
    case 1:
      buffer[at] = INTERESTING[below(INTERESTING.length)]!;
      return length;
    case 2:
      for (let i = at; i < Math.min(length, at + 4); i++) {
        buffer[i] = below(256);
      }
      return length;
    case 3: {
      const count = Math.min(1 + below(4), length - at);
      buffer.copyWithin(at, at + count, length);
      return length - count;
    }
    case 4: {
      const count = 1 + below(4);
      buffer.copyWithin(at + count, at, length);
      for (let i = at; i < at + count; i++) buffer[i] = below(256);
      return length + count;
    }
    default:
      return below(4) === 0 ? at : length;
  }
}

interface Outcome {
  readonly packets: number;
  /** Where the last packet ended. */
  readonly end: number;
  /** The reason code of the error; 0 if there is none. */
  readonly refused: number;
}

/** Decodes packet by packet. @throws {Error} if the decoder is wrong */
function decode(bytes: Uint8Array, length: number): Outcome {
  const decoder = new PacketDecoder(MAX_PACKET_BYTES);
  let at = 0;
  let packets = 0;
  try {
    while (decoder.next(bytes, at, length) !== undefined) {
      if (decoder.end <= at || decoder.end > length) {
        throw new Error(`from ${at} to ${decoder.end}`);
      }
      at = decoder.end;
      packets++;
    }
  } catch (error) {
    if (!(error instanceof MalformedPacket)) throw error;
    if (error.reasonCode < 0x80) throw error;
    return { packets, end: at, refused: error.reasonCode };
  }
  return { packets, end: at, refused: 0 };
}

/** Decodes the stream in pieces, and with runs: the outcome must be equal. */
function check(
  bytes: Uint8Array,
  length: number,
  expected: Outcome,
  below: (below: number) => number,
): void {
  const decoder = new PacketDecoder(MAX_PACKET_BYTES);
  const run = new PublishRun(1 + below(64));
  let at = 0;
  let packets = 0;
  let refused = 0;
  let arrived = 0;
  try {
    while (arrived < length) {
      arrived = Math.min(length, arrived + 1 + below(1 + below(200)));
      for (;;) {
        const count = decoder.nextRun(run, bytes, at, arrived);
        if (count > 0) {
          packets += count;
          at = decoder.end;
        } else if (decoder.next(bytes, at, arrived) !== undefined) {
          packets++;
          at = decoder.end;
        } else break;
      }
    }
  } catch (error) {
    if (!(error instanceof MalformedPacket)) throw error;
    refused = error.reasonCode;
  }
  const got = JSON.stringify({ packets, end: at, refused });
  if (got !== JSON.stringify(expected)) {
    throw new Error(`in pieces ${got}, at once ${JSON.stringify(expected)}`);
  }
}

function describe(
  error: unknown,
  bytes: Uint8Array,
  seed: number,
  stream: number,
): string {
  const text = error instanceof Error ? error.stack ?? error.message : error;
  return `${text}\n  stream ${stream} of seed ${seed}: ${bytes.toHex()}`;
}
