/** Splits bytes into chunks, to test readers of streams. */
import fc from "fast-check";

/** Splits bytes into chunks at the given places. */
export async function* chunked(
  bytes: Uint8Array,
  cuts: readonly number[],
): AsyncGenerator<Uint8Array> {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
    .sort((a, b) => a - b);
  let from = 0;
  for (const end of ends) {
    yield await Promise.resolve(bytes.slice(from, end));
    from = end;
  }
}

/** Places to split at; each is taken modulo the length. */
export const cuts: fc.Arbitrary<number[]> = fc.array(fc.nat(), {
  maxLength: 30,
});

/** Collects the items of an async iterable. */
export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}
