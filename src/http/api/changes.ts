import type { HttpContext } from "../context.ts";
import type { Region } from "../../grid/mod.ts";
import type { CellColumns } from "../../feed/columns.ts";
import { copyCells } from "../cell_columns.ts";
import { byteStream } from "../byte_stream.ts";
import { type Limits, MANY_CELLS, type Release } from "../limits.ts";
import {
  LAYER_PARAMETER,
  problem,
  REGION_PARAMETER,
  SINCE_PARAMETER,
} from "../openapi/schemas.ts";
import { checkNames, readLayer, readRegion, readSince } from "../query.ts";
import type { Ask, Route } from "../route.ts";
import { writeJsonRows } from "./cell_rows.ts";
import { Waiter } from "./waiter.ts";

/** ms between two events at least, so that many changes become one. */
const INTERVAL = 100;
/** ms without an event after which a comment shows that the line still stands. */
const HEARTBEAT = 15_000;
/** Cells of one event. */
const MAX_CELLS = 10_000;
/** How long a client that lost the stream shall wait, ms. */
const RETRY = 2000;

const encoder = new TextEncoder();

/** `GET /api/v1/changes`: the map, then what changes, as server-sent events. */
export const changesRoute: Route = {
  method: "GET",
  path: "/api/v1/changes",
  needsMap: true,
  operation: {
    summary: "The map, then what changes, as server-sent events",
    description:
      "Events `changes` with `{layer, from, to, time, staleAfter, part, parts, cells}`: first all cells that changed after `since` (without it: all cells, `from` 0), then each time what changed, ten times a second at most. `id` is the revision, on the last part of each: a client that comes back with Last-Event-ID (an EventSource does so by itself) misses nothing. A slow reader gets fewer and larger events.",
    parameters: [
      LAYER_PARAMETER,
      REGION_PARAMETER,
      SINCE_PARAMETER,
      {
        name: "Last-Event-ID",
        in: "header",
        description:
          "The id of the last event that was received; wins over `since`.",
        schema: { type: "string" },
      },
    ],
    answers: {
      200: {
        description: "Events until one of the two ends it",
        content: { "text/event-stream": { schema: { type: "string" } } },
      },
      400: problem("A parameter is wrong"),
      503: problem("Too many streams"),
    },
  },
  handle: streamChanges,
};

function streamChanges(
  { url, request, context, limits, metrics }: Ask,
): Response {
  const query = url.searchParams;
  checkNames(query, ["layer", "region", "since"]);
  const layer = readLayer(query);
  const region = readRegion(query);
  const since = resumeAt(request.headers.get("last-event-id"), context) ??
    readSince(query) ?? 0;
  const headers = {
    "content-type": "text/event-stream",
    "cache-control": "no-store",
    "x-accel-buffering": "no", // nginx would hold events back
  };
  if (request.method === "HEAD") return new Response(null, { headers });
  const release = limits.take("streams");
  const feed = new ChangeFeed({ context, limits, layer, region, since });
  const body = byteStream({
    next: () => feed.next(),
    done: () => {
      feed.close();
      release();
    },
    sent: (bytes) => metrics.sent("changes", bytes),
  });
  return new Response(body, { headers });
}

/** Where a client goes on; 0 if what it had was another map. */
function resumeAt(
  id: string | null,
  context: HttpContext,
): number | undefined {
  if (id === null) return undefined;
  const [, revision, began] = /^(\d{1,16})(?:@(\d{1,16}))?$/.exec(id) ?? [];
  const own = context.began();
  if (revision === undefined || began !== (own && String(own))) return 0;
  return Number(revision);
}

/** What a {@linkcode ChangeFeed} is given. */
interface FeedOptions {
  readonly context: HttpContext;
  readonly limits: Limits;
  readonly layer: string;
  readonly region: Region | undefined;
  readonly since: number;
}

/**
 * What one client is told. Nothing is queued for it: what changed is read from
 * the map when it takes the next event.
 */
