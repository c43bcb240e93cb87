import { openHeader, PartWriter } from "./part_writer.ts";
import { type ReplyHeader, sharedFields } from "./response.ts";

/** Options of {@linkcode ReplyWriter}. */
export interface ReplyWriterOptions extends ReplyHeader {
  /** JSON, or CSV after a header line that starts with `#`. */
  readonly format: "json" | "csv";
  /** Maximum size of a part in bytes, {@linkcode MIN_PART_BYTES} or more. */
  readonly maxBytes: number;
}

/**
 * Writes a reply cell by cell, directly into the parts to publish.
 *
 * @example
 * ```ts
 * import { ReplyWriter } from "./reply_writer.ts";
 *
 * const writer = new ReplyWriter({
 *   layer: "default",
 *   revision: 812,
 *   time: 1700000000000,
 *   format: "json",
 *   maxBytes: 262144,
 * });
 * writer.cell(1, 2, 1, 1699999999000);
 * const parts = writer.finish();
 * console.log(new TextDecoder().decode(parts[0]));
 * // {"status":"ok","layer":"default",…,"cells":[[1,2,1,1699999999000]]}
 * ```
 */
export class ReplyWriter extends PartWriter {
  /**
   * Starts a reply.
   *
   * @param options header, format and maximum size of parts
   * @throws {RangeError} if a part cannot hold the header and a cell
   */
  constructor(options: ReplyWriterOptions) {
    const { transaction, layer, revision, format, maxBytes } = options;
    const start = openHeader({
      transaction, // omitted if undefined
      status: "ok",
      layer,
      revision,
      ...sharedFields(options),
    });
    super({ start, format, maxBytes });
  }
}
