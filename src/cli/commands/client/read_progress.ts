/** Counts how much of the input has been read. */
export class ReadProgress {
  #readBytes = 0;
  #totalBytes: number | undefined = 0;

  /**
   * Adds an input. Call it for all inputs before the first one is read.
   *
   * @param input the input
   * @param bytes its size; undefined if that is not known, as of a pipe
   * @returns the same bytes, which are counted when they are read
   */
  count(
    input: AsyncIterable<Uint8Array>,
    bytes: number | undefined,
  ): AsyncIterable<Uint8Array> {
    this.#totalBytes = bytes === undefined || this.#totalBytes === undefined
      ? undefined
      : this.#totalBytes + bytes;
    return this.#read(input);
  }

  /** From 0 to 100, a whole number; undefined if the size is not known. */
  get percent(): number | undefined {
    if (!this.#totalBytes) return undefined;
    // A file may grow while it is read.
    const part = Math.min(this.#readBytes / this.#totalBytes, 1);
    return Math.floor(100 * part);
  }

  async *#read(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of input) {
      this.#readBytes += chunk.length;
      yield chunk;
    }
  }
}
