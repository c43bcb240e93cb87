/**
 * What the query of a request says, checked. All throw a 400 {@linkcode Problem}
 * that says how it is written.
 *
 * @module
 */
import type { Region } from "../grid/mod.ts";
import {
  assertLayer,
  DEFAULT_LAYER,
  excerpt,
  ProtocolError,
} from "../protocol/mod.ts";
import { Problem } from "./problem.ts";

const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;

/** Refuses names that the route does not know: a misspelt one would be passed over. */
export function checkNames(
  query: URLSearchParams,
  known: readonly string[],
): void {
  const seen = new Set<string>();
  for (const name of query.keys()) {
    const shown = excerpt(name);
    if (!known.includes(name)) {
      const hint = known.length === 0
        ? "This address takes no parameters."
        : `It takes ${known.join(", ")}.`;
      throw bad("bad-parameter", `there is no parameter ${shown} here`, hint);
    }
    if (seen.has(name)) {
      throw bad(
        "bad-parameter",
        `the parameter ${shown} is there twice`,
        "Give it once.",
      );
    }
    seen.add(name);
  }
}

/** `layer`, a name as in topics; `default` if it is left out. */
export function readLayer(query: URLSearchParams): string {
  const layer = query.get("layer") ?? DEFAULT_LAYER;
  try {
    assertLayer(layer);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw bad(error.code, error.message, "Write it like l2 or hall/l2.");
  }
  return layer;
}

/** `region=x0,y0,x1,y1`, both corners included; undefined if it is left out. */
export function readRegion(query: URLSearchParams): Region | undefined {
  const text = query.get("region");
  if (text === null) return undefined;
  const bounds = text.split(",").map(readInt32);
  const [x0, y0, x1, y1] = bounds;
  if (
    bounds.length !== 4 || x0 === undefined || y0 === undefined ||
    x1 === undefined || y1 === undefined || x0 > x1 || y0 > y1
  ) {
    throw bad(
      "bad-region",
      `the region ${excerpt(text)} is not x0,y0,x1,y1`,
      "Write four whole numbers with x0 <= x1 and y0 <= y1, like region=0,0,9,9.",
    );
  }
  return { x0, y0, x1, y1 };
}

/** `since=REVISION`; undefined if it is left out. */
export function readSince(query: URLSearchParams): number | undefined {
  const text = query.get("since");
  if (text === null) return undefined;
  const since = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(since)) {
    throw bad(
      "bad-since",
      `since ${excerpt(text)} is not a revision`,
      "Write the revision of an earlier answer, like since=812.",
    );
  }
  return since;
}

/** A coordinate that must be there. */
export function readCoordinate(query: URLSearchParams, name: string): number {
  const text = query.get(name);
  const value = text === null ? undefined : readInt32(text);
  if (value !== undefined) return value;
  throw bad(
    `bad-${name}`,
    text === null
      ? `the parameter ${name} is missing`
      : `${name} ${excerpt(text)} is not a coordinate`,
    `Write a whole number from ${INT32_MIN} to ${INT32_MAX}, like ${name}=3.`,
  );
}

/** One of a few words; the first one if it is left out. */
export function readChoice<T extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly [T, ...T[]],
): T {
  const text = query.get(name);
  if (text === null) return choices[0];
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  throw bad(
    `bad-${name}`,
    `there is no ${name} ${excerpt(text)}`,
    `Write ${choices.map((one) => `${name}=${one}`).join(" or ")}.`,
  );
}

function readInt32(text: string): number | undefined {
  if (!/^[+-]?\d{1,10}$/.test(text.trim())) return undefined;
  const value = Number(text) + 0; // no negative zero
  return value >= INT32_MIN && value <= INT32_MAX ? value : undefined;
}

function bad(code: string, message: string, hint: string): Problem {
  return new Problem({ status: 400, code, message, hint });
}
