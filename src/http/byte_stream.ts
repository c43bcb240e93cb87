import { STALL_TIMEOUT } from "./limits.ts";

/** Where the bytes of a {@linkcode byteStream} come from. */
export interface ByteSource {
  /**
   * The next bytes; asked for only when there is room for them, so that nothing
   * is queued for a reader that is slow. `undefined` at the end.
   */
  next():
    | Promise<Uint8Array<ArrayBuffer> | undefined>
    | Uint8Array<ArrayBuffer>
    | undefined;
  /** The stream has ended, one way or another. Called once. */
  done(): void;
  /** Told how many bytes go out. */
  sent?(bytes: number): void;
  /** How long a reader may take nothing, ms. Default {@linkcode STALL_TIMEOUT}. */
  readonly stallAfter?: number;
}

/** A body that is made as it is read; whoever stops reading is cut off. */
export function byteStream(
  source: ByteSource,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const { stallAfter = STALL_TIMEOUT } = source;
  let stall: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const end = () => {
    clearTimeout(stall);
    if (!ended) source.done();
    ended = true;
  };
  return new ReadableStream({
    async pull(controller) {
      clearTimeout(stall);
      try {
        const bytes = await source.next();
        if (ended) return;
        if (bytes === undefined) {
          end();
          controller.close();
          return;
        }
        source.sent?.(bytes.length);
        controller.enqueue(bytes);
        stall = setTimeout(() => {
          end();
          controller.error(new Error("The reader has stopped reading"));
        }, stallAfter);
      } catch (error) {
        end();
        controller.error(error);
      }
    },
    cancel: end,
  }, { highWaterMark: 0 });
}
