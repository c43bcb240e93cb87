import type { CellColumns } from "../../feed/columns.ts";
import { copyCells } from "../cell_columns.ts";
import { byteStream } from "../byte_stream.ts";
import { MANY_CELLS } from "../limits.ts";
import { acceptsGzip, hasETag } from "../negotiation.ts";
import {
  CELLS,
  json,
  LAYER_PARAMETER,
  MOMENT,
  object,
  problem,
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
import type { Ask, Route } from "../route.ts";
import { CSV_HEADER, writeCsvRows, writeJsonRows } from "./cell_rows.ts";
import { etagOf, momentOf } from "./moment.ts";

/** Cells of one piece of an answer. */
const PIECE = 4096;
/** Shorter answers are not worth compressing, cells. */
const FEW = 64;

const encoder = new TextEncoder();

/** `GET /api/v1/cells`: the map, or the part of it that is asked for. */
export const cellsRoute: Route = {
  method: "GET",
  path: "/api/v1/cells",
  needsMap: true,
  operation: {
    summary: "The map, or a part of it",
    description:
      "All of one revision, however many there are. The ETag is that of the revision: 304 says that no value and no freshness has changed, while cells may have been reported again.",
    parameters: [
      LAYER_PARAMETER,
      REGION_PARAMETER,
      SINCE_PARAMETER,
      {
        name: "format",
        in: "query",
        description: "The form of the answer.",
        schema: { enum: ["json", "csv"], default: "json" },
        example: "json",
      },
    ],
    answers: {
      200: {
        description: "The cells",
        content: {
          ...json(
            "",
            object(
              { layer: TEXT, revision: REVISION, ...MOMENT, cells: CELLS },
              ["staleAfter", "began"],
            ),
          ).content,
          "text/csv": {
            schema: {
              type: "string",
              description: `A header line, then a line a cell: ${CSV_HEADER}`,
            },
          },
        },
      },
      304: {
        description: "Nothing has changed since the revision of the ETag",
      },
      400: problem("A parameter is wrong"),
      503: problem("The store fails, or too many large answers are being sent"),
    },
  },
  handle: answerCells,
};

function answerCells(
  { url, request, context, limits, metrics }: Ask,
): Response {
  const query = url.searchParams;
  checkNames(query, ["layer", "region", "since", "format"]);
  const layer = readLayer(query);
  const region = readRegion(query);
  const since = readSince(query);
  const format = readChoice(query, "format", ["json", "csv"]);

  const moment = momentOf(context);
  const { revision } = context.map;
  const etag = etagOf(context);
  const headers = new Headers({
    etag,
    "cache-control": "no-cache",
    "occupancy-revision": String(revision),
    vary: "accept-encoding",
  });
  if (hasETag(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers });
  }
  headers.set(
    "content-type",
    format === "csv"
      ? "text/csv; charset=utf-8; header=present"
      : "application/json",
  );
  if (request.method === "HEAD") return new Response(null, { headers });

  const grid = context.map.layer(layer);
  const many = (grid?.size ?? 0) > MANY_CELLS;
  const release = many ? limits.take("copies") : () => {};
  const cells = copyCells(grid, { since: since ?? 0, region });
  const pieces = format === "csv"
    ? csvPieces(cells)
    : jsonPieces(cells, { layer, revision, ...moment });
  const body = byteStream({
    next: () => pieces.next().value,
    done: release,
    sent: (bytes) => metrics.sent("cells", bytes),
  });
  if (
    cells.length <= FEW ||
    !acceptsGzip(request.headers.get("accept-encoding"))
  ) return new Response(body, { headers });
  headers.set("content-encoding", "gzip");
  const plain: ReadableStream<BufferSource> = body;
  const zipped = plain.pipeThrough(new CompressionStream("gzip"));
  return new Response(zipped, { headers });
}

function* jsonPieces(
  cells: CellColumns,
  head: Record<string, unknown>,
): Generator<Uint8Array<ArrayBuffer>, undefined> {
  yield encoder.encode(`${JSON.stringify(head).slice(0, -1)},"cells":[`);
  for (let from = 0; from < cells.length; from += PIECE) {
    if (from > 0) yield encoder.encode(",");
    yield writeJsonRows(cells, from, Math.min(from + PIECE, cells.length));
  }
  yield encoder.encode("]}\n");
}

function* csvPieces(
  cells: CellColumns,
): Generator<Uint8Array<ArrayBuffer>, undefined> {
  yield encoder.encode(CSV_HEADER);
  for (let from = 0; from < cells.length; from += PIECE) {
    yield writeCsvRows(cells, from, Math.min(from + PIECE, cells.length));
  }
}
