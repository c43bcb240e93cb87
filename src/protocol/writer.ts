import { encodeText } from "./text.ts";

const FIRST_CAPACITY = 256;

/** A byte buffer that grows. Hot loops reserve room once and write into it. */
export class ByteWriter {
  /** The bytes; replaced when it grows. */
  view: DataView<ArrayBuffer>;
  /** Where the next byte goes. */
  at = 0;

  /** @param capacity How many bytes to make room for at once */
  constructor(capacity: number = FIRST_CAPACITY) {
    this.view = new DataView(new ArrayBuffer(capacity));
  }

  /** Makes sure that `bytes` more fit. */
  reserve(bytes: number): void {
    const least = this.at + bytes;
    if (least <= this.view.byteLength) return;
    const next = new Uint8Array(Math.max(least, 2 * this.view.byteLength));
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

  /** A copy of what was written, no longer than that. */
  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.view.buffer.slice(0, this.at));
  }
}
