/**
 * Encodes requests.
 *
 * @module
 */

import type { Region } from "./region.ts";
import type { ReplyFormat, Scalar } from "./request.ts";
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
