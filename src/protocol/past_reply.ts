/**
 * Writes replies with the map as it was at a time, and joins their parts.
 *
 * @module
 */

import { encodeHeaderStart, PartWriter } from "./part_writer.ts";
import { PartAssembler } from "./reply_assembler.ts";
import type { PastCell, PastPart, PastReplyHeader } from "./reply_reader.ts";
import { encodeText } from "./text.ts";

/** The bytes of a part without the start of the header, for one cell. */
const PART_RESERVE_BYTES = 160;

/** Options of {@linkcode PastReplyWriter}. */
export interface PastReplyOptions extends PastReplyHeader {
  /** JSON, or CSV after a header line that starts with `#`. */
  readonly format: "json" | "csv";
  /** Maximum size of a part in bytes, {@linkcode MIN_PART_BYTES} or more. */
  readonly maxBytes: number;
}

/** Writes cells of the past directly into the parts to publish. */
export class PastReplyWriter extends PartWriter {
  readonly #isCsv: boolean;

  /**
   * Starts a reply.
   *
   * @param options header, format and maximum size of parts
   * @throws {RangeError} if a part cannot hold the header and a cell
   */
  constructor(options: PastReplyOptions) {
    const { format, maxBytes } = options;
    const form = format === "csv" ? "past-csv" : "cells";
    super({ headerStart: encodePastHeader(options), form, maxBytes });
    this.#isCsv = format === "csv";
  }

  /**
   * Adds a cell.
   *
   * @param x int32
   * @param y int32
   * @param value int32
   * @param since when the state began, ms since 1970; NaN if not known
   * @param status its status; only CSV has the names
   */
  state(
    x: number,
    y: number,
    value: number,
    since: number,
    status: "free" | "occupied" | "stale" | "unknown",
  ): void {
    const isKnown = !Number.isNaN(since);
    if (this.#isCsv) {
      this.element(`${x},${y},${value},${status},${isKnown ? since : ""}`);
    } else {
      const time = isKnown ? since : "null";
      const stale = status === "stale" ? 1 : 0;
      this.element(`[${x},${y},${value},${time},${stale}]`);
    }
  }
}

/** Encodes the header of a reply up to the number of the part. */
export function encodePastHeader(options: PastReplyOptions): string {
  const { transaction, layer, at, gap, damaged, time, display, maxBytes } =
    options;
  const header = {
    transaction, // omitted if undefined
    status: "ok",
    ...{ layer, at, gap, damaged, time },
  };
  const headerStart = encodeHeaderStart({ ...header, display });
  return display !== undefined &&
      encodeText(headerStart).length + PART_RESERVE_BYTES > maxBytes
    ? encodeHeaderStart(header)
    : headerStart;
}

/** Joins the parts of one reply. */
export class PastAssembler extends PartAssembler<PastPart> {
  constructor() {
    super(["transaction", "layer", "at", "gap", "time", "parts"]);
  }

  /**
   * Returns all cells, in the order in which the server wrote them.
   *
   * @throws {Error} if parts are missing
   */
  cells(): PastCell[] {
    return this.inOrder().flatMap(({ past }) => past);
  }
}
