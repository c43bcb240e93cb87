/**
 * Writes replies with the states of zones, and joins their parts.
 *
 * @module
 */

import { encodeHeaderStart, PartWriter } from "./part_writer.ts";
import { PartAssembler } from "./reply_assembler.ts";
import type { ZonesPart, ZonesReplyHeader } from "./reply_reader.ts";

/** Options of {@linkcode ZonesReplyWriter}. */
export interface ZonesReplyOptions extends ZonesReplyHeader {
  /** Maximum size of a part in bytes, {@linkcode MIN_PART_BYTES} or more. */
  readonly maxBytes: number;
}

/**
 * Writes the states of zones directly into the parts to publish.
 *
 * @example
 * ```ts
 * import { ZonesReplyWriter } from "./zones_reply.ts";
 *
 * const writer = new ZonesReplyWriter({
 *   revision: 812,
 *   time: 1700000000000,
 *   maxBytes: 262144,
 * });
 * writer.zone('{"zone":"lobby","occupied":true}');
 * console.log(new TextDecoder().decode(writer.finish()[0]));
 * // {"status":"ok",…,"zones":[{"zone":"lobby","occupied":true}]}
 * ```
 */
export class ZonesReplyWriter extends PartWriter {
  /**
   * Starts a reply.
   *
   * @param options header and maximum size of parts
   * @throws {RangeError} if a part cannot hold the header
   */
  constructor(options: ZonesReplyOptions) {
    const headerStart = encodeZonesHeader(options);
    super({ headerStart, form: "zones", maxBytes: options.maxBytes });
  }

  /**
   * Adds a zone.
   *
   * @param json its state as JSON
   * @throws {RangeError} if it does not fit a part
   */
  zone(json: string): void {
    this.element(json);
  }
}

/** Encodes the header of a reply up to the number of the part. */
export function encodeZonesHeader(
  { transaction, revision, time }: ZonesReplyHeader,
): string {
  return encodeHeaderStart({ transaction, status: "ok", revision, time });
}

/** Joins the parts of one reply with zones. */
export class ZonesAssembler extends PartAssembler<ZonesPart> {
  constructor() {
    super(["transaction", "revision", "time", "parts"]);
  }

  /**
   * Returns all zones, in the order in which the server wrote them.
   *
   * @throws {Error} if parts are missing
   */
  zones(): unknown[] {
    return this.inOrder().flatMap(({ zones }) => zones);
  }
}
