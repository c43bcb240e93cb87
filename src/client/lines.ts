/** A line longer than this is passed over: no reading is, and memory must stay bounded. */
export const MAX_ROW_BYTES = 1024 * 1024;
const NEWLINE = 0x0a;
const NOTHING = new Uint8Array(0);

/** Whole lines, together, with the number of the first of them. */
export interface LineBlock {
  /** The lines, each with its line feed but perhaps the last of the input. */
  readonly bytes: Uint8Array;
  /** Number of the first line, from 1. */
  readonly firstLine: number;
  /** Of a single line that is too long to be held: its length, in bytes; then there are none here. */
  readonly tooLong?: number;
}

/**
 * Cuts a stream of bytes at its line ends: one block for each chunk that
 * completes a line, so that a slow pipe is dealt with line by line and a file
 * in large pieces.
 */
export async function* lineBlocks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<LineBlock> {
  let rest: Uint8Array = NOTHING;
  let firstLine = 1;
  /** How much has come of a line that is passed over. */
  let passed = 0;
  for await (let chunk of chunks) {
    if (passed > 0) {
      const end = chunk.indexOf(NEWLINE);
      passed += end < 0 ? chunk.length : end;
      if (end < 0) continue;
      yield { bytes: NOTHING, firstLine, tooLong: passed };
      firstLine++;
      passed = 0;
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
      passed = rest.length;
      rest = NOTHING;
    }
  }
  if (passed > 0) yield { bytes: NOTHING, firstLine, tooLong: passed };
  else if (rest.length > 0) yield { bytes: rest, firstLine };
}

/** How many line feeds there are. */
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
