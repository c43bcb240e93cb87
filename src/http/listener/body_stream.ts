/**
 * The body of a request, as a stream.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Buffer } from "node:buffer";

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
  let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

  const onData = (piece: Buffer) => {
    if (ended) return;
    controller.enqueue(piece as Uint8Array<ArrayBuffer>);
    message.pause();
  };
  const end = (finish: () => void) => {
    if (ended) return;
    ended = true;
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
