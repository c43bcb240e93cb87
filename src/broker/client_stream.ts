import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { FrameScan } from "./frame_scan.ts";

/** What {@linkcode guardStream} keeps a client within. */
export interface StreamLimits {
  /** Longest packet taken in, in bytes. A longer one ends the connection. */
  readonly maxPacketBytes: number;
  /** What may wait to be sent before the broker is told to wait, in bytes. */
  readonly softBufferBytes: number;
  /** What may wait to be sent before the connection is ended, in bytes. */
  readonly hardBufferBytes: number;
  /** Asked before each read: false keeps what comes in the socket. */
  readonly mayRead: (packets: number) => boolean;
}

/**
 * Makes a client's stream fit for the broker, and the broker safe from it.
 *
 * `read()` must return all that has arrived. aedes calls it once an event and
 * relies on that, and calls it again from within its parser, where it must find
 * nothing; but streams as of Node 26 return one buffer at a time
 * (nodejs/node#60441). Without this, a flood, a long packet or a WebSocket
 * breaks the connection.
 *
 * Refusing a read is back-pressure: the stream fills, and then TCP. No event
 * calls for the refused read again: the owner must see to it that aedes asks.
 *
 * `write()` reports a full buffer later than the stream would, so that one slow
 * reader does not make the broker wait at every message, and ends the
 * connection of one that does not read at all.
 *
 * @returns the same stream, changed
 */
export function guardStream<T extends Duplex>(
  stream: T,
  limits: StreamLimits,
): T {
  const scan = new FrameScan(limits.maxPacketBytes);
  const readOne = stream.read.bind(stream) as Duplex["read"];
  const write = stream.write.bind(stream) as (
    ...args: unknown[]
  ) => boolean;

  stream.read = (size?: number): Buffer | null => {
    // Streams ask themselves for read(0) to be filled: it must not take anything out.
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
    const room = write(...args);
    if (room || stream.writableLength < limits.softBufferBytes) return true;
    if (stream.writableLength > limits.hardBufferBytes) {
      stream.destroy(new Error("does not read what is sent to it"));
    }
    return false;
  };
  return stream;
}

/** All that the stream holds, as one buffer. */
function readAll(readOne: () => Buffer | null): Buffer | null {
  const first = readOne();
  if (first === null) return null;
  let next = readOne();
  if (next === null) return first;
  const chunks = [first];
  for (; next !== null; next = readOne()) chunks.push(next);
  return Buffer.concat(chunks);
}
