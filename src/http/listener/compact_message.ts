/**
 * Requests whose body waits for its reader in few pieces.
 *
 * @module
 */
import { IncomingMessage } from "node:http";
import type { Buffer } from "node:buffer";

/**
 * A piece of at least this size is passed on as it is. Smaller ones are copied
 * together: each would keep the buffer alive that the socket has read.
 */
const MIN_PIECE_BYTES = 2048;

/**
 * A request of Node.js that joins the chunks of one read of the socket. Node.js
 * limits the bytes that wait, 64 KiB, but not their pieces: chunks of one byte
 * would take 400 bytes each, 26 MB for each connection.
 */
export class CompactMessage extends IncomingMessage {
  #bytes = new Uint8Array(0);
  #length = 0;
  #isFlushScheduled = false;

  /**
   * Adds a piece of the body; null ends it.
   *
   * @returns false if no more may be read from the socket
   */
  override push(piece: Buffer | null, encoding?: BufferEncoding): boolean {
    if (piece === null || piece.length >= MIN_PIECE_BYTES) {
      this.#flush();
      return super.push(piece, encoding);
    }
    this.#add(piece);
    if (!this.#isFlushScheduled) {
      this.#isFlushScheduled = true;
      queueMicrotask(() => this.#flush()); // after all pieces of one read
    }
    return this.readableLength + this.#length < this.readableHighWaterMark;
  }

  #add(piece: Uint8Array): void {
    const end = this.#length + piece.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#length);
    this.#length = end;
  }

  #flush(): void {
    this.#isFlushScheduled = false;
    if (this.#length === 0) return;
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#bytes = new Uint8Array(0);
    this.#length = 0;
    super.push(bytes);
  }
}
