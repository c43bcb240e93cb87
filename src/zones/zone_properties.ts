/**
 * Reads and writes the properties of a zone's feature.
 *
 * @module
 */

import { parseDuration, writeDuration } from "../common/duration.ts";
import { ProtocolError } from "../protocol/errors.ts";
import { describeJson, isJsonObject, quote } from "../protocol/text.ts";
import {
  assertLayer,
  assertZoneName,
  DEFAULT_LAYER,
  MAX_NAME_BYTES,
  textProblem,
} from "../protocol/topics.ts";
import { type FeatureLabel, ZoneError, type ZoneErrorCode } from "./errors.ts";
import type { OccupiedWhen, Zone } from "./zone.ts";

/** When a zone without `occupiedWhen` is occupied. */
export const DEFAULT_OCCUPIED_WHEN: OccupiedWhen = { cells: 1 };

/** All properties that a zone knows. */
const KNOWN = new Set([
  ...["name", "layer", "title", "capacity"],
  ...["occupiedWhen", "clearAfter", "staleAfter"],
]);

/** What the properties of a feature say about its zone. */
export type ZoneProperties = Omit<Zone, "polygons" | "foreign">;

/** Reads one property; its value is neither null nor an empty text. */
type Read<Value> = (value: unknown, fail: Fail) => Value;
/** Makes the error of a property. */
type Fail = (problem: string, hint: string) => ZoneError;

/**
 * Reads the properties of a feature. Table editors (QGIS, geojson.io) write
 * null or an empty text for an empty field: both are a missing property.
 *
 * @param properties an object
 * @param number of the feature, from 1
 * @throws {ZoneError} "bad-name", "bad-layer", "bad-title", "bad-capacity",
 * "bad-occupied-when", "bad-duration"
 */
export function readZoneProperties(
  properties: Readonly<Record<string, unknown>>,
  number: number,
): ZoneProperties {
  const name = readName(properties.name, number);
  const feature = { number, name };
  const read = <Value>(
    property: keyof ZoneProperties,
    code: ZoneErrorCode,
    missing: Value,
    parse: Read<Value>,
  ): Value => {
    const value = properties[property];
    if (value === undefined || value === null || value === "") return missing;
    return parse(
      value,
      (problem, hint) =>
        new ZoneError(code, `its ${property} ${problem}`, { hint, feature }),
    );
  };
  const capacity = read("capacity", "bad-capacity", undefined, readCapacity);
  return {
    name,
    layer: read("layer", "bad-layer", DEFAULT_LAYER, readLayer),
    title: read("title", "bad-title", undefined, readTitle),
    capacity,
    occupiedWhen: read(
      "occupiedWhen",
      "bad-occupied-when",
      DEFAULT_OCCUPIED_WHEN,
      (value, fail) => readOccupiedWhen(value, capacity, fail),
    ),
    clearAfter: read("clearAfter", "bad-duration", 0, readDuration),
    staleAfter: read("staleAfter", "bad-duration", undefined, readStaleAfter),
  };
}

