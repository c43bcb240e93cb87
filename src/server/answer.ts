import {
  CellRows,
  contains,
  type Grid,
  type OccupancyMap,
} from "../grid/mod.ts";
import {
  DEFAULT_LAYER,
  encodeErrorReply,
  type LayerMapRequest,
  type MapRequest,
  MIN_PART_BYTES,
  OriginalWriter,
  ProtocolError,
  ReplyWriter,
  RequestError,
} from "../protocol/mod.ts";

/** Shared by all replies: one is written before the next begins. */
const rows = new CellRows();

/** A reply ready to be published: all its parts are of one revision. */
export interface Reply {
  readonly topic: string;
  readonly parts: readonly Uint8Array[];
  readonly correlationData: Uint8Array | undefined;
  readonly contentType: string | undefined;
}

/**
 * Writes the map, or the part of it that a request asks for.
 *
 * @param request What is asked for
 * @param map Not changed while this writes: so all parts are of one revision
 * @param now The time at which the map is right, ms since 1970
 * @param began See `MapMoment.began`
 * @param room The most bytes that the broker takes in one message
 * @throws {RequestError} `too-large`, if there is not room enough
 */
export function answer(
  request: MapRequest,
  map: OccupancyMap,
  now: number,
  began: number | undefined,
  room = Infinity,
): Reply {
  const { replyTopic: topic, correlationData } = request;
  if (request.kind === "original" || request.format === "original") {
    const part = request.kind === "original"
      ? writeOriginal(map.layer(DEFAULT_LAYER))
      : writeOriginal(map.layer(request.layer), request);
    if (part.length > room) throw tooLarge(request, part.length, room);
    return { topic, parts: [part], correlationData, contentType: undefined };
  }
  if (room < MIN_PART_BYTES) throw tooLarge(request, MIN_PART_BYTES, room);
  const { layer, region, since, format } = request;
  const writer = new ReplyWriter({
    ...(request.transaction !== undefined &&
      { transaction: request.transaction }),
    layer,
    revision: map.revision,
    time: now,
    staleAfter: map.ageing.staleAfter,
    ...(began !== undefined && { began }),
    format,
    maxBytes: Math.min(request.maxBytes, room),
  });
  const cells = map.layer(layer)?.cells({
    ...(region && { region }),
    ...(since !== undefined && { since }),
  });
  for (let count; (count = cells?.take(rows) ?? 0) > 0;) {
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

function tooLarge(
  request: MapRequest,
  bytes: number,
  room: number,
): RequestError {
  const error = new ProtocolError(
    "too-large",
    `A reply of ${bytes} bytes is too long for the broker, which takes ${room}`,
    { hint: "Ask for a region, or in a format that comes in parts." },
  );
  const transaction = request.kind === "map" ? request.transaction : undefined;
  return new RequestError(error, request, transaction);
}

/** The reply to a request that cannot be answered. */
export function answerError(error: RequestError): Reply {
  return {
    topic: error.replyTopic,
    parts: [encodeErrorReply(error)],
    correlationData: error.correlationData,
    contentType: "application/json",
  };
}

/** No reply at all: what there is to say could only be misread. */
export function noReply(error: RequestError): Reply {
  return { ...answerError(error), parts: [] };
}

/** A layer in the form of the three Python scripts, in one message. */
function writeOriginal(
  grid: Grid | undefined,
  { region, since = 0 }: Pick<LayerMapRequest, "region" | "since"> = {},
): Uint8Array {
  const writer = new OriginalWriter();
  grid?.scanInOrder((x, y, value, _time, revision) => {
    if (revision > since && (region === undefined || contains(region, x, y))) {
      writer.cell(x, y, value);
    }
  });
  return writer.finish();
}
