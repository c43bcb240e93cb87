/**
 * A response whose body is complete.
 *
 * @module
 */

/**
 * A response whose content is at hand: it is sent with its length and without a
 * stream, which is faster. Bytes are not copied, so that many slow clients of
 * one file need no memory.
 */
export class FixedResponse extends Response {
  /** The body. */
  readonly content: string | Uint8Array<ArrayBuffer>;

  /** @param content bytes must not be changed later */
  constructor(
    content: string | Uint8Array<ArrayBuffer>,
    init?: ResponseInit,
  ) {
    // Response would copy bytes.
    super(typeof content === "string" ? content : streamOf(content), init);
    this.content = content;
  }
}

function streamOf(
  bytes: Uint8Array<ArrayBuffer>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  }, { highWaterMark: 0 });
}
