/**
 * Decompresses frames with an API that browsers and Deno share.
 *
 * @module
 */

/**
 * Inflates raw deflate data (RFC 1951).
 *
 * @param length the length of the inflated data in bytes
 * @throws {RangeError} if the data has another length
 * @throws {TypeError} if the bytes are not deflate data
 */
export async function inflateRaw(
  deflated: Uint8Array<ArrayBuffer>,
  length: number,
): Promise<Uint8Array> {
  const stream = new Blob([deflated]).stream()
    .pipeThrough(new DecompressionStream("deflate-raw"));
  const inflated = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of chunksOf(stream)) {
    if (filled + chunk.length > length) {
      throw new RangeError(`it has more than the stated ${length} bytes`);
    }
    inflated.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled === length) return inflated;
  throw new RangeError(`it has ${filled} of the stated ${length} bytes`);
}

/** Not all browsers have the async iterator of ReadableStream. */
async function* chunksOf(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
