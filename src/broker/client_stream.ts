/**
 * Adapts the stream of a client to aedes, and limits its memory and its
 * packets.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/** Limits of {@linkcode guardStream}. */
export interface StreamLimits {
  /** The longest packet, in bytes. A longer one ends the connection. */
  readonly maxPacketBytes: number;
  /** Unsent bytes above which `write()` reports a full buffer. */
  readonly softBufferBytes: number;
  /** Unsent bytes above which the connection is ended. */
  readonly hardBufferBytes: number;
  /**
   * Called before each read, with the number of packets read so far. If it
   * returns false, the data stays in the socket.
   */
  readonly mayRead: (packets: number) => boolean;
}

/**
 * Changes the methods of a client's stream.
 *
 * `read()` must return all data that has arrived: aedes calls it once per
 * event. aedes calls it again inside its parser, and then expects null. But
 * streams as of Node.js 26 return one buffer at a time (nodejs/node#60441), so
 * a burst, a long packet or a WebSocket would break the connection.
 *
 * Refusing a read is back-pressure: the stream fills, then TCP. No event
 * repeats the refused read: the caller must make sure that aedes reads again.
 *
 * `write()` reports a full buffer later than the stream, so that a slow client
 * does not delay each message to other clients, and ends the connection of a
 * client that does not read.
 *
 * @param stream the client's stream, which is changed
 * @param limits the limits
 * @returns the same stream
 */
export function guardStream<T extends Duplex>(
  stream: T,
  limits: StreamLimits,
): T {
  const scan = new PacketScanner(limits.maxPacketBytes);
  const readOne = stream.read.bind(stream) as Duplex["read"];
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;

  stream.read = (size?: number): Buffer | null => {
    // Streams call read(0) to fill their buffer: it must not return data.
    if (size === 0) return readOne(0);
    if (!limits.mayRead(scan.packets)) return null;
    const bytes = readAll(readOne);
    if (bytes === null) return null;
    const problem = scan.push(bytes);
    if (problem === undefined) return bytes;
    stream.destroy(new Error(problem));
    return null;
  };

  stream.write = (...args: unknown[]): boolean => {
    const hasRoom = write(...args);
    if (hasRoom || stream.writableLength < limits.softBufferBytes) return true;
    if (stream.writableLength > limits.hardBufferBytes) {
      stream.destroy(new Error("does not read its messages"));
    }
    return false;
  };
  return stream;
}

/** Returns all data of the stream as one buffer. */
function readAll(readOne: () => Buffer | null): Buffer | null {
  const first = readOne();
  if (first === null) return null;
  let next = readOne();
  if (next === null) return first;
  const chunks = [first];
  for (; next !== null; next = readOne()) chunks.push(next);
  return Buffer.concat(chunks);
}

/**
 * Reads the fixed headers of an MQTT stream (MQTT 3.1.1, 2.2), to detect a
 * packet that is too long before it is received.
 */
export class PacketScanner {
  readonly #maxBytes: number;
  /** Missing bytes of the current packet, if its length is known. */
  #missing = 0;
  #inHeader = false;
  #length = 0;
  #factor = 1;
  #packets = 0;

  /** @param maxBytes the longest packet, in bytes without the fixed header */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Complete packets so far. */
  get packets(): number {
    return this.#packets;
  }

  /**
   * Reads the next bytes of the stream.
   *
   * @param bytes the bytes
   * @returns what is wrong with them, for people; undefined if they are valid
   */
  push(bytes: Uint8Array): string | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.#missing > 0) {
        const step = Math.min(this.#missing, bytes.length - at);
        this.#missing -= step;
        at += step;
        if (this.#missing === 0) this.#packets++;
        continue;
      }
      if (!this.#inHeader) {
        this.#inHeader = true;
        this.#length = 0;
        this.#factor = 1;
        at++; // packet type and flags
        continue;
      }
      const digit = bytes[at++]!;
      this.#length += (digit & 0x7f) * this.#factor;
      this.#factor *= 128;
      if (this.#length > this.#maxBytes) {
        return `a packet of more than ${this.#maxBytes} bytes`;
      }
      if (digit < 0x80) {
        this.#inHeader = false;
        this.#missing = this.#length;
        if (this.#length === 0) this.#packets++;
      } else if (this.#factor > 128 ** 3) {
        return "a malformed packet length"; // at most four digits (2.2.3)
      }
    }
    return undefined;
  }
}
