/**
 * Reads the keys that several kinds of requests have. All functions throw a
 * {@linkcode ProtocolError} with the code of their key, such as "bad-layer".
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { isInt32, type Region, regionFrom } from "./region.ts";
import { describeJson, isCount } from "./text.ts";
import { assertLayer, DEFAULT_LAYER } from "./topics.ts";

/** The format of a reply; "original" is that of {@linkcode OriginalWriter}. */
export type ReplyFormat = "json" | "csv" | "original";

/** Default of the maximum size of a part, in bytes. */
export const DEFAULT_PART_BYTES = 256 * 1024;

/**
 * Smallest maximum size of a part that a request may set: every header and one
 * cell fit.
 */
export const MIN_PART_BYTES = 1024;

/**
 * Largest maximum size of a part that a request may set. An MQTT packet has at
 * most 268,435,455 bytes after its fixed header (MQTT 3.1.1, 2.2.3); this
 * leaves room for topic and properties.
 */
export const MAX_PART_BYTES = 268_000_000;

const FORMATS: readonly string[] = ["json", "csv", "original"];

/** Reads `layer`; default {@linkcode DEFAULT_LAYER}. */
export function readLayer(value: unknown): string {
  if (value === undefined || value === null) return DEFAULT_LAYER;
  if (typeof value !== "string") {
    throw new ProtocolError(
      "bad-layer",
      `layer is not a string: ${describeJson(value)}`,
    );
  }
  assertLayer(value);
  return value;
}

/** Reads `region`: two opposite corners. */
export function readRegion(value: unknown): { region?: Region } {
  if (value === undefined || value === null) return {};
  const problem = regionProblem(value);
  if (problem !== undefined) {
    throw new ProtocolError("bad-region", problem, {
      hint: "Send two opposite corners [x0,y0,x1,y1]; both are included.",
    });
  }
  return { region: regionFrom(value)! };
}

function regionProblem(value: unknown): string | undefined {
  if (!Array.isArray(value)) {
    return `region is not an array: ${describeJson(value)}`;
  }
  if (value.length !== 4) {
    return `region has ${value.length} numbers instead of four`;
  }
  for (const [index, name] of ["x0", "y0", "x1", "y1"].entries()) {
    const number: unknown = value[index];
    if (!isInt32(number)) {
      const shown = describeJson(number);
      return `${name} of the region is not a 32-bit integer: ${shown}`;
    }
  }
  return undefined;
}

/** Reads `since`: a revision. */
export function readSince(value: unknown): { since?: number } {
  if (value === undefined || value === null) return {};
  if (!isCount(value)) {
    throw new ProtocolError(
      "bad-since",
      `since is not a revision (an integer of 0 or more): ${
        describeJson(value)
      }`,
    );
  }
  return { since: value + 0 };
}

/** Reads `format`; default json. */
export function readFormat(value: unknown): ReplyFormat {
  if (value === undefined || value === null) return "json";
  if (typeof value !== "string" || !FORMATS.includes(value)) {
    throw new ProtocolError(
      "bad-format",
      `format is not json, csv or original: ${describeJson(value)}`,
    );
  }
  return value as ReplyFormat;
}

/** Reads `maxBytes`: the maximum size of a part. */
export function readMaxBytes(value: unknown): number {
  if (value === undefined || value === null) return DEFAULT_PART_BYTES;
  if (
    !Number.isInteger(value) ||
    value as number < MIN_PART_BYTES || value as number > MAX_PART_BYTES
  ) {
    throw new ProtocolError(
      "bad-max-bytes",
      `maxBytes is not an integer from ${MIN_PART_BYTES} to ` +
        `${MAX_PART_BYTES}: ${describeJson(value)}`,
    );
  }
  return value as number;
}
