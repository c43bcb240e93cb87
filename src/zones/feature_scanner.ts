/**
 * Finds the features of a FeatureCollection in its bytes. Each is then parsed
 * by itself: `JSON.parse` of a whole collection of 16 MiB takes half a second
 * without a pause, and its errors name no feature.
 *
 * @module
 */

import type { Work } from "../common/turns.ts";
import { plural } from "../common/plural.ts";
import { ZoneError } from "./errors.ts";
import type { ZoneLimits } from "./limits.ts";

/** Deeper values would exhaust the stack when they are written. */
const MAX_DEPTH = 64;
/** About a quarter of a millisecond. */
const BYTES_PER_STEP = 64 * 1024;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const [OPEN_ARRAY, CLOSE_ARRAY] = [0x5b, 0x5d];
const [OPEN_OBJECT, CLOSE_OBJECT] = [0x7b, 0x7d];

/** A part of the bytes: from, and up to (excluded). */
export type ByteRange = readonly [from: number, to: number];

/** Where the parts of a collection are. */
export interface ScannedCollection {
  /**
   * The elements of `features` in the bytes. They are only divided, not
   * checked: any of them can be empty or bad JSON.
   */
  readonly features: readonly ByteRange[];
  /**
   * What is between the brackets of `features`; undefined if the bytes have no
   * such array.
   */
  readonly content: ByteRange | undefined;
  /** The bytes end too early; undefined if they do not. */
  readonly cutOff: CutOff | undefined;
}

/** What of a collection is not complete. */
export interface CutOff {
  /** Its offset in the bytes. */
  readonly from: number;
  /** The number of the feature; undefined if it is no feature. */
  readonly feature: number | undefined;
}

/**
 * Finds the features of a collection.
 *
 * @param bytes JSON, valid UTF-8
 * @param from offset of the JSON
 * @throws {ZoneError} "too-many-zones", "bad-json" (too deep), "bad-form"
 * (features twice)
 */
export function* scanFeatures(
  bytes: Uint8Array,
  from: number,
  limits: ZoneLimits,
): Work<ScannedCollection> {
  const features: ByteRange[] = [];
  let content: ByteRange | undefined;
  let contentFrom = -1;
  let elementFrom = -1;
  let depth = 0;
  /** The last text in the outer object. */
  let key: ByteRange = [0, 0];
  /** The last byte besides white space and texts, in the outer object. */
  let last = 0;
  let pauseAt = from + BYTES_PER_STEP;
  const endElement = (at: number) => {
    if (features.length === limits.zones) throw tooManyZones(limits);
    features.push([elementFrom, at]);
    elementFrom = at + 1;
  };
  for (let at = from; at < bytes.length; at++) {
    if (at >= pauseAt) {
      pauseAt = at + BYTES_PER_STEP;
      yield;
    }
    const byte = bytes[at]!;
    if (byte === QUOTE) {
      const end = endOfString(bytes, at);
      if (depth === 1) key = [at, end];
      at = end - 1;
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (
        depth === 1 && byte === OPEN_ARRAY && last === COLON &&
        isNamed(bytes, key, "features")
      ) {
        if (contentFrom >= 0) throw featuresTwice();
        contentFrom = elementFrom = at + 1;
      }
      depth++;
      if (depth > MAX_DEPTH) throw tooDeep(features.length, contentFrom);
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth--;
      if (depth === 1 && contentFrom >= 0 && content === undefined) {
        const isEmpty = features.length === 0 &&
          (yield* isBlankRange(bytes, contentFrom, at));
        if (!isEmpty) endElement(at);
        content = [contentFrom, at];
      }
      last = byte;
      // What follows is checked with the rest of the outer object.
      if (depth <= 0) return { features, content, cutOff: undefined };
    } else if (depth === 1 && byte > 0x20) last = byte;
    else if (
      depth === 2 && byte === COMMA && contentFrom >= 0 && content === undefined
    ) {
      endElement(at);
    }
  }
  const isInFeatures = contentFrom >= 0 && content === undefined;
  const cutOff: CutOff | undefined = depth <= 0 ? undefined : {
    from: isInFeatures ? elementFrom : content?.[1] ?? from,
    feature: isInFeatures ? features.length + 1 : undefined,
  };
  return { features, content, cutOff };
}

/** Returns the index after a string; the end of the bytes if it has no end. */
function endOfString(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at++;
  }
  return bytes.length;
}

function isNamed(bytes: Uint8Array, [from, to]: ByteRange, name: string) {
  if (to - from !== name.length + 2) return false;
  for (let i = 0; i < name.length; i++) {
    if (bytes[from + 1 + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}

function* isBlankRange(
  bytes: Uint8Array,
  from: number,
  to: number,
): Work<boolean> {
  for (let at = from; at < to; at++) {
    if (bytes[at]! > 0x20) return false;
    if (at % BYTES_PER_STEP === 0) yield;
  }
  return true;
}

/** The error of a collection with two members `features`. */
export function featuresTwice(): ZoneError {
  return new ZoneError("bad-form", 'the collection has "features" twice', {
    hint: "Join the two arrays, or remove one.",
  });
}

function tooManyZones(limits: ZoneLimits): ZoneError {
  return new ZoneError(
    "too-many-zones",
    `the collection has more than ${plural(limits.zones, "zone")}`,
    { hint: "Remove zones that are not needed." },
  );
}

function tooDeep(count: number, contentFrom: number): ZoneError {
  return new ZoneError(
    "bad-json",
    `arrays and objects are more than ${MAX_DEPTH} levels deep`,
    {
      feature: contentFrom >= 0 ? { number: count + 1 } : undefined,
      hint: "Remove the property with the deep value.",
    },
  );
}
