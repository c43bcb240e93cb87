/**
 * Inflates (RFC 1951) with what browsers have; Deno has it too.
 *
 * @param length bytes that it must give
 * @throws {RangeError} if it gives more or fewer
 * @throws {TypeError} if the bytes are not deflated
 */
export async function inflateRaw(
  deflated: Uint8Array<ArrayBuffer>,
  length: number,
): Promise<Uint8Array> {
  const body = new Blob([deflated]).stream()
    .pipeThrough(new DecompressionStream("deflate-raw"));
  const inflated = new Uint8Array(length);
  let filled = 0;
  for await (const chunk of chunksOf(body)) {
    if (filled + chunk.length > length) {
      throw new RangeError(
        `it has more than the ${length} bytes that it tells`,
      );
    }
    inflated.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled === length) return inflated;
  throw new RangeError(`it has ${filled} of the ${length} bytes that it tells`);
}

/** Not all browsers can iterate over a stream. */
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