class ChangeFeed {
  readonly #options: FeedOptions;
  readonly #context: HttpContext;
  readonly #waiter: Waiter;
  #told: number;
  #first = true;
  #sentAt = -Infinity;
  #parts: Generator<Uint8Array<ArrayBuffer>, undefined> | undefined;
  #release: Release = () => {};

  constructor(options: FeedOptions) {
    const { context, since } = options;
    this.#options = options;
    this.#context = context;
    // A revision that is still to come is of another map.
    this.#told = since > context.map.revision ? 0 : since;
    this.#waiter = new Waiter(context);
  }

  /** The next bytes, as soon as there are some; undefined when the server ends. */
  async next(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    for (;;) {
      const part = this.#parts?.next().value;
      if (part !== undefined) return part;
      this.#parts = undefined;
      this.#release();
      if (this.#waiter.ended) return undefined;
      await this.#waiter.pause(this.#sentAt + INTERVAL - performance.now());
      const found = this.#look();
      if (found === "something") continue;
      if (found === "no room") {
        this.#sentAt = performance.now();
        continue;
      }
      if (await this.#waiter.changed(HEARTBEAT)) continue;
      if (!this.#waiter.ended) return encoder.encode(":\n\n");
    }
  }

  /** Tells no more. */
  close(): void {
    this.#waiter.close();
    this.#release();
  }

  /** Reads what there is to tell, if there is room to hold it. */
  #look(): "something" | "nothing" | "no room" {
    const { limits, layer, region } = this.#options;
    const { map } = this.#context;
    const time = this.#context.refresh();
    if (time === undefined || this.#waiter.ended) return "nothing";
    const grid = map.layer(layer);
    if (!this.#first && (grid?.revision ?? 0) <= this.#told) return "nothing";
    if ((grid?.size ?? 0) > MANY_CELLS) {
      const release = limits.tryTake("copies");
      if (release === undefined) return "no room";
      this.#release = release;
    }
    const from = this.#told;
    const to = this.#told = map.revision;
    const cells = copyCells(grid, { since: from, region });
    if (!this.#first && cells.length === 0) {
      this.#release();
      return "nothing";
    }
    this.#parts = this.#events(cells, { from, to, time }, this.#first);
    this.#first = false;
    this.#sentAt = performance.now();
    return "something";
  }

  *#events(
    cells: CellColumns,
    moment: { from: number; to: number; time: number },
    first: boolean,
  ): Generator<Uint8Array<ArrayBuffer>, undefined> {
    const { staleAfter } = this.#context.map.ageing;
    const began = this.#context.began();
    const parts = Math.max(1, Math.ceil(cells.length / MAX_CELLS));
    for (let part = 1; part <= parts; part++) {
      const head = JSON.stringify({
        layer: this.#options.layer,
        ...moment,
        ...(Number.isFinite(staleAfter) && { staleAfter }),
        ...(began !== undefined && { began }),
        part,
        parts,
      });
      const end = part * MAX_CELLS;
      const rows = writeJsonRows(
        cells,
        end - MAX_CELLS,
        Math.min(end, cells.length),
      );
      // Who has not got all parts goes on from before them: only the last has the id.
      const id = part < parts
        ? ""
        : `id: ${moment.to}${began === undefined ? "" : `@${began}`}\n`;
      yield joined(
        `${
          first && part === 1 ? `retry: ${RETRY}\n` : ""
        }event: changes\n${id}data: ${head.slice(0, -1)},"cells":[`,
        rows,
        "]}\n\n",
      );
    }
  }
}

function joined(
  before: string,
  rows: Uint8Array,
  after: string,
): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(before);
  const bytes = new Uint8Array(head.length + rows.length + after.length);
  bytes.set(head);
  bytes.set(rows, head.length);
  encoder.encodeInto(after, bytes.subarray(head.length + rows.length));
  return bytes;
}
