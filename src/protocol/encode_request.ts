/**
 * Encodes requests.
 *
 * @module
 */

import type { Region } from "./region.ts";
import type { Scalar } from "./request.ts";
import type { ReplyFormat } from "./request_fields.ts";
import type { Step } from "./series.ts";
import type { SourceQuery } from "./sources.ts";
import { encodeText } from "./text.ts";

/** The fields of a request; all are optional. */
export interface RequestFields {
  /** A value to echo in the reply. */
  readonly transaction?: Scalar | undefined;
  /** The layer. Default: {@linkcode DEFAULT_LAYER}. */
  readonly layer?: string | undefined;
  /** Only the cells in this region. */
  readonly region?: Region | undefined;
  /** Only cells that changed after this revision. */
  readonly since?: number | undefined;
  /** The format of the reply. Default: json. */
  readonly format?: ReplyFormat | undefined;
  /** The reply topic, for clients without MQTT 5 Response Topic. */
  readonly replyTo?: string | undefined;
  /**
   * Maximum size of a part, in bytes. Default: {@linkcode DEFAULT_PART_BYTES}.
   */
  readonly maxBytes?: number | undefined;
  /**
   * The states of all zones, or of those with these names, instead of cells.
   * Do not combine it with layer, region, since and format.
   */
  readonly zones?: true | readonly string[] | undefined;
  /** The sources of readings instead of cells, in the same way. */
  readonly sources?: true | SourceQuery | undefined;
  /**
   * The cells as they were at a time, in any form of a time. Do not combine it
   * with since.
   */
  readonly at?: string | number | undefined;
  /** The counts of a zone, step by step, instead of cells. */
  readonly zone?: string | undefined;
  /** The first time of a series; without a zone it is one of a region. */
  readonly from?: string | number | undefined;
  /** The time after the last. */
  readonly to?: string | number | undefined;
  /** The length of the steps of a series. */
  readonly step?: Step | undefined;
  /** The time zone of dates, days and weeks: an IANA name. */
  readonly timezone?: string | undefined;
}

/**
 * Encodes a request as JSON. Does not check it: the server does.
 *
 * @param fields the fields that differ from their defaults
 * @returns the payload
 */
export function encodeRequest(
  fields: RequestFields = {},
): Uint8Array<ArrayBuffer> {
  const { region, ...rest } = fields;
  return encodeText(JSON.stringify({
    ...rest,
    ...(region && { region: [region.x0, region.y0, region.x1, region.y1] }),
  }));
}
