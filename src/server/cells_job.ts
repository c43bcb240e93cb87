/**
 * Writes the cells of a reply in slices.
 *
 * @module
 */
import {
  CellRows,
  type Grid,
  type LayerSnapshot,
  type OccupancyMap,
} from "../grid/mod.ts";
import {
  DEFAULT_LAYER,
  encodeReplyHeader,
  type LayerDisplay,
  type LayerMapRequest,
  type MapRequest,
  MIN_PART_BYTES,
  type PartList,
  ReplyWriter,
  type ReplyWriterOptions,
} from "../protocol/mod.ts";
import { writeOriginal } from "./original_reply.ts";
import { type Reply, type ReplyBody, singlePart } from "./reply.ts";
import { ReplyJob, tooLarge, withHeaders } from "./reply_job.ts";

/** Shared by all replies: each tile is written from it at once. */
const rows = new CellRows();
/** Approximate bytes of a cell in a reply. */
const CELL_BYTES = 30;
/** Steps of this many tiles without cells take as long as one with cells. */
const MAX_STEP_TILES = 64;
/** A delta may be small if its tiles have at most this many times the size. */
const MAX_DELTA_RATIO = 8;
/** Cells of a step. */
const STEP_CELLS = 1024;

const TOO_LARGE_HINT = "Request a region, or a format that is sent in parts.";

/** Options of {@linkcode CellsJob}. */
export interface CellsJobOptions {
  readonly map: OccupancyMap;
  /** The time at which the map is correct, ms since 1970. */
  readonly now: number;
  /** Returns how to show a layer; undefined for the defaults. */
  readonly displayOf?:
    | ((layer: string) => LayerDisplay | undefined)
    | undefined;
  /** Maximum payload that the broker accepts, in bytes. Default: no limit. */
  readonly maxBytes?: number | undefined;
}

/** The cells that a request selects, at the revision of the construction. */
export class CellsJob extends ReplyJob {
  readonly maxBytes: number;
  protected readonly work: Generator<void, ReplyBody>;
  /** The revision of the layer's shard that the cells have. */
  readonly #revision: number;
  readonly #options: CellsJobOptions;
  /** See `MapMoment.began`. */
  readonly #began: number | undefined;
  readonly #grid: Grid | undefined;
  readonly #snapshot: LayerSnapshot | undefined;
  /** Its reply uses the parts themselves; others get copies. */
  readonly #request: MapRequest;

  /**
   * Begins to read the cells.
   *
   * @throws {RequestError} "too-large" if the broker accepts no part
   */
  constructor(request: MapRequest, options: CellsJobOptions) {
    super();
    const { map, maxBytes = Infinity } = options;
    const { layer, region, since } = selectionOf(request);
    this.#request = request;
    this.#options = options;
    this.#revision = map.revisionOf(layer);
    this.#began = map.beganOf(layer);
    this.#grid = map.layer(layer);
    const open = () =>
      this.#grid?.snapshot({
        ...(region && { region }),
        since: map.sinceOf(layer, since),
      });
    if (request.kind === "original" || request.format === "original") {
      this.#snapshot = open();
      this.work = original(this.#snapshot);
    } else {
      if (maxBytes < MIN_PART_BYTES) {
        throw tooLarge(request, MIN_PART_BYTES, maxBytes, TOO_LARGE_HINT);
      }
      const writer = new ReplyWriter(this.#writerOptions(request));
      this.#snapshot = open();
      this.work = written(this.#snapshot, writer);
    }
    const cellBytes = CELL_BYTES * (this.#snapshot?.maxCells ?? 0);
    const partBytes = request.kind === "map" ? request.maxBytes : Infinity;
    this.maxBytes = withHeaders(cellBytes, partBytes);
  }

  get now(): number {
    return this.#options.now;
  }

  get isCurrent(): boolean {
    const { layer } = selectionOf(this.#request);
    return this.#revision === this.#options.map.revisionOf(layer) &&
      (this.#snapshot?.isCurrent ?? true);
  }

  replyTo(
    request: MapRequest,
    now: number,
    maxBytes = Infinity,
  ): Reply | undefined {
    const { replyTopic: topic, correlationData } = request;
    const { body } = this;
    if (request.kind === "original" || request.format === "original") {
      if (body.bytes > maxBytes) {
        throw tooLarge(request, body.bytes, maxBytes, TOO_LARGE_HINT);
      }
      return { topic, body, correlationData, contentType: undefined };
    }
    const own = this.#bodyFor(request, now);
    if (own === undefined) return undefined;
    const contentType = request.format === "csv"
      ? "text/csv"
      : "application/json";
    return { topic, body: own, correlationData, contentType };
  }

  override close(): void {
    this.#snapshot?.close();
  }

  /** Of the tiles with changes, often only a few cells have changed. */
  protected override mayBeSmall(smallBytes: number): boolean {
    const { since = 0 } = selectionOf(this.#request);
    return since > 0 && this.maxBytes <= MAX_DELTA_RATIO * smallBytes;
  }

  #bodyFor(request: LayerMapRequest, now: number): ReplyBody | undefined {
    if (request === this.#request) return this.body;
    const header = encodeReplyHeader(this.#writerOptions(request, now));
    return this.withHeader(header, request.format as "json" | "csv");
  }

  #writerOptions(
    request: LayerMapRequest,
    now = this.#options.now,
  ): ReplyWriterOptions {
    const { map, displayOf, maxBytes = Infinity } = this.#options;
    const { transaction, layer, format } = request;
    const display = displayOf?.(layer);
    const began = this.#began;
    return {
      ...(transaction !== undefined && { transaction }),
      layer,
      revision: this.#revision,
      time: now,
      staleAfter: map.ageingOf(layer).staleAfter,
      ...(began !== undefined && { began }),
      ...(display !== undefined && { display }),
      format: format as "json" | "csv",
      maxBytes: Math.min(request.maxBytes, maxBytes),
    };
  }
}

function selectionOf(
  request: MapRequest,
): Pick<LayerMapRequest, "layer" | "region" | "since"> {
  return request.kind === "original" ? { layer: DEFAULT_LAYER } : request;
}

function* written(
  snapshot: LayerSnapshot | undefined,
  writer: ReplyWriter,
): Generator<void, PartList> {
  let cells = 0;
  let tiles = 0;
  for (let count; (count = snapshot?.readTile(rows)) !== undefined;) {
    const { x, y, value, time } = rows;
    for (let i = 0; i < count; i++) {
      writer.cell(x[i]!, y[i]!, value[i]!, time[i]!);
    }
    cells += count;
    if (cells < STEP_CELLS && ++tiles < MAX_STEP_TILES) continue;
    cells = tiles = 0;
    yield;
  }
  return writer.end();
}

function* original(
  snapshot: LayerSnapshot | undefined,
): Generator<void, ReplyBody> {
  return singlePart(yield* writeOriginal(snapshot));
}
