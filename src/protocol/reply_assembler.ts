import { ReadingBatch } from "./batch.ts";
import { ProtocolError } from "./errors.ts";
import type { ReplyPart } from "./reply_reader.ts";

/**
 * Joins the parts of one reply. They may arrive in any order and more than once
 * (QoS 1 allows it).
 *
 * @example
 * ```ts
 * import { ReplyAssembler } from "./reply_assembler.ts";
 * import { parseReply } from "./reply_reader.ts";
 * import { ReplyWriter } from "./reply_writer.ts";
 *
 * const writer = new ReplyWriter({
 *   layer: "default",
 *   revision: 1,
 *   time: 0,
 *   format: "csv",
 *   maxBytes: 1024,
 * });
 * writer.cell(1, 2, 1, 0);
 *
 * const assembler = new ReplyAssembler();
 * for (const payload of writer.finish()) {
 *   const reply = parseReply(payload);
 *   if (reply.status === "ok") assembler.add(reply);
 * }
 * console.log(assembler.complete, assembler.cells().length); // true 1
 * ```
 */
export class ReplyAssembler {
  readonly #parts = new Map<number, ReplyPart>();
  #first: ReplyPart | undefined;

  /** The first part that arrived, with the shared header; undefined before. */
  get header(): ReplyPart | undefined {
    return this.#first;
  }

  /** Number of different parts that arrived. */
  get received(): number {
    return this.#parts.size;
  }

  /** True when all parts have arrived. */
  get complete(): boolean {
    return this.#parts.size === this.#first?.parts;
  }

  /**
   * Returns true if a part may be of this reply: if it has the same header.
   *
   * @param part the part
   */
  accepts(part: ReplyPart): boolean {
    return this.#first === undefined ||
      differenceOf(this.#first, part) === undefined;
  }

  /**
   * Adds a part.
   *
   * @param part a part in any order; repeated parts are ignored
   * @returns {@linkcode complete}
   * @throws {ProtocolError} "bad-part" if the part is from another reply
   */
  add(part: ReplyPart): boolean {
    this.#first ??= part;
    const difference = differenceOf(this.#first, part);
    if (difference !== undefined) {
      throw new ProtocolError(
        "bad-part",
        `part ${part.part} of the reply has another ${difference} than the first`,
      );
    }
    if (!this.#parts.has(part.part)) this.#parts.set(part.part, part);
    return this.complete;
  }

  /**
   * Returns all cells, in the order in which the server wrote them.
   *
   * @throws {Error} if parts are missing
   */
  cells(): ReadingBatch {
    if (!this.complete) {
      const parts = this.#first?.parts ?? "unknown";
      throw new Error(
        `Cannot return the cells: ${this.received} of ${parts} parts have arrived`,
      );
    }
    let length = 0;
    for (const { cells } of this.#parts.values()) length += cells.length;
    const all = new ReadingBatch(length);
    for (let part = 1; part <= this.#parts.size; part++) {
      all.append(this.#parts.get(part)!.cells);
    }
    return all;
  }
}

const SHARED = [
  "transaction",
  "layer",
  "revision",
  "time",
  "staleAfter",
  "began",
  "parts",
] as const;

/** Returns the first header field in which two parts differ. */
function differenceOf(a: ReplyPart, b: ReplyPart): string | undefined {
  return SHARED.find((key) => a[key] !== b[key]);
}
