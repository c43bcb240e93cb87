/**
 * Reads which sources a request selects.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { checkNoCellKeys } from "./request_keys.ts";
import type { SourceQuery } from "./sources.ts";
import { describeJson, isCount, isJsonObject } from "./text.ts";

/** The most sources that a list has. */
export const MAX_LISTED_SOURCES = 10_000;
/** Longer than any name, in UTF-16 code units. */
const MAX_CONTAINS_LENGTH = 200;

/**
 * Reads `sources` of a request: true, or an object with `limit` and `contains`.
 *
 * @param body the request
 * @returns undefined if the request is not for sources
 * @throws {ProtocolError} "bad-sources" or "bad-format"
 */
export function readSourceQuery(
  body: Record<string, unknown>,
): SourceQuery | undefined {
  const { sources, zones } = body;
  if (sources === undefined || sources === null) return undefined;
  if (sources !== true && !isJsonObject(sources)) {
    return fail(`sources is not true or an object: ${describeJson(sources)}`);
  }
  if (zones !== undefined && zones !== null) {
    return fail("sources cannot be requested with zones");
  }
  checkNoCellKeys(body, "sources", fail);
  if (sources === true) return {};
  const { limit, contains } = sources;
  return { ...readLimit(limit), ...readContains(contains) };
}

function readLimit(limit: unknown): { limit?: number } {
  if (limit === undefined || limit === null) return {};
  if (isCount(limit) && limit >= 1 && limit <= MAX_LISTED_SOURCES) {
    return { limit };
  }
  return fail(
    `limit is not an integer from 1 to ${MAX_LISTED_SOURCES}: ${
      describeJson(limit)
    }`,
  );
}

function readContains(contains: unknown): { contains?: string } {
  if (contains === undefined || contains === null) return {};
  if (typeof contains !== "string" || contains.length > MAX_CONTAINS_LENGTH) {
    return fail(
      `contains is not a string of at most ${MAX_CONTAINS_LENGTH} characters: ${
        describeJson(contains)
      }`,
    );
  }
  return { contains };
}

function fail(message: string): never {
  throw new ProtocolError("bad-sources", message, {
    hint:
      'Send {"sources":true}, or {"sources":{"limit":100,"contains":"cam"}}.',
  });
}
