/** A line longer than this is cut: no reading is, and memory must stay bounded. */
const MAX_LINE_BYTES = 1024 * 1024;
/** What is left of a line that was cut; enough for the parser to refuse it. */
const CUT_LINE_BYTES = 2048;
const NEWLINE = 0x0a;

/** Whole lines, together, with the number of the first of them. */
export interface LineBlock {
  /** The lines, each with its line feed but perhaps the last of the input. */
  readonly bytes: Uint8Array;
  /** Number of the first line, from 1. */
  readonly firstLine: number;
}

/**
 * Cuts a stream of bytes at its line ends: one block for each chunk that
 * completes a line, so that a slow pipe is dealt with line by line and a file
 * in large pieces.
 */
export async function* lineBlocks(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<LineBlock> {
  let rest: Uint8Array = new Uint8Array(0);
  let firstLine = 1;
  let cutting = false;
  for await (let chunk of chunks) {
    if (cutting) {
      const end = chunk.indexOf(NEWLINE);
      if (end < 0) continue;
      chunk = chunk.subarray(end); // the line feed ends the line that was cut
      cutting = false;
    }
    const bytes = joined(rest, chunk);
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    if (end > 0) {
      const block = bytes.subarray(0, end);
      yield { bytes: block, firstLine };
      firstLine += countLines(block);
    }
    rest = bytes.subarray(end);
    if (rest.length > MAX_LINE_BYTES) {
      rest = rest.slice(0, CUT_LINE_BYTES);
      cutting = true;
    }
  }
  if (rest.length > 0) yield { bytes: rest, firstLine };
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
