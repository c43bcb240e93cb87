/**
 * `GET /api/v1/cells`: the map or a part of it, as JSON or CSV.
 *
 * @module
 */
import type { CellColumns } from "../../feed/columns.ts";
import { copyCells } from "../cell_columns.ts";
import { LARGE_RESPONSE_CELLS } from "../limits.ts";
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
import {
  CSV_HEADER,
  csvHeader,
  type TimeForm,
  writeCsvRows,
  writeJsonRows,
} from "./cell_rows.ts";
import { etagOf, refreshMap } from "./map_moment.ts";

/** Number of cells in each piece of the response. */
const PIECE_CELLS = 4096;
/** A response of at most this many cells is not compressed: it saves little. */
const MAX_UNCOMPRESSED_CELLS = 64;

const encoder = new TextEncoder();

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

function answerCells(
  { url, request, server, limits, metrics }: RequestContext,
): Response {
  const query = url.searchParams;
  checkNames(query, ["layer", "region", "since", "format", "times"]);
  const layer = readLayer(query);
  const region = readRegion(query);
  const since = readSince(query);
  const format = readChoice(query, "format", ["json", "csv"]);
  const times = readChoice(query, "times", ["ms", "rfc3339"]);

  const moment = refreshMap(server);
  const { revision } = server.map;
  const etag = etagOf(server);
  const headers = new Headers({
    etag,
    "cache-control": "no-cache",
    "occupancy-revision": String(revision),
    vary: "accept-encoding",
  });
  if (matchesETag(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  headers.set(
    "content-type",
    format === "csv"
      ? "text/csv; charset=utf-8; header=present"
      : "application/json",
  );
  if (request.method === "HEAD") return new Response(null, { headers });

  const grid = server.map.layer(layer);
  const isLarge = (grid?.size ?? 0) > LARGE_RESPONSE_CELLS;
  const release = isLarge ? limits.take("largeResponses") : () => {};
  const cells = copyCells(grid, { since: server.map.sinceOf(since), region });
  const pieces = format === "csv"
    ? csvPieces(cells, layer, times)
    : jsonPieces(cells, times, {
      layer,
      revision,
      ...moment,
      display: server.displayOf(layer), // omitted if undefined
    });
  const body = byteStream({
    next: () => pieces.next().value,
    onEnd: release,
    onBytes: (bytes) => metrics.addSentBytes("cells", bytes),
  });
  if (
    cells.length <= MAX_UNCOMPRESSED_CELLS ||
    !acceptsGzip(request.headers.get("accept-encoding"))
  ) return new Response(body, { headers });
  headers.set("content-encoding", "gzip");
  const plain: ReadableStream<BufferSource> = body;
  const zipped = plain.pipeThrough(new CompressionStream("gzip"));
  return new Response(zipped, { headers });
}

function* jsonPieces(
  cells: CellColumns,
  times: TimeForm,
  head: Record<string, unknown>,
): Generator<Uint8Array<ArrayBuffer>, undefined> {
  yield encoder.encode(`${JSON.stringify(head).slice(0, -1)},"cells":[`);
  for (let from = 0; from < cells.length; from += PIECE_CELLS) {
    if (from > 0) yield encoder.encode(",");
    const to = Math.min(from + PIECE_CELLS, cells.length);
    yield writeJsonRows(cells, from, to, times);
  }
  yield encoder.encode("]}\n");
}

function* csvPieces(
  cells: CellColumns,
  layer: string,
  times: TimeForm,
): Generator<Uint8Array<ArrayBuffer>, undefined> {
  yield encoder.encode(csvHeader(layer));
  for (let from = 0; from < cells.length; from += PIECE_CELLS) {
    const to = Math.min(from + PIECE_CELLS, cells.length);
    yield writeCsvRows(cells, layer, from, to, times);
  }
}
