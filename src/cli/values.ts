import type { Region } from "../grid/mod.ts";

const INT32_MIN = -0x8000_0000;
const INT32_MAX = 0x7fff_ffff;
/** A hundred years or so, ms. */
const MAX_DURATION = 36_500 * 86_400_000;
/** What a timer can wait for is 2^31 - 1 ms; with more it fires at once. */
const MAX_WAIT = 24 * 86_400_000;
const UNITS: Record<string, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a span of time: `500ms`, `1.5s`, `10m`, `2h`, `7d`; a bare number is seconds.
 *
 * @returns ms
 * @throws {RangeError} if it is none
 */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim());
  if (match === null) {
    throw new RangeError("Write it like 500ms, 5s, 10m, 2h or 7d.");
  }
  const ms = Math.round(Number(match[1]) * UNITS[match[2] ?? "s"]!);
  if (ms > MAX_DURATION) throw new RangeError("Write at most 36500d.");
  return ms;
}

/** Reads a span of time that somebody waits for. @returns ms @throws {RangeError} */
export function parseWait(text: string): number {
  const ms = parseDuration(text);
  if (ms > MAX_WAIT) throw new RangeError("Write at most 24d.");
  return ms;
}

/** Reads a whole number of at least 1. @throws {RangeError} */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 1_000_000) {
    throw new RangeError("Write a whole number from 1 to 1000000.");
  }
  return count;
}

/** Reads `X,Y`. @throws {RangeError} */
export function parseAt(text: string): Region {
  const at = integers(text);
  if (at === undefined || at.length !== 2) {
    throw new RangeError("Write two whole numbers, like 3,4 or -1,4.");
  }
  const [x, y] = at as [number, number];
  return { x0: x, y0: y, x1: x, y1: y };
}

/** Reads `X0,Y0,X1,Y1`; the corners may come in any order. @throws {RangeError} */
export function parseRegion(text: string): Region {
  const corners = integers(text);
  if (corners === undefined || corners.length !== 4) {
    throw new RangeError(
      "Write four whole numbers, like 0,0,9,9 or -3,-2,4,5.",
    );
  }
  const [ax, ay, bx, by] = corners as [number, number, number, number];
  return {
    x0: Math.min(ax, bx),
    y0: Math.min(ay, by),
    x1: Math.max(ax, bx),
    y1: Math.max(ay, by),
  };
}

/**
 * Reads `HOST:PORT`, `:PORT` or `[IPv6]:PORT`.
 *
 * @param usual the port of the examples
 * @throws {RangeError}
 */
export function parseListen(
  text: string,
  usual = 1883,
): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new RangeError(
      `Write HOST:PORT, like 127.0.0.1:${usual} or 0.0.0.0:${usual}.`,
    );
  }
  return { host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

/** Reads where HTTP is served: `HOST:PORT`, or `off`. @throws {RangeError} */
export function parseHttp(
  text: string,
): { host: string; port: number } | false {
  return text === "off" ? false : parseListen(text, 8080);
}

function integers(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  if (!parts.every((part) => /^[+-]?\d{1,10}$/.test(part))) return undefined;
  const numbers = parts.map((part) => Number(part) + 0); // no negative zero
  return numbers.every((n) => n >= INT32_MIN && n <= INT32_MAX)
    ? numbers
    : undefined;
}
