/**
 * `GET /api/v1/cells`: the map or a part of it, as JSON or CSV.
 *
 * @module
 */
import { FixedResponse } from "../fixed_response.ts";
import { joinBytes } from "../../common/bytes.ts";
import { newColumns } from "../../feed/columns.ts";
import type { Region } from "../../grid/mod.ts";
import type { Share } from "../budget.ts";
import { LayerReading, readFew } from "../layer_reading.ts";
import { overloaded, SMALL_RESPONSE_CELLS } from "../limits.ts";
import {
  CELLS,
  DISPLAY,
  jsonSpec,
  LAYER_PARAMETER,
  MOMENT,
  object,
  problemSpec,
  REGION_PARAMETER,
  REVISION,
  SINCE_PARAMETER,
  TEXT,
} from "../openapi/schemas.ts";
import {
  checkNames,
  readChoice,
  readLayer,
  readRegion,
  readSince,
} from "../query.ts";
import { acceptsGzip, byteStream, matchesETag } from "../responses.ts";
import type { Endpoint, RequestContext } from "../endpoint.ts";
import { CSV_HEADER, type TimeForm } from "./cell_rows.ts";
import { CellsBody } from "./cells_body.ts";
import { catchUp, etagOf, refreshMap } from "./map_moment.ts";

/** Number of cells in each piece of a large response. */
const PIECE_CELLS = 2048;
/** A response of at most this many cells is not compressed: it saves little. */
const MAX_UNCOMPRESSED_CELLS = 64;

/** The cells of a piece: each is written before the next is read. */
const buffer = newColumns(PIECE_CELLS);

/** `GET /api/v1/cells` */
export const getCells: Endpoint = {
  needsMap: true,
  operation: {
    summary: "The map, or a part of it",
    description:
      "All cells are of one revision, which the ETag identifies. 304 means that no value and no status has changed; cells may have been reported again with the same value.",
    parameters: [
      LAYER_PARAMETER,
      REGION_PARAMETER,
      SINCE_PARAMETER,
      {
        name: "format",
        in: "query",
        description: "The format of the response.",
        schema: { enum: ["json", "csv"], default: "json" },
        example: "json",
      },
      {
        name: "times",
        in: "query",
        description:
          "The times of the cells: milliseconds since 1970, or RFC 3339 in UTC.",
        schema: { enum: ["ms", "rfc3339"], default: "ms" },
        example: "rfc3339",
      },
    ],
    responses: {
      200: {
        description: "The cells",
        content: {
          ...jsonSpec(
            "",
            object(
              {
                layer: TEXT,
                revision: REVISION,
                ...MOMENT,
                display: DISPLAY,
                cells: CELLS,
              },
              ["staleAfter", "began", "display"],
            ),
          ).content,
          "text/csv": {
            schema: {
              type: "string",
              description:
                `A header, then one line per cell: ${CSV_HEADER}, and layer unless it is default`,
            },
          },
        },
      },
      304: {
        description: "Nothing has changed since the revision of the ETag",
      },
      400: problemSpec("A parameter is invalid"),
      503: problemSpec("The store fails, or too many large responses"),
    },
  },
  handle: answerCells,
};

/** What a client requests. */
interface Query {
  readonly layer: string;
  readonly region: Region | undefined;
  readonly since: number | undefined;
  readonly format: "json" | "csv";
  readonly times: TimeForm;
}

async function answerCells(context: RequestContext): Promise<Response> {
  const { url, limits: { largeResponses }, exchange } = context;
  const query = url.searchParams;
  checkNames(query, ["layer", "region", "since", "format", "times"]);
  const wanted: Query = {
    layer: readLayer(query),
    region: readRegion(query),
    since: readSince(query),
    format: readChoice(query, "format", ["json", "csv"]),
    times: readChoice(query, "times", ["ms", "rfc3339"]),
  };
  await catchUp(context.server, wanted.layer, wanted.since);
  const response = answerNow(context, wanted);
  if (response !== undefined) return response;
  const share = await largeResponses.take(exchange, 1);
  if (share === undefined) throw overloaded("largeResponses");
  try {
    return answerNow(context, wanted, share)!;
  } catch (error) {
    share.release();
    throw error;
  }
}

/**
 * Answers with the map as it is now.
 *
 * @param share for a large response; it is released when the response ends
 * @returns undefined if the response is large and there is no share
 */
function answerNow(
  { request, server, metrics, limits, turns, exchange }: RequestContext,
  { layer, region, since, format, times }: Query,
  share?: Share,
): Response | undefined {
  const moment = refreshMap(server, layer);
  const { map } = server;
  const revision = map.revisionOf(layer);
  const etag = etagOf(server, layer);
  const headers = new Headers({
    etag,
    "cache-control": "no-cache",
    "occupancy-revision": String(revision),
    vary: "accept-encoding",
  });
  if (moment.began !== undefined) {
    headers.set("occupancy-began", String(moment.began));
  }
  if (matchesETag(request.headers.get("if-none-match"), etag)) {
    share?.release();
    return new Response(null, { status: 304, headers });
  }
  headers.set(
    "content-type",
    format === "csv"
      ? "text/csv; charset=utf-8; header=present"
      : "application/json",
  );
  if (request.method === "HEAD") {
    share?.release();
    return new Response(null, { headers });
  }
  const selection = { since: map.sinceOf(layer, since), region };
  const grid = map.layer(layer);
  const few = share === undefined
    ? readFew(grid, selection, SMALL_RESPONSE_CELLS)
    : undefined;
  if (few === undefined && share === undefined) return undefined;
  const isGzip = (few?.length ?? Infinity) > MAX_UNCOMPRESSED_CELLS &&
    acceptsGzip(request.headers.get("accept-encoding"));
  if (isGzip) headers.set("content-encoding", "gzip");
  const body = new CellsBody({
    format,
    times,
    layer,
    head: {
      layer,
      revision,
      ...moment,
      display: server.displayOf(layer), // omitted if undefined
    },
    isGzip,
    onBytes: (bytes) => metrics.addSentBytes("cells", bytes),
  });
  if (few !== undefined) {
    const bytes = joinBytes([body.begin(), body.add(few), body.end()]);
    return new FixedResponse(bytes, { headers });
  }
  const reading = new LayerReading(grid, selection, limits.reached);
  const pieces = piecesOf(body, reading);
  const stream = byteStream({
    async next() {
      for (;;) {
        const piece = await turns.run(
          exchange.network,
          () => pieces.next().value,
        );
        if (piece?.length !== 0) return piece;
      }
    },
    onEnd() {
      reading.close();
      share?.release();
    },
  }, exchange);
  return new Response(stream, { headers });
}

/** Yields the body; an empty piece only ends a slice of work. */
function* piecesOf(
  body: CellsBody,
  reading: LayerReading,
): Generator<Uint8Array<ArrayBuffer>, undefined> {
  yield body.begin();
  for (let isLast = false; !isLast;) {
    buffer.length = 0;
    isLast = !reading.read(buffer);
    yield buffer.length === 0 ? new Uint8Array() : body.add(buffer);
  }
  yield body.end();
}
