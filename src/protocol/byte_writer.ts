/**
 * A growing buffer for encoders.
 *
 * @module
 */
import { encodeText } from "./text.ts";

const FIRST_CAPACITY_BYTES = 256;

/**
 * A growing byte buffer. Hot loops reserve space once, then write into the
 * view.
 */
export class ByteWriter {
  /** The bytes. Growing replaces it. */
  view: DataView<ArrayBuffer>;
  /** The offset of the next byte. */
  at = 0;

  /** @param capacity number of bytes to allocate */
  constructor(capacity: number = FIRST_CAPACITY_BYTES) {
    this.view = new DataView(new ArrayBuffer(capacity));
  }

  /** Makes sure that `bytes` more bytes fit. */
  reserve(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.view.byteLength) return;
    const next = new Uint8Array(Math.max(needed, 2 * this.view.byteLength));
    next.set(new Uint8Array(this.view.buffer, 0, this.at));
    this.view = new DataView(next.buffer);
  }

  /** Appends text as UTF-8. */
  text(text: string): void {
    const bytes = encodeText(text);
    this.reserve(bytes.length);
    new Uint8Array(this.view.buffer).set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Returns the written bytes without a copy. Write nothing after it. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view.buffer, 0, this.at);
  }

  /** Returns a copy of the written bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view.buffer.slice(0, this.at));
  }
}
