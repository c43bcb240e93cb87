/**
 * Reads and checks the query parameters of a request. All functions throw a 400
 * {@linkcode Problem} for an invalid value, with a hint that shows a valid one.
 *
 * @module
 */
import { assertLayer, DEFAULT_LAYER, ProtocolError } from "../protocol/mod.ts";
import {
  INT32_MAX,
  INT32_MIN,
  isInt32,
  parseJsonInteger,
  type Region,
  regionFrom,
} from "../protocol/region.ts";
import { isCount, quote } from "../protocol/text.ts";
import { Problem } from "./problem.ts";

/**
 * Refuses unknown and repeated parameters, so that a typing error is not
 * ignored.
 *
 * @param known the parameters of the route
 */
export function checkNames(
  query: URLSearchParams,
  known: readonly string[],
): void {
  const seen = new Set<string>();
  for (const name of query.keys()) {
    const shown = quote(name);
    if (!known.includes(name)) {
      const hint = known.length === 0
        ? "This address has no parameters."
        : `The parameters are ${known.join(", ")}.`;
      throw badRequest("bad-parameter", `Unknown parameter ${shown}`, hint);
    }
    if (seen.has(name)) {
      throw badRequest(
        "bad-parameter",
        `The parameter ${shown} is given twice`,
        "Give it once.",
      );
    }
    seen.add(name);
  }
}

/** Reads `layer`, a name as in topics. Default `default`. */
export function readLayer(query: URLSearchParams): string {
  return checkLayer(query.get("layer") ?? DEFAULT_LAYER);
}

/** Returns the name of a layer if it is valid. */
export function checkLayer(layer: string): string {
  try {
    assertLayer(layer);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw badRequest(
      error.code,
      error.message,
      "Use a name like l2 or hall/l2.",
    );
  }
  return layer;
}

/**
 * Reads `region=x0,y0,x1,y1`, two opposite corners, both included; undefined if
 * not given.
 */
export function readRegion(query: URLSearchParams): Region | undefined {
  const text = query.get("region");
  if (text === null) return undefined;
  const region = regionFrom(text.split(",").map(readInt32));
  if (region !== undefined) return region;
  throw badRequest(
    "bad-region",
    `Invalid region ${quote(text)}`,
    "Use region=x0,y0,x1,y1: integers, two opposite corners.",
  );
}

/** Reads `since=REVISION`; undefined if not given. */
export function readSince(query: URLSearchParams): number | undefined {
  const text = query.get("since");
  if (text === null) return undefined;
  const since = parseJsonInteger(text);
  if (!isCount(since)) {
    throw badRequest(
      "bad-since",
      `Invalid since ${quote(text)}`,
      "Use the revision of an earlier response, like since=812.",
    );
  }
  return since;
}

/** Reads `limit`, at least 1. Default: the maximum. */
export function readLimit(query: URLSearchParams, max: number): number {
  const text = query.get("limit");
  if (text === null) return max;
  const limit = parseJsonInteger(text);
  if (isCount(limit) && limit >= 1 && limit <= max) return limit;
  throw badRequest(
    "bad-limit",
    `Invalid limit ${quote(text)}`,
    `Use an integer from 1 to ${max}, like limit=100.`,
  );
}

/** Reads a required coordinate. */
export function readCoordinate(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  const value = text === null ? undefined : readInt32(text);
  if (value !== undefined) return value;
  throw badRequest(
    `bad-${name}`,
    text === null
      ? `The parameter ${name} is missing`
      : `Invalid ${name} ${quote(text)}`,
    `Use an integer from ${INT32_MIN} to ${INT32_MAX}, like ${name}=3.`,
  );
}

/** Reads a parameter with a fixed set of values. Default: the first. */
export function readChoice<T extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const text = query.get(name);
  if (text === null) return choices[0];
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  throw badRequest(
    `bad-${name}`,
    `Invalid ${name} ${quote(text)}`,
    `Use ${choices.map((one) => `${name}=${one}`).join(" or ")}.`,
  );
}

function readInt32(text: string): number | undefined {
  const value = parseJsonInteger(text);
  return isInt32(value) ? value : undefined;
}

function badRequest(code: string, message: string, hint: string): Problem {
  return new Problem({ status: 400, code, message, hint });
}
