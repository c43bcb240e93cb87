/**
 * Parses what the sockets of the listener have read in slices, so that no turn
 * of the event loop takes long.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { nextTurn } from "../../common/next_turn.ts";

/**
 * Bytes of a slice. A body in chunks of one byte costs about 10 µs a chunk: a
 * read of 64 KiB would take 100 ms, the largest slice takes 15 ms. A connection
 * begins with the smallest one; each quick slice doubles it.
 */
const MIN_SLICE_BYTES = 1024;
const MAX_SLICE_BYTES = 8192;
/** A slice that takes longer is not quick, in ms. */
const QUICK_SLICE_MS = 0.1;
/** Time for slices of all connections in one turn of the event loop. */
const TURN_BUDGET_MS = 2;

const NOTHING = Buffer.alloc(0);

/** What one socket has read and the parser has not. */
interface Reader {
  readonly socket: Socket;
  /** Passes bytes to the parser. */
  readonly parse: (bytes: Buffer) => void;
  /** What waits for the parser. */
  waiting: Buffer;
  /** Size of the next slice. */
  sliceBytes: number;
  /** False while the parser wants no more: the body is not read. */
  wantsMore: boolean;
}

/** Paces the reads of all connections of a listener, in turn. */
export class PacedReads {
  readonly #readers = new WeakMap<Socket, Reader>();
  /** Those with slices, the next first. */
  readonly #queue: Reader[] = [];
  /** Time of slices in this turn, in ms. */
  #spentMs = 0;
  #isTurnScheduled = false;

  /**
   * Paces the reads of a socket.
   *
   * @param serve attaches the parser of Node.js to the socket
   */
  attach(socket: Socket, serve: () => void): void {
    const { _handle: handle } = socket as Socket & {
      readonly _handle?: { _consumed?: boolean };
    };
    // Undocumented: else the parser takes the reads before any listener.
    if (handle) handle._consumed = true;
    serve();
    const [parse] = socket.listeners("data") as ((bytes: Buffer) => void)[];
    if (parse === undefined) return;
    const reader: Reader = {
      socket,
      parse,
      waiting: NOTHING,
      sliceBytes: MIN_SLICE_BYTES,
      wantsMore: true,
    };
    this.#readers.set(socket, reader);
    const { pause, resume } = socket;
    socket.pause = () => {
      reader.wantsMore = false;
      return pause.call(socket);
    };
    socket.resume = () => {
      reader.wantsMore = true;
      return reader.waiting.length > 0 ? socket : resume.call(socket);
    };
    socket.off("data", parse);
    socket.on("data", (bytes: Buffer) => {
      this.#add(reader, bytes);
      if (reader.waiting.length > 0) pause.call(socket);
    });
  }

  /**
   * Ends the pacing of a socket, which is no longer HTTP.
   *
   * @returns what it has read and the parser has not, after `head`
   */
  detach(socket: Socket, head: Buffer = NOTHING): Buffer {
    const reader = this.#readers.get(socket);
    if (reader === undefined) return head;
    this.#readers.delete(socket);
    socket.removeAllListeners("data");
    // Those of the prototype again.
    Reflect.deleteProperty(socket, "pause");
    Reflect.deleteProperty(socket, "resume");
    const rest = reader.waiting;
    reader.waiting = NOTHING;
    return Buffer.concat([head, rest]);
  }

  #add(reader: Reader, bytes: Buffer): void {
    if (reader.waiting.length === 0) this.#queue.push(reader);
    reader.waiting = reader.waiting.length === 0
      ? bytes
      : Buffer.concat([reader.waiting, bytes]);
    this.#parseSlices();
  }

  /** Parses slices until the time of this turn is used. */
  #parseSlices(): void {
    while (this.#spentMs < TURN_BUDGET_MS) {
      const reader = this.#queue.shift();
      if (reader === undefined) break;
      this.#spentMs += parseSlice(reader);
      if (reader.waiting.length > 0) this.#queue.push(reader);
      else if (reader.wantsMore && this.#readers.has(reader.socket)) {
        reader.socket.resume();
      }
    }
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    nextTurn(() => {
      this.#isTurnScheduled = false;
      this.#spentMs = 0;
      if (this.#queue.length > 0) this.#parseSlices();
    }, this.#queue.length > 0);
  }
}

/** Parses one slice; returns how long it took, in ms. */
function parseSlice(reader: Reader): number {
  const { waiting, socket } = reader;
  const start = performance.now();
  const slice = waiting.subarray(0, reader.sliceBytes);
  reader.waiting = waiting.subarray(slice.length);
  // A listener may detach the reader: then the rest is no longer HTTP.
  if (socket.destroyed) reader.waiting = NOTHING;
  else if (slice.length > 0) reader.parse(slice);
  const ms = performance.now() - start;
  reader.sliceBytes = ms > QUICK_SLICE_MS
    ? MIN_SLICE_BYTES
    : Math.min(2 * reader.sliceBytes, MAX_SLICE_BYTES);
  return ms;
}
