/**
 * Writes a list for a reply, in slices: the states of zones, or the sources.
 *
 * @module
 */
import {
  MIN_PART_BYTES,
  type ParsedRequest,
  type PartList,
  ProtocolError,
  type RequestError,
  type Scalar,
} from "../protocol/mod.ts";
import type { Reply, ReplyBody } from "./reply.ts";
import { ReplyJob, requestError, tooLarge, withHeaders } from "./reply_job.ts";

const TOO_LARGE_HINT =
  "Raise the maximum packet size of the broker, or maxBytes of the request.";

/** A request for a list in parts. */
type ListRequest = Extract<ParsedRequest, { maxBytes: number }>;

/** Options of {@linkcode ListJob}. */
export interface ListJobOptions {
  /** The number of items. */
  readonly count: number;
  /** Approximate bytes of one. */
  readonly itemBytes: number;
  /** Maximum payload that the broker accepts, in bytes. */
  readonly maxBytes: number;
}

/** The list that a request selects. */
export abstract class ListJob<Request extends ListRequest> extends ReplyJob {
  readonly maxBytes: number;
  /** What is listed changes without readings. */
  readonly isCurrent = false;
  protected readonly work: Generator<void, ReplyBody>;
  protected readonly request: Request;
  /** Maximum size of a part, in bytes. */
  protected readonly partBytes: number;

  /** @throws {RequestError} "too-large" if the broker accepts no part */
  constructor(
    request: Request,
    { count, itemBytes, maxBytes }: ListJobOptions,
  ) {
    super();
    if (maxBytes < MIN_PART_BYTES) {
      throw tooLarge(request, MIN_PART_BYTES, maxBytes, TOO_LARGE_HINT);
    }
    this.request = request;
    this.partBytes = Math.min(request.maxBytes, maxBytes);
    this.maxBytes = withHeaders(itemBytes * count, this.partBytes);
    this.work = this.write();
  }

  replyTo(request: ParsedRequest): Reply | undefined {
    const { replyTopic: topic, correlationData } = request;
    const body = request === this.request
      ? this.body
      : this.withHeader(this.headerStart(request), "json");
    if (body === undefined) return undefined;
    return { topic, body, correlationData, contentType: "application/json" };
  }

  /**
   * Writes all parts; begins with the first step.
   *
   * @throws {RequestError} if the request cannot be answered
   */
  protected abstract write(): Generator<void, PartList>;

  /** Returns the start of the header for a request: see `encodeHeaderStart`. */
  protected abstract headerStart(request: ParsedRequest): string;

  /** Returns the member `transaction` of the header for a request. */
  protected transactionOf(request: ParsedRequest): { transaction?: Scalar } {
    if (request.kind === "original" || request.transaction === undefined) {
      return {};
    }
    return { transaction: request.transaction };
  }

  /**
   * Does a part of the writing.
   *
   * @param what is written, for the error
   * @throws {RequestError} "too-large" if it does not fit a part
   */
  protected fit<T>(what: () => string, write: () => T): T {
    try {
      return write();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw this.#doesNotFit(what());
    }
  }

  #doesNotFit(what: string): RequestError {
    const error = new ProtocolError(
      "too-large",
      `${what} does not fit a part of ${this.partBytes} bytes`,
      { hint: TOO_LARGE_HINT },
    );
    return requestError(this.request, error);
  }
}
