/**
 * Writes the replies to requests for the map.
 *
 * @module
 */
import { CellRows, type Grid, type OccupancyMap } from "../grid/mod.ts";
import {
  DEFAULT_LAYER,
  encodeErrorReply,
  type LayerDisplay,
  type LayerMapRequest,
  type MapRequest,
  MIN_PART_BYTES,
  OriginalWriter,
  ProtocolError,
  ReplyWriter,
  RequestError,
} from "../protocol/mod.ts";

/** Shared by all replies: each is written in one synchronous step. */
const rows = new CellRows();

/** A reply to publish. All parts have the same revision. */
export interface Reply {
  readonly topic: string;
  readonly parts: readonly Uint8Array[];
  readonly correlationData: Uint8Array | undefined;
  readonly contentType: string | undefined;
}

/** Options of {@linkcode writeReply}. */
export interface WriteReplyOptions {
  /** The time at which the map is correct, ms since 1970. */
  readonly now: number;
  /** Returns how to show a layer; undefined for the defaults. */
  readonly displayOf?:
    | ((layer: string) => LayerDisplay | undefined)
    | undefined;
  /** Maximum payload that the broker accepts, in bytes. Default: no limit. */
  readonly maxBytes?: number | undefined;
}

/**
 * Writes the cells that a request selects.
 *
 * @throws {RequestError} "too-large" if the broker does not accept the reply
 */
export function writeReply(
  request: MapRequest,
  map: OccupancyMap,
  { now, displayOf, maxBytes = Infinity }: WriteReplyOptions,
): Reply {
  const { replyTopic: topic, correlationData } = request;
  if (request.kind === "original" || request.format === "original") {
    const part = request.kind === "original"
      ? writeOriginal(map.layer(DEFAULT_LAYER))
      : writeOriginal(map.layer(request.layer), {
        ...request,
        since: map.sinceOf(request.since),
      });
    if (part.length > maxBytes) throw tooLarge(request, part.length, maxBytes);
    return { topic, parts: [part], correlationData, contentType: undefined };
  }
  if (maxBytes < MIN_PART_BYTES) {
    throw tooLarge(request, MIN_PART_BYTES, maxBytes);
  }
  const { layer, region, since, format, transaction } = request;
  const display = displayOf?.(layer);
  const began = map.beganOf(layer);
  const writer = new ReplyWriter({
    ...(transaction !== undefined && { transaction }),
    layer,
    revision: map.revision,
    time: now,
    staleAfter: map.ageing.staleAfter,
    ...(began !== undefined && { began }),
    ...(display !== undefined && { display }),
    format,
    maxBytes: Math.min(request.maxBytes, maxBytes),
  });
  using cells = map.layer(layer)?.snapshot({
    ...(region && { region }),
    since: map.sinceOf(since),
  });
  for (let count; (count = cells?.readTile(rows)) !== undefined;) {
    const { x, y, value, time } = rows;
    for (let i = 0; i < count; i++) {
      writer.cell(x[i]!, y[i]!, value[i]!, time[i]!);
    }
  }
  return {
    topic,
    parts: writer.finish(),
    correlationData,
    contentType: format === "csv" ? "text/csv" : "application/json",
  };
}

/** Writes the reply to a request that is invalid or cannot be answered. */
export function writeErrorReply(error: RequestError): Reply {
  return {
    topic: error.replyTopic,
    parts: [encodeErrorReply(error)],
    correlationData: error.correlationData,
    contentType: "application/json",
  };
}

/** Returns a reply without parts, for clients that cannot parse errors. */
export function emptyReply(error: RequestError): Reply {
  return { ...writeErrorReply(error), parts: [] };
}

function tooLarge(
  request: MapRequest,
  bytes: number,
  maxBytes: number,
): RequestError {
  const error = new ProtocolError(
    "too-large",
    `the reply has ${bytes} bytes, and the broker accepts ${maxBytes} in a message`,
    { hint: "Request a region, or a format that is sent in parts." },
  );
  const transaction = request.kind === "map" ? request.transaction : undefined;
  return new RequestError(error, request, transaction);
}

/** Writes a layer in the format of the original Python scripts. */
function writeOriginal(
  grid: Grid | undefined,
  { region, since = 0 }: Pick<LayerMapRequest, "region" | "since"> = {},
): Uint8Array {
  const writer = new OriginalWriter();
  using snapshot = grid?.snapshot({ ...(region && { region }), since });
  const cells: { x: number; y: number; value: number; order: number }[] = [];
  for (let count; (count = snapshot?.readTile(rows)) !== undefined;) {
    const { x, y, value, order } = rows;
    for (let i = 0; i < count; i++) {
      cells.push({ x: x[i]!, y: y[i]!, value: value[i]!, order: order[i]! });
    }
  }
  cells.sort((a, b) => a.order - b.order);
  for (const { x, y, value } of cells) writer.cell(x, y, value);
  return writer.finish();
}
