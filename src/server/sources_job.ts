/**
 * Writes the list of sources for a reply, in slices.
 *
 * @module
 */
import {
  encodeSourcesHeader,
  MIN_PART_BYTES,
  type ParsedRequest,
  type PartList,
  ProtocolError,
  type SourceList,
  type SourcesReplyHeader,
  SourcesReplyWriter,
  type SourcesRequest,
} from "../protocol/mod.ts";
import { quote } from "../protocol/text.ts";
import type { Reply, ReplyBody } from "./reply.ts";
import { ReplyJob, requestError, tooLarge, withHeaders } from "./reply_job.ts";

/** Approximate bytes of a source with a name of 30 characters. */
const SOURCE_BYTES = 220;
/** Sources of a step: less than a millisecond of work. */
const STEP_SOURCES = 256;
const TOO_LARGE_HINT =
  "Raise the maximum packet size of the broker, or maxBytes of the request.";

/** The sources that a request selects, as of the construction. */
export class SourcesJob extends ReplyJob {
  readonly maxBytes: number;
  /** The ages and rates change without readings. */
  readonly isCurrent = false;
  protected readonly work: Generator<void, ReplyBody>;
  readonly #request: SourcesRequest;
  readonly #list: SourceList;

  /**
   * Begins to write a list.
   *
   * @param maxBytes maximum payload that the broker accepts, in bytes
   * @throws {RequestError} "too-large" if the broker accepts no part
   */
  constructor(request: SourcesRequest, list: SourceList, maxBytes: number) {
    super();
    this.#request = request;
    this.#list = list;
    if (maxBytes < MIN_PART_BYTES) {
      throw tooLarge(request, MIN_PART_BYTES, maxBytes, TOO_LARGE_HINT);
    }
    const partBytes = Math.min(request.maxBytes, maxBytes);
    const bytes = SOURCE_BYTES * list.sources.length;
    this.maxBytes = withHeaders(bytes, partBytes);
    this.work = this.#written(partBytes);
  }

  get now(): number {
    return this.#list.time;
  }

  replyTo(request: ParsedRequest): Reply | undefined {
    const { replyTopic: topic, correlationData } = request;
    const body = request === this.#request
      ? this.body
      : this.withHeader(encodeSourcesHeader(this.#headerFor(request)), "json");
    if (body === undefined) return undefined;
    return { topic, body, correlationData, contentType: "application/json" };
  }

  /** @throws {RequestError} "too-large" */
  *#written(partBytes: number): Generator<void, PartList> {
    const request = this.#request;
    const writer = this.#writer(partBytes);
    for (const [i, state] of this.#list.sources.entries()) {
      if (i % STEP_SOURCES === STEP_SOURCES - 1) yield;
      try {
        writer.source(state);
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        const what = `the source ${quote(state.source)}`;
        throw doesNotFit(request, what, partBytes);
      }
    }
    return writer.end();
  }

  #writer(maxBytes: number): SourcesReplyWriter {
    const request = this.#request;
    const header = this.#headerFor(request);
    try {
      return new SourcesReplyWriter({ ...header, maxBytes });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw doesNotFit(request, "the header", maxBytes);
    }
  }

  #headerFor(request: ParsedRequest): SourcesReplyHeader {
    const { sources: _, ...header } = this.#list;
    const transaction = request.kind === "sources"
      ? request.transaction
      : undefined;
    return { ...(transaction !== undefined && { transaction }), ...header };
  }
}

function doesNotFit(request: SourcesRequest, what: string, partBytes: number) {
  const error = new ProtocolError(
    "too-large",
    `${what} does not fit a part of ${partBytes} bytes`,
    { hint: TOO_LARGE_HINT },
  );
  return requestError(request, error);
}
