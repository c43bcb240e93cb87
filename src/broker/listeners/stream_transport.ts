/**
 * What the transports over TLS and WebSocket have in common: both deliver what
 * they receive by events, and can be paused.
 *
 * @module
 */
import type { AdmittedSocket } from "./node_listener.ts";
import type { Transport } from "./transport.ts";

/** Received bytes that wait for `read`; above it the stream is paused. */
const MAX_READ_AHEAD_BYTES = 64 * 1024;
/** Bytes of one write to a stream: progress is known after each. */
const MAX_WRITE_BYTES = 64 * 1024;

/** A stream that delivers chunks by events. */
interface ChunkSource {
  pause(): unknown;
  resume(): unknown;
}

/** A transport over a stream of a server of `node:net`. */
export abstract class StreamTransport implements Transport {
  readonly address: string;
  readonly certificateName: string | undefined;
  /** What the stream delivers. */
  protected readonly received: ReceivedChunks;
  readonly #admitted: AdmittedSocket;

  /**
   * @param source the stream
   * @param admitted the accepted socket of the stream
   * @param certificateName as the property
   */
  constructor(
    source: ChunkSource,
    admitted: AdmittedSocket,
    certificateName?: string,
  ) {
    this.address = admitted.address;
    this.certificateName = certificateName;
    this.received = new ReceivedChunks(source);
    this.#admitted = admitted;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.received.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    const piece = bytes.subarray(0, MAX_WRITE_BYTES);
    return new Promise((resolve, reject) =>
      this.send(
        piece,
        (error) => error ? reject(error) : resolve(piece.length),
      )
    );
  }

  /** Writes all bytes to the stream, and calls back when it has accepted them. */
  protected abstract send(
    bytes: Uint8Array,
    callback: (error?: Error | null) => void,
  ): void;

  abstract end(): Promise<void>;

  abstract destroy(): void;

  markBusy(): void {
    this.#admitted.markBusy();
  }
}

/** Chunks that a stream has delivered. */
class ReceivedChunks {
  readonly #source: ChunkSource;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isEnded = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  /** @param source paused while too many bytes wait */
  constructor(source: ChunkSource) {
    this.#source = source;
  }

  /** True if the source is paused. */
  get #isFull(): boolean {
    return this.#bytes >= MAX_READ_AHEAD_BYTES;
  }

  /** Adds bytes, which must not change. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#isFull) this.#source.pause();
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
    const wasFull = this.#isFull;
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
    if (wasFull && !this.#isFull) this.#source.resume();
    return at;
  }
}
