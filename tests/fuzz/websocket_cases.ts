/**
 * Random WebSocket sessions of the live feed: valid messages, and what is wrong
 * with messages and frames (RFC 6455).
 *
 * @module
 */
import { join, latin1, mutate, type Random, split } from "./random.ts";

/** What a client sends after the handshake. */
export interface WebSocketCase {
  /** The request of the handshake. */
  readonly handshake: Uint8Array;
  readonly pieces: readonly Uint8Array[];
  /** True if the client closes at once, without reading. */
  readonly leaves: boolean;
}

const OPCODES = [0, 1, 1, 1, 1, 2, 3, 7, 8, 9, 10, 11, 15];
const CLOSE_CODES = [
  ...[0, 999, 1000, 1001, 1002, 1004, 1005, 1006, 1007, 1011, 1015, 1016],
  ...[2999, 3000, 4999, 5000, 65_535],
];
const VALUES = [
  ...["0", "1", "-1", "1.5", "1e400", "9007199254740993", "null", "true", '""'],
  ...['"default"', '"nothing"', '"a/b"', "[]", "{}", "[0,0,9,9]", "[9,9,0,0]"],
  ...["[0,0,9]", "[-2147483648,-2147483648,2147483647,2147483647]"],
  ...['"\\ud800"', '"__proto__"', `"${"x".repeat(5000)}"`, "[[[[]]]]"],
];
const EXTENSIONS = [
  "",
  "",
  "Sec-WebSocket-Extensions: permessage-deflate\r\n",
  "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=99\r\n",
  "Sec-WebSocket-Protocol: mqtt\r\n",
];

/** Returns a random session. */
export function webSocketCase(random: Random): WebSocketCase {
  const frames = Array.from(
    { length: 1 + random.length(30) },
    () => random.once(3) ? strangeFrame(random) : validFrame(random),
  );
  const close = frame(random, { opcode: 8, payload: closePayload(random) });
  const bytes = join(...frames, ...(random.once(3) ? [] : [close]));
  return {
    handshake: latin1(
      "GET /live HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n" +
        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${
          random.of(EXTENSIONS)
        }\r\n`,
    ),
    pieces: split(random, random.once(5) ? mutate(random, bytes) : bytes),
    leaves: random.once(10),
  };
}

/** A message of the feed, also in fragments with control frames between. */
function validFrame(random: Random): Uint8Array {
  const payload = new TextEncoder().encode(message(random));
  if (!random.once(4)) return frame(random, { opcode: 1, payload });
  const cut = random.below(payload.length + 1);
  return join(
    frame(random, { opcode: 1, fin: false, payload: payload.subarray(0, cut) }),
    ...(random.once(2)
      ? [frame(random, { opcode: 9, payload: random.bytes(random.below(126)) })]
      : []),
    frame(random, { opcode: 0, payload: payload.subarray(cut) }),
  );
}

function strangeFrame(random: Random): Uint8Array {
  const payload = random.of([
    () => new TextEncoder().encode(message(random)),
    () => mutate(random, new TextEncoder().encode(message(random))),
    () => random.bytes(random.length(300)),
    () => random.bytes(random.length(70_000)),
    () => closePayload(random),
    () => latin1("\xed\xa0\x80\xc0\xaf\xff"), // not UTF-8
    () => new Uint8Array(),
  ])();
  return frame(random, {
    payload,
    opcode: random.of(OPCODES),
    fin: !random.once(4),
    reserved: random.once(8) ? random.below(8) : 0,
    masked: !random.once(8),
    strangeLength: random.once(8),
  });
}

function message(random: Random): string {
  const value = () => random.of(VALUES);
  return random.of([
    () => '{"type":"view","layer":"default"}',
    () => '{"type":"view","layer":"default","region":[0,0,9,9]}',
    () => `{"type":"ping","id":${random.below(1000)}}`,
    () => `{"type":"got","frames":${random.below(3)}}`,
    () => `{"type":"view","layer":${value()},"region":${value()}}`,
    () => `{"type":"got","frames":${value()}}`,
    () => `{"type":"ping","id":${value()}}`,
    () => `{"type":${value()},"layer":"default"}`,
    () => value(),
    () => "[".repeat(random.length(5000)),
  ])();
}

function closePayload(random: Random): Uint8Array {
  const code = random.of(CLOSE_CODES);
  const reason = random.once(3) ? random.bytes(random.below(124)) : latin1("x");
  return random.of([
    new Uint8Array(),
    Uint8Array.of(code >> 8, code & 255),
    join(Uint8Array.of(code >> 8, code & 255), reason),
    Uint8Array.of(3),
  ]);
}

/** Returns a frame (RFC 6455, 5.2). */
function frame(
  random: Random,
  {
    payload,
    opcode,
    fin = true,
    reserved = 0,
    masked = true,
    strangeLength = false,
  }: {
    readonly payload: Uint8Array;
    readonly opcode: number;
    readonly fin?: boolean;
    /** The three reserved bits. */
    readonly reserved?: number;
    readonly masked?: boolean;
    /** A length that is not that of the payload, or in too many bytes. */
    readonly strangeLength?: boolean;
  },
): Uint8Array {
  const first = (fin ? 128 : 0) | reserved << 4 | opcode;
  const length = strangeLength
    ? random.of([payload.length, payload.length + 1, 0, 2 ** 31, 2 ** 62])
    : payload.length;
  const bytes = strangeLength
    ? random.of([2, 8])
    : length < 126
    ? 0
    : length < 65_536
    ? 2
    : 8;
  const head = new DataView(new ArrayBuffer(2 + bytes));
  const mark = bytes === 0 ? length : bytes === 2 ? 126 : 127;
  head.setUint8(0, first);
  head.setUint8(1, (masked ? 128 : 0) | mark);
  if (bytes === 2) head.setUint16(2, length % 65_536);
  if (bytes === 8) head.setBigUint64(2, BigInt(length));
  const key = random.bytes(4);
  return join(
    new Uint8Array(head.buffer),
    ...(masked
      ? [key, payload.map((byte, i) => byte ^ key[i % 4]!)]
      : [payload]),
  );
}
