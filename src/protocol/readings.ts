/**
 * Parses a payload of readings, CSV or JSON.
 *
 * @module
 */

import type { ReadingBatch } from "./batch.ts";
import { parseCsv } from "./csv.ts";
import { ProtocolError } from "./errors.ts";
import { parseJsonReadings } from "./json.ts";
import { Refusals } from "./refusals.ts";
import { afterByteOrderMark, skipBlank } from "./text.ts";

/** Options of {@linkcode parseReadings}. */
export interface ParseReadingsOptions {
  /**
   * The MQTT 5 Content Type (3.3.2.3.9), `text/csv` or `application/json`.
   * Without one of these, the first byte decides.
   */
  readonly contentType?: string | undefined;
}

const OPEN_BRACKET = 0x5b;
const OPEN_BRACE = 0x7b;

/**
 * Parses a payload of readings, CSV or JSON, and appends them to a batch.
 * Invalid lines and elements are refused one by one; the valid ones are kept.
 *
 * @param payload the application message
 * @param batch receives the valid readings; unchanged if this throws
 * @param options the content type
 * @returns the refused lines or elements
 * @throws {ProtocolError} if the payload as a whole is not valid: "empty",
 * "bad-utf8", "bad-json", "bad-form", or "bad-time" or "bad-source" of a batch
 *
 * @example
 * ```ts
 * import { ReadingBatch } from "./batch.ts";
 * import { parseReadings } from "./readings.ts";
 *
 * const batch = new ReadingBatch();
 * const payload = new TextEncoder().encode("1,2,1\n1,three,0\n");
 * const refusals = parseReadings(payload, batch);
 * console.log(batch.length); // 1
 * console.log(refusals.kept[0]?.message); // y is not an integer: "three"
 * ```
 */
export function parseReadings(
  payload: Uint8Array,
  batch: ReadingBatch,
  options: ParseReadingsOptions = {},
): Refusals {
  const from = afterByteOrderMark(payload);
  const first = skipBlank(payload, from);
  if (first === payload.length) {
    throw new ProtocolError("empty", "the payload is empty", {
      hint: "Send x,y,value or JSON.",
    });
  }
  const refusals = new Refusals();
  if (isJson(payload[first]!, options.contentType)) {
    parseJsonReadings(payload, first, batch, refusals);
  } else parseCsv(payload, from, batch, refusals);
  return refusals;
}

function isJson(first: number, contentType: string | undefined): boolean {
  if (contentType !== undefined) {
    const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
    if (type === "application/json") return true;
    if (type === "text/csv") return false;
  }
  return first === OPEN_BRACE || first === OPEN_BRACKET;
}
