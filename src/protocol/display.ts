/**
 * How to show a layer to people: the unit of its values and the direction of y.
 * A server sends it with the cells, so that all clients show a layer in the same way.
 *
 * @module
 */
import { isJsonObject } from "./text.ts";

/** The noun for values above 0: `["person", "people"]`. */
export type Unit = readonly [one: string, many: string];

/** The display properties of a layer. Clients choose what is absent. */
export interface LayerDisplay {
  /** What the values above 0 count. Default: people. */
  readonly unit?: Unit;
  /** Whether y grows upwards. Default: downwards. */
  readonly yUp?: true;
}

/** The unit of a layer that has none. */
export const PEOPLE: Unit = ["person", "people"];

/** Maximum length of a word of a unit, in UTF-16 code units. */
export const MAX_UNIT_LENGTH = 24;

/** Control, format and other characters without a glyph, and a comma. */
const NOT_IN_UNIT = /[\p{C}\p{Zl}\p{Zp},]/u;

/**
 * Parses a unit as users write it: `car,cars`, or one word for every number:
 * `kg`.
 *
 * @throws {RangeError} if it is not a unit; the message is the hint
 */
export function parseUnit(text: string): Unit {
  const words = text.split(",").map((word) => word.trim());
  const [one = "", many = one] = words;
  if (words.length <= 2 && isUnitWord(one) && isUnitWord(many)) {
    return [one, many];
  }
  throw new RangeError(
    `Use a singular and a plural such as car,cars, of at most ${MAX_UNIT_LENGTH} characters each.`,
  );
}

/** Reads display properties. Ignores what is not valid, since cells matter more. */
export function readDisplay(value: unknown): LayerDisplay | undefined {
  if (!isJsonObject(value)) return undefined;
  const unit = isUnit(value.unit) ? { unit: value.unit } : {};
  const yUp = value.yUp === true ? { yUp: true as const } : {};
  const display: LayerDisplay = { ...unit, ...yUp };
  return Object.keys(display).length === 0 ? undefined : display;
}

/** Returns the noun for a count. */
export function nounOf(count: number, [one, many]: Unit = PEOPLE): string {
  return count === 1 ? one : many;
}

function isUnit(value: unknown): value is Unit {
  return Array.isArray(value) && value.length === 2 && value.every(isUnitWord);
}

function isUnitWord(value: unknown): value is string {
  return typeof value === "string" && value.trim() === value && value !== "" &&
    value.length <= MAX_UNIT_LENGTH && !NOT_IN_UNIT.test(value);
}
