/**
 * `GET /api/v1/changes`: the map, then its changes, as server-sent events.
 *
 * @module
 */
import { overloaded } from "../limits.ts";
import {
  LAYER_PARAMETER,
  problemSpec,
  REGION_PARAMETER,
  SINCE_PARAMETER,
} from "../openapi/schemas.ts";
import { checkNames, readLayer, readRegion, readSince } from "../query.ts";
import { byteStream } from "../responses.ts";
import type { Endpoint, RequestContext } from "../endpoint.ts";
import { ChangeStream } from "./change_stream.ts";
import { catchUp } from "./map_moment.ts";

/** `GET /api/v1/changes` */
export const getChanges: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The map, then its changes, as server-sent events",
    description:
      "Events `changes` with `{layer, from, to, time, staleAfter, part, parts, cells}`: first all cells that changed after `since` (default: all cells, `from` 0), then the changes, at most ten times a second. `id` is the revision, on the last part of each delta: a client that reconnects with Last-Event-ID, as every EventSource does, misses no change. A slow client receives fewer and larger events. An event with `from` 0 and `part` 1 replaces all cells: the first one, and one after the deletion of the layer.",
    parameters: [
      LAYER_PARAMETER,
      REGION_PARAMETER,
      SINCE_PARAMETER,
      {
        name: "Last-Event-ID",
        in: "header",
        description: "The id of the last event received; replaces `since`.",
        schema: { type: "string" },
      },
    ],
    responses: {
      200: {
        description:
          "Events until the client closes the stream, the server ends or the token changes",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      400: problemSpec("A parameter is invalid"),
      503: problemSpec("Too many streams"),
    },
  },
  handle: answerChanges,
};

async function answerChanges(
  { url, request, server, limits, metrics, guard, turns, exchange }:
    RequestContext,
): Promise<Response> {
  const query = url.searchParams;
  checkNames(query, ["layer", "region", "since"]);
  const layer = readLayer(query);
  const region = readRegion(query);
  const lastEventId = request.headers.get("last-event-id");
  const since = resumeAt(lastEventId, server.map.beganOf(layer)) ??
    readSince(query) ?? 0;
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no", // otherwise nginx buffers events
  };
  if (request.method === "HEAD") return new Response(null, { headers });
  const { access } = guard; // it may change while this waits
  await catchUp(server, layer, since);
  const share = limits.streams.tryTake(exchange, 1);
  if (share === undefined) throw overloaded("streams");
  const stream = new ChangeStream({
    server,
    limits,
    turns,
    exchange,
    access,
    layer,
    region,
    since,
  });
  const body = byteStream({
    next: () => stream.next(),
    onEnd: () => {
      stream.close();
      share.release();
    },
    onBytes: (bytes) => metrics.addSentBytes("changes", bytes),
  }, exchange);
  return new Response(body, { headers });
}

/**
 * Returns the revision at which a client resumes: 0 if the id is of another
 * map or of a deleted layer, undefined without an id.
 *
 * @param id the header Last-Event-ID
 * @param own `MapMoment.began` of the layer
 */
function resumeAt(
  id: string | null,
  own: number | undefined,
): number | undefined {
  if (id === null) return undefined;
  const [, revision, began] = /^(\d{1,16})(?:@(\d{1,16}))?$/.exec(id) ?? [];
  if (revision === undefined || began !== (own && String(own))) return 0;
  return Number(revision);
}
