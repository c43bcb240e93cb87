/**
 * Writes replies with sources of readings, joins their parts and reads them.
 *
 * @module
 */

import { ProtocolError } from "./errors.ts";
import { encodeHeaderStart, PartWriter } from "./part_writer.ts";
import { PartAssembler } from "./reply_assembler.ts";
import type { SourcesPart } from "./reply_reader.ts";
import type { Scalar } from "./request.ts";
import type { SourceActivity, SourceList, SourceState } from "./sources.ts";
import { describeJson, isCount, isJsonObject } from "./text.ts";

/** The header of a reply: all but the sources themselves. */
export interface SourcesReplyHeader extends Omit<SourceList, "sources"> {
  /** The transaction of the request; absent if it had none. */
  readonly transaction?: Scalar;
}

/** Options of {@linkcode SourcesReplyWriter}. */
export interface SourcesReplyOptions extends SourcesReplyHeader {
  /** Maximum size of a part in bytes, {@linkcode MIN_PART_BYTES} or more. */
  readonly maxBytes: number;
}

/** Writes sources directly into the parts to publish. */
export class SourcesReplyWriter extends PartWriter {
  /**
   * Starts a reply.
   *
   * @param options header and maximum size of parts
   * @throws {RangeError} if a part cannot hold the header
   */
  constructor({ maxBytes, ...header }: SourcesReplyOptions) {
    const headerStart = encodeSourcesHeader(header);
    super({ headerStart, form: "sources", maxBytes });
  }

  /**
   * Adds a source.
   *
   * @throws {RangeError} if it does not fit a part
   */
  source(state: SourceState): void {
    this.element(JSON.stringify(state));
  }
}

/** Encodes the header of a reply up to the number of the part. */
export function encodeSourcesHeader(
  { transaction, ...list }: SourcesReplyHeader,
): string {
  return encodeHeaderStart({ transaction, status: "ok", ...list });
}

/** Joins the parts of one reply with sources. */
export class SourcesAssembler extends PartAssembler<SourcesPart> {
  constructor() {
    super(["transaction", "time", "parts"]);
  }

  /**
   * Returns the list.
   *
   * @throws {ProtocolError} "bad-reply" if it is not valid
   * @throws {Error} if parts are missing
   */
  list(): SourceList {
    const sources = this.inOrder().flatMap(({ sources }) => sources);
    return readSourceList(this.header!.head, sources);
  }
}

/**
 * Reads a list of sources, as `JSON.stringify` writes it. Unknown keys are
 * ignored.
 *
 * @param head the list without its sources, parsed JSON
 * @param sources parsed JSON
 * @throws {ProtocolError} "bad-reply"
 */
export function readSourceList(
  head: Record<string, unknown>,
  sources: readonly unknown[],
): SourceList {
  const { unnamed, unlisted, silentAfter } = head;
  return {
    time: numberOf(head, "time"),
    began: numberOf(head, "began"),
    ...(silentAfter !== undefined &&
      { silentAfter: numberOf(head, "silentAfter") }),
    total: countOf(head, "total"),
    silent: countOf(head, "silent"),
    sources: sources.map(readState),
    ...(unnamed !== undefined && { unnamed: readActivity(unnamed) }),
    ...(unlisted !== undefined && { unlisted: readActivity(unlisted) }),
  };
}

function readState(value: unknown): SourceState {
  if (!isJsonObject(value)) return fail("a source", "an object", value);
  const { source, silent } = value;
  if (typeof source !== "string") return fail("source", "a string", source);
  if (typeof silent !== "boolean") {
    return fail("silent", "true or false", silent);
  }
  return { source, silent, ...readActivity(value) };
}

function readActivity(value: unknown): SourceActivity {
  if (!isJsonObject(value)) return fail("a count", "an object", value);
  const { lastRefused } = value;
  return {
    first: numberOf(value, "first"),
    last: numberOf(value, "last"),
    readings: countOf(value, "readings"),
    rate: numberOf(value, "rate"),
    refused: countOf(value, "refused"),
    ...(lastRefused !== undefined &&
      { lastRefused: readRefused(lastRefused) }),
  };
}

function readRefused(value: unknown): { code: string; time: number } {
  if (!isJsonObject(value)) return fail("lastRefused", "an object", value);
  const { code } = value;
  if (typeof code !== "string") return fail("code", "a string", code);
  return { code, time: numberOf(value, "time") };
}

function numberOf(body: Record<string, unknown>, key: string): number {
  const value = body[key];
  return typeof value === "number" && value >= 0
    ? value
    : fail(key, "a number of 0 or more", value);
}

function countOf(body: Record<string, unknown>, key: string): number {
  const value = body[key];
  return isCount(value) ? value : fail(key, "an integer of 0 or more", value);
}

function fail(what: string, expected: string, value: unknown): never {
  throw new ProtocolError(
    "bad-reply",
    `the reply is not valid: ${what} is not ${expected}: ${
      describeJson(value)
    }`,
  );
}
