/**
 * Parses the JSON of a collection, feature by feature, with the place of every
 * error.
 *
 * @module
 */

import { messageOf } from "../common/errors.ts";
import { excerpt } from "../common/printable.ts";
import type { Work } from "../common/turns.ts";
import {
  afterByteOrderMark,
  decodeText,
  describeJson,
  isJsonObject,
  skipBlank,
} from "../protocol/text.ts";
import { type FeatureLabel, ZoneError } from "./errors.ts";
import {
  type ByteRange,
  type CutOff,
  featuresTwice,
  scanFeatures,
} from "./feature_scanner.ts";
import { findJsonFault } from "./json_fault.ts";
import type { ZoneLimits } from "./limits.ts";
import { findBadUtf8 } from "./utf8_check.ts";

const NEWLINE = 0x0a;
const CLOSE_ARRAY = 0x5d;
const COLLECTION_HINT =
  'Zones are a GeoJSON object {"type":"FeatureCollection","features":[…]}.';
const CUT_OFF_HINT =
  "Was the file still being written, or copied only in part? Write it to another name, and rename it when it is complete.";
const JSON_HINT = "Correct the file there, or export it again.";

/** The bytes of a collection. */
export class CollectionJson {
  readonly #bytes: Uint8Array;
  readonly #limits: ZoneLimits;

  /**
   * @param bytes with or without a byte order mark
   * @param limits of a feature, and of the number of features
   */
  constructor(bytes: Uint8Array, limits: ZoneLimits) {
    this.#bytes = bytes;
    this.#limits = limits;
  }

