/**
 * Writes the body of a reply in slices, for one request or for several that
 * select the same.
 *
 * @module
 */
import {
  encodePartHeader,
  type ParsedRequest,
  type PartList,
  ProtocolError,
  type Region,
  RequestError,
} from "../protocol/mod.ts";
import type { Reply, ReplyBody } from "./reply.ts";

/** Approximate bytes of the header of a part. */
const HEADER_BYTES = 160;

/**
 * Identifies what a request selects, and the form in which it is written. The
 * replies to requests with the same key differ in their headers only.
 *
 * @param maxBytes maximum payload that the broker accepts, in bytes
 */
export function bodyKeyOf(request: ParsedRequest, maxBytes: number): string {
  if (request.kind === "original") return "original";
  const partBytes = Math.min(request.maxBytes, maxBytes);
  if (request.kind === "zones") {
    return JSON.stringify(["zones", request.names, partBytes]);
  }
  if (request.kind === "sources") {
    const { limit, contains } = request.query;
    return JSON.stringify(["sources", limit, contains, partBytes]);
  }
  if (request.kind === "series") {
    const { zone, layer, region, from, to, step, timezone } = request;
    const what = [zone, layer, cornersOf(region), from, to, step, timezone];
    return JSON.stringify(["series", ...what, partBytes]);
  }
  if (request.kind === "past") {
    const { layer, region, at, timezone, format } = request;
    const what = [layer, cornersOf(region), at, timezone, format];
    return JSON.stringify(["past", ...what, partBytes]);
  }
  const { layer, region, since, format } = request;
  return JSON.stringify([
    layer,
    cornersOf(region),
    since,
    format === "original" ? format : `${format} ${partBytes}`,
  ]);
}

function cornersOf(region: Region | undefined): number[] | undefined {
  return region && [region.x0, region.y0, region.x1, region.y1];
}

/** Returns a text that is equal for requests with equal replies. */
export function identityOf(request: ParsedRequest): string {
  const { correlationData, ...rest } = request;
  const data = correlationData?.join(",");
  return request.kind === "original"
    ? `original ${data}`
    : JSON.stringify([rest, data]);
}

/**
 * What a request selects, all of one moment. Call {@linkcode ReplyJob.step}
 * until it returns true, then {@linkcode ReplyJob.replyTo}; or {@linkcode
 * ReplyJob.close}.
 */
export abstract class ReplyJob {
  /** Approximate memory of the reply at most, in bytes. */
  abstract readonly maxBytes: number;
  /** The time at which the reply is correct, ms since 1970. */
  abstract readonly now: number;
  /** True if what the request selects is certainly the same as at `now`. */
  abstract readonly isCurrent: boolean;
  /** Writes a slice at each step. */
  protected abstract readonly work: Generator<void, ReplyBody>;
  #body: ReplyBody | undefined;

  /** The memory of the reply, see {@linkcode ReplyBody.owner}. */
  get owner(): object {
    return this.#body ?? this;
  }

  /** True if all is written. */
  get isDone(): boolean {
    return this.#body !== undefined;
  }

  /**
   * Writes.
   *
   * @param until when to stop, by `performance.now()`; at least one slice is
   * written
   * @returns true if all is written
   * @throws {SnapshotLostError} if the layer changes too fast; begin again
   * @throws {RequestError} if the request cannot be answered
   */
  step(until: number): boolean {
    try {
      while (this.#body === undefined) {
        const { done, value } = this.work.next();
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
   * Writes all if it is little.
   *
   * @param smallBytes a reply of at most this size is small
   * @param maxMs time for a reply that may turn out to be small, in ms
   * @returns true if all is written
   */
  writeIfSmall(smallBytes: number, maxMs: number): boolean {
    if (this.maxBytes <= smallBytes) return this.step(Infinity);
    return this.mayBeSmall(smallBytes) &&
      this.step(performance.now() + maxMs);
  }

  /**
   * Returns the reply to a request with the same key, see
   * {@linkcode bodyKeyOf}. Only after {@linkcode ReplyJob.step} returned true.
   *
   * @param now the time at which the reply is correct, ms since 1970
   * @param maxBytes maximum payload that the broker accepts for this request
   * @returns undefined if its header is too long: it must be written again
   * @throws {RequestError} "too-large" if the broker does not accept the reply
   */
  abstract replyTo(
    request: ParsedRequest,
    now: number,
    maxBytes?: number,
  ): Reply | undefined;

  /** Releases what it reads. Safe to call twice. */
  close(): void {}

  /** Returns true if a reply of unknown size may turn out to be small. */
  protected mayBeSmall(_smallBytes: number): boolean {
    return false;
  }

  /** What is written; only after {@linkcode ReplyJob.step} returned true. */
  protected get body(): ReplyBody {
    return this.#body!;
  }

  /**
   * Returns the written parts with another header.
   *
   * @param headerStart see `encodeHeaderStart`
   * @returns undefined if the header is too long
   */
  protected withHeader(
    headerStart: string,
    format: "json" | "csv",
  ): ReplyBody | undefined {
    const parts = this.#body as PartList;
    const header = encodePartHeader(headerStart, format);
    if (!parts.accepts(header)) return undefined;
    return {
      length: parts.length,
      bytes: parts.bytes,
      owner: parts,
      part: (index) => parts.partWith(index, header),
    };
  }
}

/**
 * Estimates the memory of a reply, in bytes.
 *
 * @param bytes that of what it contains
 * @param partBytes maximum size of a part
 */
export function withHeaders(bytes: number, partBytes: number): number {
  return bytes * (1 + HEADER_BYTES / partBytes);
}

/** Returns the error for a reply that the broker does not accept. */
export function tooLarge(
  request: ParsedRequest,
  bytes: number,
  maxBytes: number,
  hint: string,
): RequestError {
  const error = new ProtocolError(
    "too-large",
    `the reply has ${bytes} bytes, and the broker accepts ${maxBytes} in a message`,
    { hint },
  );
  return requestError(request, error);
}

/** Returns the error of a request, with all that an error reply needs. */
export function requestError(
  request: ParsedRequest,
  error: ProtocolError,
): RequestError {
  const transaction = request.kind === "original"
    ? undefined
    : request.transaction;
  return new RequestError(error, request, transaction);
}
