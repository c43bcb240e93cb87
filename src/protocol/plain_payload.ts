/**
 * Parses the usual payloads where they are in a buffer, without an object for
 * each.
 *
 * @module
 */

import type { ReadingBatch } from "./batch.ts";
import { parsePlainLine } from "./csv.ts";
import { formatOfType } from "./readings.ts";
import { checkReadingTime } from "./time.ts";

/**
 * Returns true if {@linkcode parsePlainPayload} may parse payloads of this
 * content type.
 *
 * @param contentType as for `parseReadings`
 */
export function mayBePlain(contentType: string | undefined): boolean {
  if (contentType === undefined) return true;
  try {
    return (formatOfType(contentType) ?? "csv") === "csv";
  } catch {
    return false; // no payload of this type is valid
  }
}

/**
 * Parses a payload of usual lines (`x,y,value` or `x,y,value,time` in short
 * integers), with the same result as `parseReadings`.
 *
 * @param bytes contains the payload
 * @param from offset of its first byte
 * @param to offset after its last byte
 * @param batch receives the readings, if all lines are usual
 * @returns false if `parseReadings` must parse it; the batch is unchanged then
 */
export function parsePlainPayload(
  bytes: Uint8Array,
  from: number,
  to: number,
  batch: ReadingBatch,
): boolean {
  if (from >= to) return false;
  batch.startPayload();
  const { length } = batch;
  for (let at = from; at < to;) {
    at = parsePlainLine(bytes, at, to, batch, checkReadingTime, true);
    if (at === -1) {
      batch.truncate(length);
      return false;
    }
  }
  return true;
}
