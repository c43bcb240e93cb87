/**
 * Encodes and parses reports about refused payloads.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { encodeText, isCount, isJsonObject, parseJson } from "./text.ts";

/** A message on `<prefix>/errors`: why (part of) a payload was refused. */
export interface Report {
  /** The topic of the payload. */
  readonly topic: string;
  /** What is wrong, in kebab case. */
  readonly code: string;
  /** What is wrong with the first refused line or element, for people. */
  readonly message: string;
  /** The number of that line or element, from 1. */
  readonly line?: number | undefined;
  /** The sender, if the payload names it. */
  readonly source?: string | undefined;
  /** Number of lines or elements of the payload refused for this code. */
  readonly count: number;
  /** Number of reports that the rate limit dropped since the last report. */
  readonly suppressed: number;
  /** The server's time, ms since 1970. */
  readonly time: number;
}

/**
 * Encodes a report as JSON.
 *
 * @param report the report
 * @returns the payload
 */
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
 * Parses a report and ignores unknown keys.
 *
 * @param payload the application message
 * @throws {ProtocolError} "bad-utf8", "bad-json" or "bad-report"
 */
export function parseReport(payload: Uint8Array): Report {
  const body = parseJson(payload);
  if (!isJsonObject(body)) return fail("not a JSON object");
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
  if (line !== undefined && !isCount(line)) return fail("line is not a number");
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

function fail(reason: string): never {
  throw new ProtocolError("bad-report", `the report is not valid: ${reason}`);
}
