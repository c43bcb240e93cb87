/**
 * Reads which zones a request selects.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { checkNoCellKeys } from "./request_keys.ts";
import { describeJson } from "./text.ts";
import { assertZoneName } from "./topics.ts";

/** Maximum number of names in a request. */
const MAX_REQUESTED_ZONES = 10_000;

/**
 * Reads `zones` of a request: true, or an array of names.
 *
 * @param body the request
 * @returns the names, each once; undefined if the request is not for zones
 * @throws {ProtocolError} "bad-zones", "bad-zone" or "bad-format"
 */
export function readZoneNames(
  body: Record<string, unknown>,
): readonly string[] | "all" | undefined {
  const { zones } = body;
  if (zones === undefined || zones === null) return undefined;
  if (zones !== true && !Array.isArray(zones)) {
    return fail(`zones is not true or an array: ${describeJson(zones)}`);
  }
  checkNoCellKeys(body, "zones", fail);
  if (zones === true) return "all";
  if (zones.length > MAX_REQUESTED_ZONES) {
    return fail(
      `zones has ${zones.length} names, and ${MAX_REQUESTED_ZONES} are allowed`,
    );
  }
  const names = new Set<string>();
  for (const name of zones as unknown[]) {
    if (typeof name !== "string") {
      return fail(`a name in zones is not a string: ${describeJson(name)}`);
    }
    assertZoneName(name);
    names.add(name);
  }
  return [...names];
}

function fail(message: string): never {
  throw new ProtocolError("bad-zones", message, {
    hint: 'Send {"zones":true}, or {"zones":["lobby"]} with names of zones.',
  });
}
