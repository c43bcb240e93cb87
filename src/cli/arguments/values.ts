import type { Region } from "../../grid/mod.ts";
import { brokerUrl } from "../../mqtt/url.ts";

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

/** Reads how long an answer is waited for. @returns ms, at least 1 @throws {RangeError} */
export function parseTimeout(text: string): number {
  const ms = parseWait(text);
  if (ms < 1) throw new RangeError("Write more than 0, like 500ms or 5s.");
  return ms;
}

/** Checks a broker's address. @throws {LinkError} with a hint, if it is none */
export function parseBroker(text: string): string {
  brokerUrl(text);
  return text;
}

/** Checks a store's address; whether it can be used is another thing. @throws {RangeError} */
export function parseStore(text: string): string {
  if (text === "memory:" || /^sqlite:./.test(text)) return text;
  throw new RangeError("Write sqlite:PATH, like sqlite:map.db, or memory:.");
}

/** Checks an MQTT client id (MQTT 5, 3.1.3.1). @throws {RangeError} */
export function parseName(text: string): string {
  if (text.trim() === "" || /\p{Cc}/u.test(text)) {
    throw new RangeError("Write a name, like occupancy-server.");
  }
  return text;
}

/** Reads a whole number of at least 1. @throws {RangeError} */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > 1_000_000) {
    throw new RangeError("Write a whole number from 1 to 1000000.");
  }
  return count;
}

/** Reads a whole number of at least 1, such as of readings. @throws {RangeError} */
export function parseMany(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > Number.MAX_SAFE_INTEGER) {
    throw new RangeError("Write a whole number of at least 1.");
  }
  return count;
}

/** Reads how many a second: a number above 0, or `max`. @throws {RangeError} */
export function parseRate(text: string): number | "max" {
  if (text === "max") return "max";
  const rate = factor(text);
  if (rate === undefined || rate < 0.001 || rate > 10_000_000) {
    throw new RangeError("Write a number from 0.001 to 10000000, or max.");
  }
  return rate;
}

/** Reads how many times as fast. @throws {RangeError} */
export function parseSpeed(text: string): number {
  const speed = factor(text);
  if (speed === undefined || speed < 0.001 || speed > 1_000_000) {
    throw new RangeError("Write a number from 0.001 to 1000000, like 60.");
  }
  return speed;
}

/** Reads an int32. @throws {RangeError} */
export function parseSeed(text: string): number {
  const [seed, more] = integers(text) ?? [];
  if (seed === undefined || more !== undefined) {
    throw new RangeError("Write a whole number of up to 32 bits.");
  }
  return seed;
}

/** Reads a time of day, `HH:MM`. @returns ms since midnight @throws {RangeError} */
export function parseTimeOfDay(text: string): number {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(text);
  if (match === null) {
    throw new RangeError("Write a time of day, like 08:00 or 14:30.");
  }
  return Number(match[1]) * UNITS["h"]! + Number(match[2]) * UNITS["m"]!;
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

/** A decimal number, not negative. */
function factor(text: string): number | undefined {
  return /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function integers(text: string): number[] | undefined {
  const parts = text.split(",").map((part) => part.trim());
  if (!parts.every((part) => /^[+-]?\d{1,10}$/.test(part))) return undefined;
  const numbers = parts.map((part) => Number(part) + 0); // no negative zero
  return numbers.every((n) => n >= INT32_MIN && n <= INT32_MAX)
    ? numbers
    : undefined;
}
