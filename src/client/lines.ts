/**
 * Splits a stream of bytes into blocks of whole lines.
 *
 * @module
 */

/** Longer lines are skipped, to bound memory. No reading is as long. */
export const MAX_ROW_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const NO_BYTES = new Uint8Array(0);

/** Consecutive lines, or one line that is too long. */
export interface LineBlock {
  /** The lines with line feeds; the last one of the input may have none. */
  readonly bytes: Uint8Array;
  /** Number of the first line, from 1. */
  readonly firstLine: number;
  /** Set for a line that is too long: its bytes. Then `bytes` is empty. */
  readonly tooLong?: number;
}

/**
 * Splits a stream of bytes into blocks of whole lines. Each chunk that
 * completes a line yields one block, so a slow pipe is read line by line and a
 * file in large blocks.
 */
export async function* lineBlocks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<LineBlock> {
  let rest: Uint8Array = NO_BYTES;
  let firstLine = 1;
  /** Bytes received of a line that is too long. */
  let skipped = 0;
  for await (let chunk of chunks) {
    if (skipped > 0) {
      const end = chunk.indexOf(NEWLINE);
      skipped += end < 0 ? chunk.length : end;
      if (end < 0) continue;
      yield { bytes: NO_BYTES, firstLine, tooLong: skipped };
      firstLine++;
      skipped = 0;
      chunk = chunk.subarray(end + 1);
    }
    const bytes = joined(rest, chunk);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const block = bytes.subarray(0, end);
      yield { bytes: block, firstLine };
      firstLine += countLines(block);
    }
    rest = bytes.subarray(end);
    if (rest.length > MAX_ROW_BYTES) {
      skipped = rest.length;
      rest = NO_BYTES;
    }
  }
  if (skipped > 0) yield { bytes: NO_BYTES, firstLine, tooLong: skipped };
  else if (rest.length > 0) yield { bytes: rest, firstLine };
}

/** Returns the number of line feeds. */
export function countLines(bytes: Uint8Array): number {
  let count = 0;
  let at = bytes.indexOf(NEWLINE);
  while (at >= 0) {
    count++;
    at = bytes.indexOf(NEWLINE, at + 1);
  }
  return count;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