  /**
   * Checks the collection except for its features.
   *
   * @returns where the features are
   * @throws {ZoneError} "bad-utf8", "cut-off", "bad-json", "bad-form",
   * "too-large" or "too-many-zones"
   */
  *findFeatures(): Work<readonly ByteRange[]> {
    const bytes = this.#bytes;
    const from = afterByteOrderMark(bytes);
    const bad = yield* findBadUtf8(bytes, from);
    if (bad !== undefined) throw this.#notUtf8(bad);
    if (skipBlank(bytes, from) === bytes.length) {
      throw new ZoneError("cut-off", "the collection is empty", {
        hint: `${CUT_OFF_HINT} ${COLLECTION_HINT}`,
      });
    }
    const scanned = yield* scanFeatures(bytes, from, this.#limits);
    const { features, content, cutOff } = scanned;
    if (cutOff !== undefined) throw this.#cutOff(cutOff);
    if (content !== undefined && bytes[content[1]] !== CLOSE_ARRAY) {
      throw this.#badBracket(features, content);
    }
    this.#checkOuter(from, content);
    return features;
  }

  /** Checks the collection without its features. */
  #checkOuter(from: number, content: ByteRange | undefined): void {
    const bytes = this.#bytes;
    const [start, end] = content ?? [bytes.length, bytes.length];
    if (start - from + bytes.length - end > this.#limits.featureBytes) {
      throw new ZoneError(
        content === undefined ? "bad-form" : "too-large",
        content === undefined
          ? "the JSON has no array of features"
          : `the collection has more than ${this.#limits.featureBytes} bytes ` +
            `besides its features`,
        { hint: COLLECTION_HINT },
      );
    }
    const head = decodeText(bytes, from, start);
    const outer = this.#parse(
      head + decodeText(bytes, end, bytes.length),
      (at) => at < head.length ? [from, at] : [end, at - head.length],
    );
    if (!isJsonObject(outer)) {
      throw notACollection(
        `the JSON is not an object but ${describeJson(outer)}`,
      );
    }
    if (outer.type !== "FeatureCollection") {
      const type = outer.type === undefined
        ? "has no type"
        : `is not a FeatureCollection but ${describeJson(outer.type)}`;
      throw notACollection(`the object ${type}`);
    }
    if (content === undefined) {
      const features = outer.features === undefined
        ? "has no features"
        : `has no array of features but ${describeJson(outer.features)}`;
      throw notACollection(`the collection ${features}`);
    }
    // Also if the name is written with escapes.
    if (!Array.isArray(outer.features) || outer.features.length > 0) {
      throw featuresTwice();
    }
  }

  /** The error of a collection that ends too early, or seems to. */
  #cutOff({ from, feature: number }: CutOff): ZoneError {
    const to = Math.min(from + this.#limits.featureBytes, this.#bytes.length);
    const isBegin = number !== undefined || this.#bytes[from] !== CLOSE_ARRAY;
    const text = decodeText(this.#bytes, from, to);
    const fault = isBegin ? findJsonFault(text) : undefined;
    const feature = number === undefined ? undefined : { number };
    if (fault !== undefined && !fault.isCutOff) {
      // Such as a missing quotation mark: the rest seems to be a text.
      const line = this.#lineOf(from, text.slice(0, fault.at));
      return new ZoneError("bad-json", `${line}: ${fault.problem}`, {
        feature,
        hint: JSON_HINT,
      });
    }
    const where = feature !== undefined
      ? "in the middle of it"
      : isBegin
      ? "before its features"
      : "after its features";
    return new ZoneError("cut-off", `the collection ends ${where}`, {
      feature,
      hint: CUT_OFF_HINT,
    });
  }

  /** The error of features that end with another bracket than `]`. */
  #badBracket(
    features: readonly ByteRange[],
    [start, end]: ByteRange,
  ): ZoneError {
    const number = features.length;
    // Usually a bracket too many in the last feature.
    const [from, to] = features.at(-1) ?? [start, start];
    if (to > from) this.parseFeature([from, to], number);
    return new ZoneError(
      "bad-json",
      `${this.#lineOf(end, "")}: "}" where a comma or ] was expected`,
      { hint: JSON_HINT },
    );
  }

  /**
   * Parses one feature.
   *
   * @param range where it is in the bytes
   * @param number of the feature, from 1
   * @throws {ZoneError} "too-large" or "bad-json"
   */
  parseFeature([from, to]: ByteRange, number: number): unknown {
    this.#checkFeatureSize(to - from, { number });
    const text = decodeText(this.#bytes, from, to);
    return this.#parse(text, (at) => [from, at], { number });
  }

  /**
   * Parses bytes that are one feature, not a collection.
   *
   * @throws {ZoneError} "too-large", "bad-utf8", "cut-off" or "bad-json"
   */
  *parseOnlyFeature(): Work<unknown> {
    const bytes = this.#bytes;
    const from = afterByteOrderMark(bytes);
    this.#checkFeatureSize(bytes.length - from);
    const bad = yield* findBadUtf8(bytes, from);
    if (bad !== undefined) throw this.#notUtf8(bad);
    const text = decodeText(bytes, from, bytes.length);
    return this.#parse(text, (at) => [from, at]);
  }

  #checkFeatureSize(size: number, feature?: FeatureLabel): void {
    const { featureBytes } = this.#limits;
    if (size <= featureBytes) return;
    throw new ZoneError(
      "too-large",
      `${feature === undefined ? "the feature" : "it"} has ${size} bytes; ` +
        `a feature has at most ${featureBytes}`,
      {
        feature,
        hint: "Draw the zone with fewer corners, or divide it into several.",
      },
    );
  }

  /**
   * Parses a part of the JSON.
   *
   * @param text the part
   * @param placeOf the offset in the bytes of a run of text, and the index in
   * it, for an index in the text
   */
  #parse(
    text: string,
    placeOf: (at: number) => [from: number, index: number],
    feature?: FeatureLabel,
  ): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      const fault = findJsonFault(text);
      const at = fault?.at ?? 0;
      const [from, index] = placeOf(at);
      const run = text.slice(at - index, at);
      const problem = fault?.problem ?? excerpt(messageOf(cause), 100);
      // The scanner found where the feature ends: it is not the file's end.
      const isCutOff = fault?.isCutOff && feature === undefined;
      throw new ZoneError(
        isCutOff ? "cut-off" : "bad-json",
        `${this.#lineOf(from, run)}: ${
          fault?.isCutOff && !isCutOff ? "a value is missing" : problem
        }`,
        { cause, feature, hint: JSON_HINT },
      );
    }
  }

  /** Describes the place after a text that begins at a byte. */
  #lineOf(from: number, text: string): string {
    const line = this.#lineAt(from) + text.split("\n").length - 1;
    const start = this.#bytes.lastIndexOf(NEWLINE, from - 1) + 1;
    const before = from === 0 ? "" : decodeText(
      this.#bytes,
      Math.max(start, afterByteOrderMark(this.#bytes)),
      from,
    );
    const column = (before + text).length - (before + text).lastIndexOf("\n");
    return `line ${line}, column ${column}`;
  }

  /** The number of the line with a byte, from 1. */
  #lineAt(byte: number): number {
    let line = 1;
    for (let at = 0; at < byte; at++) if (this.#bytes[at] === NEWLINE) line++;
    return line;
  }

  #notUtf8(at: number): ZoneError {
    if (at === this.#bytes.length) {
      return new ZoneError(
        "cut-off",
        "the JSON ends inside a character",
        { hint: CUT_OFF_HINT },
      );
    }
    return new ZoneError(
      "bad-utf8",
      `the JSON is not UTF-8: line ${this.#lineAt(at)}, byte ${at + 1}`,
      { hint: "Save the file with the encoding UTF-8." },
    );
  }
}

function notACollection(problem: string): ZoneError {
  return new ZoneError("bad-form", problem, { hint: COLLECTION_HINT });
}
