/**
 * Follows the frames of an MQTT stream by their fixed headers alone (MQTT
 * 3.1.1, 2.2), to tell a packet that is too long before it has been received.
 */
export class FrameScan {
  readonly #limit: number;
  /** Bytes of the packet that are still to come, if its length is known. */
  #rest = 0;
  #inHeader = false;
  #length = 0;
  #factor = 1;
  #packets = 0;

  /** @param limit The longest packet allowed, in bytes after the fixed header */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Packets that have been seen whole. */
  get packets(): number {
    return this.#packets;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @returns what is wrong with them, in words; undefined if nothing is
   */
  push(bytes: Uint8Array): string | undefined {
    let at = 0;
    while (at < bytes.length) {
      if (this.#rest > 0) {
        const step = Math.min(this.#rest, bytes.length - at);
        this.#rest -= step;
        at += step;
        if (this.#rest === 0) this.#packets++;
        continue;
      }
      if (!this.#inHeader) {
        this.#inHeader = true;
        this.#length = 0;
        this.#factor = 1;
        at++; // packet type and flags: not looked at here
        continue;
      }
      const digit = bytes[at++]!;
      this.#length += (digit & 0x7f) * this.#factor;
      this.#factor *= 128;
      if (this.#length > this.#limit) {
        return `a packet of more than ${this.#limit} bytes`;
      }
      if (digit < 0x80) {
        this.#inHeader = false;
        this.#rest = this.#length;
        if (this.#length === 0) this.#packets++;
      } else if (this.#factor > 128 ** 3) {
        return "a malformed packet length"; // four digits at most (2.2.3)
      }
    }
    return undefined;
  }
}
