/**
 * Requests whose body waits for its reader in few pieces.
 *
 * @module
 */
import { IncomingMessage } from "node:http";
import type { Buffer } from "node:buffer";
import { ByteWriter } from "../../common/byte_writer.ts";

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
  /** The small pieces of one read. */
  #small: ByteWriter | undefined;

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
    if (this.#small === undefined) {
      this.#small = new ByteWriter(piece.length);
      queueMicrotask(() => this.#flush()); // after all pieces of one read
    }
    this.#small.raw(piece);
    return this.readableLength + this.#small.at < this.readableHighWaterMark;
  }

  #flush(): void {
    const small = this.#small;
    this.#small = undefined;
    if (small !== undefined) super.push(small.take());
  }
}
