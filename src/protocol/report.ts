import { ProtocolError } from "./errors.ts";
import { encodeText, isJsonObject, parseJson } from "./text.ts";

/** Why a payload, or part of it, was refused: a message on `<prefix>/errors`. */
export interface Report {
  /** The topic of the payload. */
  readonly topic: string;
  /** What is wrong, in kebab case. */
  readonly code: string;
  /** What is wrong with the first that was refused for it, for people. */
  readonly message: string;
  /** The line or element of the first, counted from 1. */
  readonly line?: number | undefined;
  /** Who sent it, if the payload says so. */
  readonly source?: string | undefined;
  /** How many lines or elements of the payload were refused for this code. */
  readonly count: number;
  /** How many reports were held back since the one before (the rate is limited). */
  readonly suppressed: number;
  /** The server's time, ms since 1970. */
  readonly time: number;
}

/** Writes a report as JSON. */
export function encodeReport(report: Report): Uint8Array<ArrayBuffer> {
  const { topic, code, message, line, source } = report;
  const { count, suppressed, time } = report;
  return encodeText(JSON.stringify({
    topic,
    code,
    message,
    line,
    source,
    count,
    suppressed,
    time,
  }));
}

/**
 * Parses a report; keys that it does not know are ignored.
 *
 * @param payload The application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-report"
 */
export function parseReport(payload: Uint8Array): Report {
  const body = parseJson(payload);
  if (!isJsonObject(body)) return fail("it is not a JSON object");
  const { topic, code, message, line, source, count, suppressed, time } = body;
  if (
    typeof topic !== "string" || typeof code !== "string" ||
    typeof message !== "string"
  ) {
    return fail("topic, code and message are not all strings");
  }
  if (!isCount(count) || !isCount(suppressed) || typeof time !== "number") {
    return fail("count, suppressed and time are not all numbers");
  }
  if (line !== undefined && !isCount(line)) return fail("line is no number");
  if (source !== undefined && typeof source !== "string") {
    return fail("source is not a string");
  }
  return {
    topic,
    code,
    message,
    count,
    suppressed,
    time,
    ...(line !== undefined && { line }),
    ...(source !== undefined && { source }),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function fail(reason: string): never {
  throw new ProtocolError("bad-report", `a report: ${reason}`);
}
