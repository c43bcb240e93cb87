/**
 * Adapts the stream of a client to aedes, and limits its memory and its
 * packets.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";

/**
 * Data is passed to the socket in pieces of this size: progress is known after
 * each. A client on a slow line must receive one per `drainTimeout`.
 */
const PIECE_BYTES = 64 * 1024;

/** Limits of {@linkcode guardStream}. */
export interface StreamLimits {
  /** The longest packet, in bytes. A longer one ends the connection. */
  readonly maxPacketBytes: number;
  /** Unsent bytes above which `write()` reports a full buffer. */
  readonly softBufferBytes: number;
  /**
   * Unsent bytes above which the connection is ended. The longest message among
   * them does not count: a single message may be longer than this.
   */
  readonly hardBufferBytes: number;
  /**
   * How long no byte may be sent while `write()` reports a full buffer, in ms,
   * before the connection is ended.
   */
  readonly drainTimeout: number;
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
 * does not delay each message to other clients. It ends the connection of a
 * client that does not read. A client that reads slowly stays connected,
 * however long a message takes.
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

  limitUnsent(stream, limits);
  return stream;
}

/** Ends the stream of a client that does not read. */
function limitUnsent(
  stream: Duplex,
  { softBufferBytes, hardBufferBytes, drainTimeout }: StreamLimits,
): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  /** The longest data since the buffer was empty. */
  let longest = 0;
  let sentBytes = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  writeInPieces(stream, (bytes) => sentBytes += bytes);
  const end = () => stream.destroy(new Error("does not read its messages"));

  const startTimer = () => {
    let before = sentBytes;
    timer = setInterval(() => {
      if (sentBytes === before) end();
      before = sentBytes;
    }, drainTimeout);
  };
  const stopTimer = () => {
    clearInterval(timer);
    timer = undefined;
    longest = 0;
  };
  stream.on("drain", stopTimer);
  stream.on("close", stopTimer);

  stream.write = (...args: unknown[]): boolean => {
    const hasRoom = write(...args);
    if (hasRoom) return true;
    longest = Math.max(longest, (args[0] as Uint8Array | string).length);
    if (stream.writableLength < softBufferBytes) return true;
    if (stream.writableLength - longest > hardBufferBytes) end();
    else if (timer === undefined && !stream.destroyed) startTimer();
    return false;
  };
}

/** Data in the buffer of a stream. */
interface Buffered {
  chunk: Uint8Array | string;
  encoding: BufferEncoding;
}

type Written = (error?: Error | null) => void;

/**
 * Makes a stream write its buffered data in pieces, one after the other.
 *
 * @param stream the stream, which is changed
 * @param onSent called with the bytes that the operating system has accepted
 */
function writeInPieces(stream: Duplex, onSent: (bytes: number) => void): void {
  const writeOne = stream._write.bind(stream);
  const writeMany = stream._writev?.bind(stream);

  stream._write = (chunk: Buffer | string, encoding, done) => {
    const { length } = chunk;
    let end = 0;
    const next: Written = (error) => {
      if (error || end === length) return done(error);
      const start = end;
      // A string is a topic: at most 64 KiB.
      end = typeof chunk === "string"
        ? length
        : Math.min(length, start + PIECE_BYTES);
      const piece = end - start === length
        ? chunk
        : (chunk as Buffer).subarray(start, end);
      writeOne(piece, encoding, (error) => {
        if (!error) onSent(end - start);
        next(error);
      });
    };
    next();
  };
  if (writeMany === undefined) return;
  // TypeScript knows only this signature: the chunks are Buffered.
  stream._writev = (chunks: Buffered[], done) => {
    let start = 0;
    const next: Written = (error) => {
      if (error || start === chunks.length) return done(error);
      const { end, bytes } = endOfPiece(chunks, start);
      const piece = start === 0 && end === chunks.length
        ? chunks
        : chunks.slice(start, end);
      start = end;
      if (piece.length === 1) {
        stream._write(piece[0]!.chunk, piece[0]!.encoding, next);
        return;
      }
      writeMany(piece, (error) => {
        if (!error) onSent(bytes);
        next(error);
      });
    };
    next();
  };
}

/** Returns where the piece that begins at `start` ends, and its length. */
function endOfPiece(
  chunks: readonly Buffered[],
  start: number,
): { end: number; bytes: number } {
  let end = start + 1;
  let bytes = chunks[start]!.chunk.length;
  while (end < chunks.length) {
    const { length } = chunks[end]!.chunk;
    if (bytes + length > PIECE_BYTES) break;
    bytes += length;
    end++;
  }
  return { end, bytes };
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
