/**
 * Writes the cells of a reply in slices, for one request or for several that
 * select the same cells.
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
  encodePartHeader,
  encodeReplyHeader,
  type LayerDisplay,
  type LayerMapRequest,
  type MapRequest,
  MIN_PART_BYTES,
  type PartList,
  ProtocolError,
  ReplyWriter,
  type ReplyWriterOptions,
  RequestError,
} from "../protocol/mod.ts";
import { writeOriginal } from "./original_reply.ts";
import { type Reply, type ReplyBody, singlePart } from "./reply.ts";

/** Shared by all replies: each tile is written from it at once. */
const rows = new CellRows();
/** Approximate bytes of a cell in a reply. */
const CELL_BYTES = 30;
/** Approximate bytes of the header of a part. */
const HEADER_BYTES = 160;
/** Steps of this many tiles without cells take as long as one with cells. */
const MAX_STEP_TILES = 64;
/** A delta may be small if its tiles have at most this many times the size. */
const MAX_DELTA_RATIO = 8;
/** Cells of a step. */
const STEP_CELLS = 1024;

/** Options of {@linkcode ReplyJob}. */
export interface ReplyJobOptions {
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

/**
 * Identifies the cells that a request selects, and the form in which they are
 * written. The replies to requests with the same key differ in their headers
 * only.
 *
 * @param maxBytes maximum payload that the broker accepts, in bytes
 */
export function cellsKeyOf(request: MapRequest, maxBytes: number): string {
  if (request.kind === "original") return "original";
  const { layer, region, since, format } = request;
  const parts = format === "original"
    ? format
    : `${format} ${Math.min(request.maxBytes, maxBytes)}`;
  return JSON.stringify([
    layer,
    region && [region.x0, region.y0, region.x1, region.y1],
    since,
    parts,
  ]);
}

/** Returns a text that is equal for requests with equal replies. */
export function identityOf(request: MapRequest): string {
  const { correlationData, ...rest } = request;
  const data = correlationData?.join(",");
  return request.kind === "original"
    ? `original ${data}`
    : JSON.stringify([rest, data]);
}

/**
 * The cells that a request selects, all at the revision of the construction.
 * Call {@linkcode ReplyJob.step} until it returns true, then
 * {@linkcode ReplyJob.replyTo}; or {@linkcode ReplyJob.close}.
 */
export class ReplyJob {
  /** The revision of the map that the cells have. */
  readonly revision: number;
  /** Approximate memory of the reply at most, in bytes. */
  readonly maxBytes: number;
  readonly #options: ReplyJobOptions;
  /** See `MapMoment.began`. */
  readonly #began: number | undefined;
  readonly #grid: Grid | undefined;
  readonly #snapshot: LayerSnapshot | undefined;
  readonly #work: Generator<void, ReplyBody>;
  /** Its reply uses the parts themselves; others get copies. */
  readonly #request: MapRequest;
  #body: ReplyBody | undefined;

  /**
   * Begins to read the cells.
   *
   * @throws {RequestError} "too-large" if the broker accepts no part
   */
  constructor(request: MapRequest, options: ReplyJobOptions) {
    const { map, maxBytes = Infinity } = options;
    const { layer, region, since } = selectionOf(request);
    this.#request = request;
    this.#options = options;
    this.revision = map.revision;
    this.#began = map.beganOf(layer);
    this.#grid = map.layer(layer);
    const open = () =>
      this.#grid?.snapshot({
        ...(region && { region }),
        since: map.sinceOf(since),
      });
    if (request.kind === "original" || request.format === "original") {
      this.#snapshot = open();
      this.#work = original(this.#snapshot);
    } else {
      if (maxBytes < MIN_PART_BYTES) {
        throw tooLarge(request, MIN_PART_BYTES, maxBytes);
      }
      const writer = new ReplyWriter(this.#writerOptions(request));
      this.#snapshot = open();
      this.#work = written(this.#snapshot, writer);
    }
    const cellBytes = CELL_BYTES * (this.#snapshot?.maxCells ?? 0);
    const partBytes = request.kind === "map" ? request.maxBytes : Infinity;
    this.maxBytes = cellBytes * (1 + HEADER_BYTES / partBytes);
  }

  /** The time at which the cells are correct, ms since 1970. */
  get now(): number {
    return this.#options.now;
  }

  /** The memory of the reply, see {@linkcode ReplyBody.owner}. */
  get owner(): object {
    return this.#body ?? this;
  }

  /** True if the map has not been written to since the construction. */
  get isCurrent(): boolean {
    return this.revision === this.#options.map.revision &&
      (this.#snapshot?.isCurrent ?? true);
  }

  /** True if all cells are written. */
  get isDone(): boolean {
    return this.#body !== undefined;
  }

  /**
   * Writes cells.
   *
   * @param until when to stop, by `performance.now()`; at least one slice is
   * written
   * @returns true if all cells are written
   * @throws {SnapshotLostError} if the layer changes too fast; begin again
   */
  step(until: number): boolean {
    try {
      while (this.#body === undefined) {
        const { done, value } = this.#work.next();
        if (done) this.#body = value;
        else if (performance.now() >= until) return false;
      }
      return true;
    } catch (error) {
      this.close(); // out of memory, for example
      throw error;
    }
  }

  /**
   * Writes all cells if they are few.
   *
   * @param smallBytes a reply of at most this size is small
   * @param maxMs time for a reply that may turn out to be small, in ms
   * @returns true if all cells are written
   */
  writeIfSmall(smallBytes: number, maxMs: number): boolean {
    if (this.maxBytes <= smallBytes) return this.step(Infinity);
    // Of the tiles with changes, often only a few cells have changed.
    const { since = 0 } = selectionOf(this.#request);
    return since > 0 &&
      this.maxBytes <= MAX_DELTA_RATIO * smallBytes &&
      this.step(performance.now() + maxMs);
  }

  /**
   * Returns the reply to a request with the same cells, see
   * {@linkcode cellsKeyOf}. Only after {@linkcode ReplyJob.step} returned true.
   *
   * @param now the time at which the map is correct, ms since 1970
   * @param maxBytes maximum payload that the broker accepts for this request
   * @returns undefined if its header is too long: its cells must be written
   * again
   * @throws {RequestError} "too-large" if the broker does not accept the reply
   */
  replyTo(
    request: MapRequest,
    now: number,
    maxBytes = Infinity,
  ): Reply | undefined {
    const { replyTopic: topic, correlationData } = request;
    const body = this.#body!;
    if (request.kind === "original" || request.format === "original") {
      if (body.bytes > maxBytes) {
        throw tooLarge(request, body.bytes, maxBytes);
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

  /** Releases what it reads. Safe to call twice. */
  close(): void {
    this.#snapshot?.close();
  }

  #bodyFor(request: LayerMapRequest, now: number): ReplyBody | undefined {
    const parts = this.#body as PartList;
    if (request === this.#request) return parts;
    const header = encodePartHeader(
      encodeReplyHeader(this.#writerOptions(request, now)),
      request.format as "json" | "csv",
    );
    if (!parts.accepts(header)) return undefined;
    return {
      length: parts.length,
      bytes: parts.bytes,
      owner: parts,
      part: (index) => parts.partWith(index, header),
    };
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
      revision: this.revision,
      time: now,
      staleAfter: map.ageing.staleAfter,
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
  return requestError(request, error);
}

/** Returns the error of a request, with all that an error reply needs. */
export function requestError(
  request: MapRequest,
  error: ProtocolError,
): RequestError {
  const transaction = request.kind === "map" ? request.transaction : undefined;
  return new RequestError(error, request, transaction);
}
