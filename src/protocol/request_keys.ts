/**
 * Checks the keys of requests that are not for cells.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { describeJson } from "./text.ts";

/** Keys that select cells, or a time. */
const CELL_KEYS = [
  ...["layer", "region", "since"] as const,
  ...["at", "zone", "from", "to", "step"] as const,
];

/**
 * Checks that a request has no keys that select cells.
 *
 * @param body the request
 * @param name the key of what it requests, such as `zones`
 * @param fail throws an error with the reason
 * @throws {ProtocolError} "bad-format" if the format is not json
 */
export function checkNoCellKeys(
  body: Record<string, unknown>,
  name: string,
  fail: (message: string) => never,
): void {
  for (const key of CELL_KEYS) {
    if (!hasKey(body, key)) continue;
    fail(`${name} cannot be requested with ${key}`);
  }
  const { format } = body;
  if (format === undefined || format === null || format === "json") return;
  throw new ProtocolError(
    "bad-format",
    `the format of ${name} is json, not ${describeJson(format)}`,
  );
}

/**
 * Returns true if a request has a key; null is as good as none.
 *
 * @param body the request
 * @param key the key
 */
export function hasKey(body: Record<string, unknown>, key: string): boolean {
  return body[key] !== undefined && body[key] !== null;
}
