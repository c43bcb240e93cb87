import type { Grid, OccupancyMap } from "../grid/mod.ts";
import {
  DEFAULT_LAYER,
  encodeErrorReply,
  type MapRequest,
  OriginalWriter,
  ReplyWriter,
  type RequestError,
} from "../protocol/mod.ts";

/** A reply ready to be published: all its parts are of one revision. */
export interface Reply {
  readonly topic: string;
  readonly parts: readonly Uint8Array[];
  readonly correlationData: Uint8Array | undefined;
  readonly contentType: string | undefined;
}

/** Writes the map, or the part of it that a request asks for. */
export function answer(
  request: MapRequest,
  map: OccupancyMap,
  now: number,
): Reply {
  const { replyTopic: topic, correlationData } = request;
  if (request.kind === "original" || request.format === "original") {
    const grid = map.layer(
      request.kind === "original" ? DEFAULT_LAYER : request.layer,
    );
    const parts = [writeOriginal(grid)];
    return { topic, parts, correlationData, contentType: undefined };
  }
  const { layer, region, since, format } = request;
  const writer = new ReplyWriter({
    ...(request.transaction !== undefined &&
      { transaction: request.transaction }),
    layer,
    revision: map.revision,
    time: now,
    staleAfter: map.ageing.staleAfter,
    format,
    maxBytes: request.maxBytes,
  });
  const cells = map.layer(layer)?.cells({
    ...(region && { region }),
    ...(since !== undefined && { since }),
  });
  while (cells?.next()) {
    writer.cell(cells.x, cells.y, cells.value, cells.time);
  }
  return {
    topic,
    parts: writer.finish(),
    correlationData,
    contentType: format === "csv" ? "text/csv" : "application/json",
  };
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

/** The whole layer in the form of the three Python scripts, in one message. */
function writeOriginal(grid: Grid | undefined): Uint8Array {
  const writer = new OriginalWriter();
  grid?.scanInOrder((x, y, value) => writer.cell(x, y, value));
  return writer.finish();
}
