import { openHeader, PartWriter } from "./part_writer.ts";
import { type ReplyHeader, sharedFields } from "./response.ts";

/** Options of {@linkcode ReplyWriter}. */
export interface ReplyWriterOptions extends ReplyHeader {
  /** JSON, or CSV behind a header line that starts with `#`. */
  readonly format: "json" | "csv";
  /** The most bytes of a part; {@linkcode LEAST_MAX_BYTES} or more. */
  readonly maxBytes: number;
}

/**
 * Writes a reply cell by cell, straight into the parts that will be published.
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
   * @param options The header, the form and the size of parts
   * @throws {RangeError} If a part cannot hold the header and a cell
   */
  constructor(options: ReplyWriterOptions) {
    const { transaction, layer, revision, format, maxBytes } = options;
    const start = openHeader({
      transaction, // left out if undefined
      status: "ok",
      layer,
      revision,
      ...sharedFields(options),
    });
    super({ start, format, maxBytes });
  }
}
