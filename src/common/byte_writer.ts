/**
 * A growing buffer for encoders.
 *
 * @module
 */

const FIRST_CAPACITY_BYTES = 256;

const encoder = new TextEncoder();

/**
 * A growing byte buffer. Hot loops reserve space once, then write into the
 * view.
 */
export class ByteWriter {
  /** The memory. Growing replaces it. */
  view: DataView<ArrayBuffer>;
  /** The memory of {@linkcode view}, as bytes. Growing replaces it. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The offset of the next byte. */
  at = 0;

  /** @param capacity number of bytes to allocate */
  constructor(capacity: number = FIRST_CAPACITY_BYTES) {
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Makes sure that `bytes` more bytes fit. */
  reserve(bytes: number): void {
    const needed = this.at + bytes;
    if (needed <= this.view.byteLength) return;
    const next = new Uint8Array(Math.max(needed, 2 * this.view.byteLength));
    next.set(this.bytes.subarray(0, this.at));
    this.bytes = next;
    this.view = new DataView(next.buffer);
  }

  /** Appends bytes. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Appends text as UTF-8; a lone surrogate becomes U+FFFD. */
  text(text: string): void {
    this.raw(encoder.encode(text));
  }

  /** Returns the written bytes without a copy. Write nothing after it. */
  take(): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(0, this.at);
  }

  /** Returns a copy of the written bytes. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.at);
  }
}
