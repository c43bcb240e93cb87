/**
 * Writes the map as it was at a time for a reply, in slices.
 *
 * @module
 */
import { statusOf } from "../grid/status.ts";
import type { PastCells, PastMap } from "../history/answers.ts";
import {
  encodePastHeader,
  type LayerDisplay,
  MIN_PART_BYTES,
  OriginalWriter,
  type PartList,
  type PastMapRequest,
  type PastReplyOptions,
  PastReplyWriter,
} from "../protocol/mod.ts";
import { type Reply, type ReplyBody, singlePart } from "./reply.ts";
import { ReplyJob, tooLarge, withHeaders } from "./reply_job.ts";

/** Approximate bytes of a cell in a reply. */
const CELL_BYTES = 32;
/** Cells of a step: less than a millisecond of work. */
const STEP_CELLS = 1024;

const TOO_LARGE_HINT = "Request a region, or a format that is sent in parts.";

/** Options of {@linkcode PastJob}. */
export interface PastJobOptions {
  /** What the history has answered. */
  readonly map: PastMap;
  /** The server's clock, ms since 1970. */
  readonly now: number;
  readonly display: LayerDisplay | undefined;
  /** Maximum payload that the broker accepts, in bytes. */
  readonly maxBytes: number;
}

/** The cells of the past that a request selects. */
export class PastJob extends ReplyJob {
  readonly maxBytes: number;
  /** Late readings may change the past. */
  readonly isCurrent = false;
  protected readonly work: Generator<void, ReplyBody>;
  readonly #request: PastMapRequest;
  readonly #options: PastJobOptions;

  /**
   * Begins to write.
   *
   * @throws {RequestError} "too-large" if the broker accepts no part
   */
  constructor(request: PastMapRequest, options: PastJobOptions) {
    super();
    this.#request = request;
    this.#options = options;
    const { map: { cells }, maxBytes } = options;
    if (request.format === "original") {
      this.work = original(cells);
      this.maxBytes = CELL_BYTES * cells.length;
      return;
    }
    if (maxBytes < MIN_PART_BYTES) {
      throw tooLarge(request, MIN_PART_BYTES, maxBytes, TOO_LARGE_HINT);
    }
    this.work = written(cells, new PastReplyWriter(this.#header(request)));
    const cellBytes = CELL_BYTES * cells.length;
    this.maxBytes = withHeaders(cellBytes, request.maxBytes);
  }

  get now(): number {
    return this.#options.now;
  }

  replyTo(
    request: PastMapRequest,
    _now: number,
    maxBytes = Infinity,
  ): Reply | undefined {
    const { replyTopic: topic, correlationData, format } = request;
    if (format === "original") {
      const { body } = this;
      if (body.bytes > maxBytes) {
        throw tooLarge(request, body.bytes, maxBytes, TOO_LARGE_HINT);
      }
      return { topic, body, correlationData, contentType: undefined };
    }
    const body = request === this.#request
      ? this.body
      : this.withHeader(encodePastHeader(this.#header(request)), format);
    if (body === undefined) return undefined;
    const contentType = format === "csv" ? "text/csv" : "application/json";
    return { topic, body, correlationData, contentType };
  }

  #header({ transaction, format, ...request }: PastMapRequest) {
    const { map, now, display, maxBytes } = this.#options;
    const options: PastReplyOptions = {
      ...(transaction !== undefined && { transaction }),
      ...{ layer: map.layer, at: map.at, gap: map.gap, time: now },
      ...(map.damaged && { damaged: true }),
      ...(display !== undefined && { display }),
      format: format === "csv" ? "csv" : "json",
      maxBytes: Math.min(request.maxBytes, maxBytes),
    };
    return options;
  }
}

function* written(
  { length, x, y, value, since, stale }: PastCells,
  writer: PastReplyWriter,
): Generator<void, PartList> {
  for (let i = 0; i < length; i++) {
    const status = statusOf(value[i]!, stale[i] === 1);
    writer.state(x[i]!, y[i]!, value[i]!, since[i]!, status);
    if (i % STEP_CELLS === STEP_CELLS - 1) yield;
  }
  return writer.end();
}

function* original(
  { length, x, y, value }: PastCells,
): Generator<void, ReplyBody> {
  const writer = new OriginalWriter(length);
  for (let i = 0; i < length; i++) {
    writer.cell(x[i]!, y[i]!, value[i]!);
    if (i % STEP_CELLS === STEP_CELLS - 1) yield;
  }
  return singlePart(writer.finish());
}
