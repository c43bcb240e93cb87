/**
 * Requests the map at a time, and series of counts.
 *
 * @module
 */
import type { Link } from "../mqtt/link.ts";
import {
  DEFAULT_LAYER,
  PastAssembler,
  type PastPart,
  type Region,
  type Series,
  SeriesAssembler,
  type SeriesPart,
  type Step,
} from "../protocol/mod.ts";
import { RefusedError } from "./errors.ts";
import type { MapQuery } from "./map_request.ts";
import { PastCellMap } from "./past_map.ts";
import { ReplyCollector } from "./reply_collector.ts";
import type { Requester } from "./requester.ts";

/**
 * A time: ms since 1970, a `Date`, or a text: RFC 3339, `2026-01-31`,
 * `2026-01-31T12:00` (both in `timezone`), `now`, `-90s`, `-30m`, `-2h` or
 * `-7d`.
 */
export type Time = number | string | Date;

/** Which map of the past, and how long to wait for the reply. */
export interface PastMapQuery
  extends Omit<MapQuery, "since">, Pick<PastSeriesQuery, "timezone"> {
  /** The time. */
  readonly at: Time;
}

/** Which series, and how long to wait for the reply. */
export interface PastSeriesQuery
  extends Pick<MapQuery, "maxBytes" | "timeout" | "signal"> {
  /** The name of a zone. Default: a series of a region. */
  readonly zone?: string;
  /** The layer of the region. Default `default`. */
  readonly layer?: string;
  /** The region. Default: the whole layer. */
  readonly region?: Region;
  /** The first time. Default: a day ago. */
  readonly from?: Time;
  /** The time after the last. Default: now. */
  readonly to?: Time;
  /** Default `1h`. */
  readonly step?: Step;
  /**
   * The time zone of dates, days and weeks: an IANA name. Default: that of the
   * server.
   */
  readonly timezone?: string;
}

/**
 * Requests the map at a time.
 *
 * @throws {NoAnswerError} if the server does not reply in time
 * @throws {RefusedError} if the server rejects the request, or "no-history" if
 * it is of a version without one
 * @throws {LinkError} if the connection fails permanently
 * @throws the signal's reason if aborted
 */
export async function requestPastMap(
  requester: Requester,
  link: Link,
  { at, layer, region, timezone, maxBytes, ...wait }: PastMapQuery,
): Promise<PastCellMap> {
  const collector = new ReplyCollector<PastPart, PastAssembler, PastCellMap>(
    () => new PastAssembler(),
    (reply) => new PastCellMap(reply.header!, reply.cells()),
  );
  return await requester.ask(link, wait, {
    fields: { at: timeField(at), layer, region, timezone, maxBytes },
    read(part) {
      if ("past" in part) {
        return part.layer === (layer ?? DEFAULT_LAYER)
          ? collector.add(part)
          : { ignored: "of another layer" };
      }
      return { error: noHistoryError() };
    },
  });
}

/**
 * Requests a series.
 *
 * @throws as {@linkcode requestPastMap}
 */
export async function requestSeries(
  requester: Requester,
  link: Link,
  query: PastSeriesQuery,
): Promise<Series> {
  const { zone, layer, region, from, to, step = "1h", timezone, maxBytes } =
    query;
  const collector = new ReplyCollector<SeriesPart, SeriesAssembler, Series>(
    () => new SeriesAssembler(),
    (reply) => reply.series(),
  );
  return await requester.ask(link, query, {
    fields: {
      ...{ zone, layer, region, step, timezone, maxBytes },
      ...(from !== undefined && { from: timeField(from) }),
      ...(to !== undefined && { to: timeField(to) }),
    },
    read: (part) =>
      "series" in part ? collector.add(part) : { error: noHistoryError() },
  });
}

function timeField(time: Time): number | string {
  return time instanceof Date ? time.getTime() : time;
}

function noHistoryError(): RefusedError {
  return new RefusedError("no-history", "The server does not know the past", {
    hint: "Its version is older than the history: update it.",
  });
}
