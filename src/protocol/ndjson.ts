/**
 * Parses readings as JSON lines (NDJSON): each line is JSON in one of the forms
 * of a payload.
 *
 * @module
 */

import type { ReadingBatch } from "./batch.ts";
import { ProtocolError } from "./errors.ts";
import { parseJsonReadings } from "./json.ts";
import type { LayerOptions } from "./payload_layer.ts";
import type { Refusals } from "./refusals.ts";
import { skipBlank } from "./text.ts";

const LF = 0x0a;

/**
 * Parses lines and appends their readings to a batch. What is invalid is
 * refused with the number of its line; blank lines are skipped, but counted.
 *
 * @param bytes the payload
 * @param from offset of the first line
 * @param batch receives the valid readings
 * @param refusals receives the invalid lines, and elements of lines
 * @param options what to do with the name of a layer
 * @param firstLine number of the first line
 * @returns the number of the line after the last one
 */
export function parseNdjson(
  bytes: Uint8Array,
  from: number,
  batch: ReadingBatch,
  refusals: Pick<Refusals, "add">,
  options: LayerOptions,
  firstLine: number = 1,
): number {
  let line = firstLine;
  for (let at = from; at < bytes.length; line++) {
    const lineEnd = bytes.indexOf(LF, at);
    const stop = lineEnd === -1 ? bytes.length : lineEnd;
    const row = bytes.subarray(at, stop);
    at = stop + 1;
    const first = skipBlank(row, 0);
    if (first === row.length) continue;
    try {
      parseJsonReadings(row, first, batch, refusals, { ...options, line });
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      refusals.add(error.code, () => error.message, line, error.source);
    }
  }
  return line;
}
