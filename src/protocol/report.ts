import { encodeText } from "./text.ts";

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