/** Returns the properties that a zone does not know. */
export function foreignProperties(
  properties: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> | undefined {
  const foreign = Object.entries(properties).filter(([key]) => !KNOWN.has(key));
  // Defines each, so that `__proto__` is a property as others.
  return foreign.length === 0 ? undefined : Object.fromEntries(foreign);
}

/** Returns the name of a feature for errors, if it has one. */
export function labelOfProperties(
  properties: unknown,
  number: number,
): FeatureLabel {
  const name = isJsonObject(properties) ? properties.name : undefined;
  return typeof name === "string" && name.trim() !== ""
    ? { number, name }
    : { number };
}

/**
 * Writes the properties of a zone, so that {@linkcode readZoneProperties}
 * reads the same; without those that have their default value.
 */
export function writeZoneProperties(zone: Zone): Record<string, unknown> {
  const { name, layer, title, capacity, occupiedWhen } = zone;
  const isDefault = "cells" in occupiedWhen && occupiedWhen.cells === 1;
  const known = {
    name,
    layer: layer === DEFAULT_LAYER ? undefined : layer,
    title,
    capacity,
    occupiedWhen: isDefault ? undefined : occupiedWhen,
    clearAfter: zone.clearAfter === 0
      ? undefined
      : writeDuration(zone.clearAfter),
    staleAfter: zone.staleAfter === undefined
      ? undefined
      : writeDuration(zone.staleAfter),
  };
  const foreign = Object.entries(zone.foreign?.properties ?? {});
  return Object.fromEntries([
    ...Object.entries(known).filter(([, value]) => value !== undefined),
    ...foreign.filter(([key]) => !KNOWN.has(key)),
  ]);
}

function readName(value: unknown, number: number): string {
  const fail = (problem: string, hint: string, cause?: unknown) =>
    new ZoneError("bad-name", problem, { hint, cause, feature: { number } });
  const hint =
    `A name is one level of a topic, such as lobby or room-2.14: at most ${MAX_NAME_BYTES} bytes, without /, + and #.`;
  if (value === undefined || value === null || value === "") {
    throw fail("the zone has no name", `Set the property "name". ${hint}`);
  }
  if (typeof value !== "string") {
    throw fail(`the zone name is not a text but ${describeJson(value)}`, hint);
  }
  try {
    assertZoneName(value);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw fail(error.message, hint, error);
  }
  return value;
}

function readLayer(value: unknown, fail: Fail): string {
  const hint = "Use the name of a layer, such as l2 or hall/l2.";
  if (typeof value !== "string") throw notText(value, fail, hint);
  try {
    assertLayer(value);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw fail(`is not valid: ${error.message}`, hint);
  }
  return value;
}

function readTitle(value: unknown, fail: Fail): string {
  const hint =
    `A title is at most ${MAX_NAME_BYTES} bytes, without line breaks and other control characters.`;
  if (typeof value !== "string") throw notText(value, fail, hint);
  const problem = textProblem(value);
  if (problem !== undefined) throw fail(`${quote(value)} ${problem}`, hint);
  return value;
}

function readCapacity(value: unknown, fail: Fail): number {
  if (isPositiveInteger(value)) return value;
  throw fail(
    `is not a whole number above 0 but ${describeJson(value)}`,
    "Leave the capacity out if it is not known.",
  );
}

function readOccupiedWhen(
  value: unknown,
  capacity: number | undefined,
  fail: Fail,
): OccupiedWhen {
  const hint = 'Use {"cells":1}, {"count":5} or {"percent":80}.';
  const rule = typeof value === "string" ? parseText(value) : value;
  if (!isJsonObject(rule)) {
    throw fail(`is not an object but ${describeJson(value)}`, hint);
  }
  const [kind, ...more] = Object.keys(rule);
  if (kind === undefined || more.length > 0) {
    throw fail("does not have exactly one member", hint);
  }
  const least = rule[kind];
  if (kind === "cells" || kind === "count") {
    if (isPositiveInteger(least)) {
      return kind === "cells" ? { cells: least } : { count: least };
    }
    const problem = `${kind} is not a whole number above 0`;
    throw fail(`is not valid: ${problem} but ${describeJson(least)}`, hint);
  }
  if (kind !== "percent") {
    throw fail(`has the unknown member ${quote(kind)}`, hint);
  }
  if (typeof least !== "number" || !Number.isFinite(least) || least <= 0) {
    const problem = `percent is not above 0 but ${describeJson(least)}`;
    throw fail(`is not valid: ${problem}`, hint);
  }
  if (least > 100 && capacity === undefined) {
    throw fail(
      `is not valid: ${least} percent of the cells are never occupied`,
      "Use at most 100, or set a capacity.",
    );
  }
  return { percent: least };
}

/** QGIS has no objects in the fields of a table: it writes them as text. */
function parseText(text: string): unknown {
  // A rule is short; a long text is none, and would take long.
  if (text.length > 100) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A text with a unit, or a number of seconds, as in options. */
function readDuration(value: unknown, fail: Fail): number {
  const hint = "Use 500ms, 30s, 10m, 2h or 7d; a number is in seconds.";
  const isNumber = typeof value === "number" && Number.isFinite(value);
  if (typeof value !== "string" && !isNumber) {
    throw fail(`is not a duration but ${describeJson(value)}`, hint);
  }
  try {
    return parseDuration(isNumber ? toDecimal(value) : value as string);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const problem = `is not a duration but ${describeJson(value)}`;
    throw fail(problem, error.message);
  }
}

/** Without an exponent, unless it is out of range anyway. */
function toDecimal(seconds: number): string {
  return Math.abs(seconds) < 1e-3 ? seconds.toFixed(20) : String(seconds);
}

function readStaleAfter(value: unknown, fail: Fail): number {
  const ms = readDuration(value, fail);
  if (ms >= 1) return ms;
  throw fail(
    "is 0, so every cell would be stale",
    "Leave staleAfter out to use that of the server.",
  );
}

function notText(value: unknown, fail: Fail, hint: string): ZoneError {
  return fail(`is not a text but ${describeJson(value)}`, hint);
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isSafeInteger(value) && value as number > 0;
}
