/**
 * The network connection of a client: a byte stream in both directions, over
 * TCP, TLS or WebSocket.
 *
 * @module
 */

/**
 * A byte stream. At most one call of `read` and one of `write` at a time.
 *
 * Nothing is read ahead without bound: a client whose bytes are not read has to
 * wait.
 */
export interface Transport {
  /** The IP address of the client. */
  readonly address: string;
  /**
   * The name in the client certificate, which the listener has verified;
   * undefined without one.
   */
  readonly certificateName: string | undefined;
  /** True if a page of another site opened it: a WebSocket only. */
  readonly isForeignPage?: boolean;
  /**
   * Reads what has arrived, or waits for it. The buffer must not be used until
   * the promise is settled. What arrived before the end is read before it.
   *
   * @param into at least 1 byte
   * @returns the number of bytes, at least 1; null at the end
   * @throws if the connection was lost or destroyed
   */
  read(into: Uint8Array): Promise<number | null>;
  /**
   * Writes bytes, or the first part of them. They must not change until the
   * promise is settled.
   *
   * @param bytes at least 1
   * @returns how many the operating system has accepted, at least 1
   * @throws if the connection was lost or destroyed
   */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends the stream to the client, after what was written. Never rejects. */
  end(): Promise<void>;
  /** Closes the connection at once. Safe to call twice. */
  destroy(): void;
  /**
   * Marks the client as logged in: the connection no longer gives way to new
   * ones.
   *
   * @param isSilent true if it has no keep-alive: then that of TCP detects a
   * client that is gone without a word
   */
  markBusy(isSilent: boolean): void;
}

/** Handles a new connection. */
export type Accept = (transport: Transport) => void;

/** Received bytes that wait for `read`; above it a stream is paused. */
export const MAX_READ_AHEAD_BYTES: number = 64 * 1024;
/** Bytes of one write to a stream: progress is known after each. */
export const MAX_WRITE_BYTES: number = 64 * 1024;

/** Received chunks, for transports over streams that deliver them by events. */
export class ReceivedChunks {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  /** True if the source should pause. */
  get isFull(): boolean {
    return this.#bytes >= MAX_READ_AHEAD_BYTES;
  }

  /** Adds bytes, which must not change. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    this.#wake?.();
  }

  /** Ends the stream after the chunks. The first call counts. */
  end(error?: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#wake?.();
  }

  /** As {@linkcode Transport.read}. */
  async read(into: Uint8Array): Promise<number | null> {
    if (this.#bytes === 0 && !this.#isEnded) {
      await new Promise<void>((resolve) => this.#wake = resolve);
      this.#wake = undefined;
    }
    if (this.#bytes > 0) return this.#take(into);
    if (this.#error !== undefined) throw this.#error;
    return null;
  }

  #take(into: Uint8Array): number {
    let at = 0;
    let taken = 0;
    for (const chunk of this.#chunks) {
      const room = into.length - at;
      if (chunk.length > room) {
        into.set(chunk.subarray(0, room), at);
        this.#chunks[taken] = chunk.subarray(room);
        at += room;
        break;
      }
      into.set(chunk, at);
      at += chunk.length;
      taken++;
    }
    this.#chunks.splice(0, taken);
    this.#bytes -= at;
    return at;
  }
}
