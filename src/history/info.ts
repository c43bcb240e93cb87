/**
 * Whether JSON is what a server says about its history.
 *
 * @module
 */
import { isJsonObject } from "../protocol/text.ts";
import type { HistoryInfo } from "./answers.ts";
import { isTimeZone } from "./time_zone.ts";

const NUMBERS = [
  ...["resolution", "keep", "keepRollups", "bytes", "maxBytes", "lag"],
  ...["tooLate", "dropped"],
];
const OPTIONAL_NUMBERS = ["oldest", "oldestRollup", "newest"];

/** Returns true for the body of `GET /api/v1/history`. */
export function isHistoryInfo(value: unknown): value is HistoryInfo {
  return isJsonObject(value) && typeof value.recording === "boolean" &&
    (value.problem === undefined || typeof value.problem === "string") &&
    NUMBERS.every((name) => isNumber(value[name])) &&
    OPTIONAL_NUMBERS.every((name) =>
      value[name] === undefined || isNumber(value[name])
    ) &&
    typeof value.cells === "boolean" && typeof value.timezone === "string" &&
    isTimeZone(value.timezone) && isGaps(value.gaps);
}

/** Returns true for a list of pairs of times. */
export function isGaps(value: unknown): boolean {
  return isColumn(value, (gap) => isColumn(gap, isNumber, 2));
}

/**
 * Returns true for a list.
 *
 * @param isItem whether an item is valid
 * @param length undefined: any
 */
export function isColumn(
  value: unknown,
  isItem: (item: unknown) => boolean,
  length?: number,
): value is unknown[] {
  return Array.isArray(value) && value.every(isItem) &&
    (length === undefined || value.length === length);
}

/** Returns true for a number; not for NaN, which is not in JSON. */
export function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
