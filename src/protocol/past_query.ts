/**
 * Reads which part of the past a request selects: the map at a time, or a series
 * of counts.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import type { Region } from "./region.ts";
import {
  readFormat,
  readLayer,
  readRegion,
  type ReplyFormat,
} from "./request_fields.ts";
import { hasKey } from "./request_keys.ts";
import { type Step, STEPS } from "./series.ts";
import { describeJson } from "./text.ts";
import { parseTimeExpression, type TimeExpression } from "./time_expression.ts";
import { assertZoneName } from "./topics.ts";

/** Longer than any name of a time zone, in characters. */
const MAX_TIMEZONE_LENGTH = 64;
/** Keys that make a request one for a series. */
const SERIES_KEYS = ["zone", "from", "to", "step"] as const;

/** Which map of the past. */
export interface PastMapQuery {
  /** The requested layer. */
  readonly layer: string;
  /** Only the cells in this region. Default: all. */
  readonly region?: Region;
  /** The time. */
  readonly at: TimeExpression;
  /** The time zone of dates: an IANA name, not checked. Default: the server's. */
  readonly timezone?: string;
  /** The format of the reply. */
  readonly format: ReplyFormat;
}

/** Which series. */
export interface SeriesQuery {
  /** The name of the zone; absent for a region. */
  readonly zone?: string;
  /** The layer of the region. */
  readonly layer: string;
  /** The region. Default: the whole layer. */
  readonly region?: Region;
  /** The first time. */
  readonly from: TimeExpression;
  /** The time after the last. */
  readonly to: TimeExpression;
  /** The length of the steps. */
  readonly step: Step;
  /**
   * The time zone of dates, days and weeks: an IANA name, not checked. Default:
   * the server's.
   */
  readonly timezone?: string;
}

/**
 * Reads `at` of a request, with the keys that belong to it.
 *
 * @param body the request
 * @returns undefined if the request has no `at`
 * @throws {ProtocolError} "bad-time", or as the keys of a request for the map
 */
export function readPastMapQuery(
  body: Record<string, unknown>,
): PastMapQuery | undefined {
  if (!hasKey(body, "at")) return undefined;
  for (const key of ["since", ...SERIES_KEYS]) {
    if (!hasKey(body, key)) continue;
    throw new ProtocolError("bad-time", `at cannot be requested with ${key}`, {
      hint: "Send at for a map, or from, to and step for a series.",
    });
  }
  return {
    layer: readLayer(body.layer),
    ...readRegion(body.region),
    at: parseTimeExpression(body.at, "at"),
    ...readTimezone(body.timezone),
    format: readFormat(body.format),
  };
}

/**
 * Reads `zone`, `from`, `to` and `step` of a request, with the keys that belong
 * to them.
 *
 * @param body the request
 * @returns undefined if the request has none of them
 * @throws {ProtocolError} "bad-time", "bad-step", "bad-zone", "bad-timezone",
 * "bad-format", "bad-layer" or "bad-region"
 */
export function readSeriesQuery(
  body: Record<string, unknown>,
): SeriesQuery | undefined {
  if (!SERIES_KEYS.some((key) => hasKey(body, key))) return undefined;
  if (hasKey(body, "since")) {
    throw new ProtocolError(
      "bad-since",
      "a series cannot be requested with since",
    );
  }
  const { format } = body;
  if (hasKey(body, "format") && format !== "json") {
    throw new ProtocolError(
      "bad-format",
      `the format of a series is json, not ${describeJson(format)}`,
    );
  }
  return {
    ...readZone(body),
    layer: readLayer(body.layer),
    ...readRegion(body.region),
    from: parseTimeExpression(body.from ?? "-1d", "from"),
    to: parseTimeExpression(body.to ?? "now", "to"),
    step: readStep(body.step),
    ...readTimezone(body.timezone),
  };
}

function readZone(body: Record<string, unknown>): { zone?: string } {
  if (!hasKey(body, "zone")) return {};
  const { zone } = body;
  if (typeof zone !== "string") {
    throw new ProtocolError(
      "bad-zone",
      `zone is not a string: ${describeJson(zone)}`,
    );
  }
  for (const key of ["layer", "region"]) {
    if (!hasKey(body, key)) continue;
    throw new ProtocolError(
      "bad-zone",
      `zone cannot be requested with ${key}: the zone has its own`,
    );
  }
  assertZoneName(zone);
  return { zone };
}

function readStep(value: unknown): Step {
  if (value === undefined || value === null) return "1h";
  const step = STEPS.find((one) => one === value);
  if (step !== undefined) return step;
  throw new ProtocolError(
    "bad-step",
    `step is not 15m, 1h, 1d or 1w: ${describeJson(value)}`,
  );
}

function readTimezone(value: unknown): { timezone?: string } {
  if (value === undefined || value === null) return {};
  if (typeof value === "string" && value.length <= MAX_TIMEZONE_LENGTH) {
    return { timezone: value };
  }
  throw new ProtocolError(
    "bad-timezone",
    `timezone is not the name of a time zone: ${describeJson(value)}`,
    { hint: "Use a name like Europe/Berlin or UTC." },
  );
}
