/**
 * The body of a request, as a stream.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Buffer } from "node:buffer";

/**
 * A piece of at least this size is passed on as it is. Smaller ones are copied
 * together: each would keep the buffer alive that the socket has read.
 */
const MIN_PIECE_BYTES = 2048;

/**
 * Returns the body of a message. Nothing is read before the first `read()`, and
 * the client is slowed down while nothing reads.
 *
 * @param message the request, whose body nothing else reads
 * @param onStart called before the first piece is read
 */
export function bodyStream(
  message: IncomingMessage,
  onStart: () => void,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let started = false;
  let ended = false;
  let pieces = new SmallPieces();
  let isFlushScheduled = false;
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

  const flush = () => {
    isFlushScheduled = false;
    if (ended || pieces.length === 0) return;
    controller.enqueue(pieces.take());
    message.pause();
  };
  const onData = (piece: Buffer) => {
    if (ended) return;
    if (piece.length >= MIN_PIECE_BYTES) {
      flush();
      controller.enqueue(piece as Uint8Array<ArrayBuffer>);
      message.pause();
      return;
    }
    pieces.add(piece);
    if (isFlushScheduled) return;
    isFlushScheduled = true;
    queueMicrotask(flush); // after all pieces of one read of the socket
  };
  const end = (finish: () => void) => {
    if (ended) return;
    flush();
    ended = true;
    pieces = new SmallPieces();
    finish();
  };
  const start = () => {
    started = true;
    onStart();
    message.on("data", onData);
    message.once("end", () => end(() => controller.close()));
    const fail = () =>
      end(() => controller.error(new Error("The client closed the request")));
    message.once("error", fail);
    message.once("close", fail);
    if (message.destroyed && !message.readableEnded) fail();
  };
  return new ReadableStream({
    start: (own) => {
      controller = own;
    },
    pull: () => {
      if (!started) start();
      message.resume();
    },
    cancel: () => {
      ended = true;
      message.pause();
    },
  }, { highWaterMark: 0 });
}

/** Copies small pieces into one buffer that grows. */
class SmallPieces {
  #bytes = new Uint8Array(0);
  length = 0;

  add(piece: Uint8Array): void {
    const end = this.length + piece.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.length);
    this.length = end;
  }

  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.#bytes.subarray(0, this.length);
    this.#bytes = new Uint8Array(0);
    this.length = 0;
    return bytes;
  }
}
