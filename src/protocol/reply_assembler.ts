import { ReadingBatch } from "./batch.ts";
import { ProtocolError } from "./errors.ts";
import type { ReplyPart } from "./reply_reader.ts";

/**
 * Puts the parts of one reply together, in whatever order they come; a part
 * that comes twice (QoS 1 allows it) counts once.
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

  /** The first part that came, whose header all share; undefined before it. */
  get header(): ReplyPart | undefined {
    return this.#first;
  }

  /** How many different parts have come. */
  get received(): number {
    return this.#parts.size;
  }

  /** True once all parts have come. */
  get complete(): boolean {
    return this.#parts.size === this.#first?.parts;
  }

  /**
   * Takes a part.
   *
   * @returns {@linkcode complete}
   * @throws {ProtocolError} "bad-part" if it does not belong to the parts before
   */
  add(part: ReplyPart): boolean {
    this.#first ??= part;
    const odd = differenceOf(this.#first, part);
    if (odd !== undefined) {
      throw new ProtocolError(
        "bad-part",
        `part ${part.part} of the reply has another ${odd} than the first`,
      );
    }
    if (!this.#parts.has(part.part)) this.#parts.set(part.part, part);
    return this.complete;
  }

  /**
   * All cells, in the order the server wrote them.
   *
   * @throws {Error} If parts are missing
   */
  cells(): ReadingBatch {
    if (!this.complete) {
      const parts = this.#first?.parts ?? "unknown";
      throw new Error(
        `Cannot give the cells: ${this.received} of ${parts} parts have come`,
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

/** The first thing of the header in which two parts of a reply differ. */
function differenceOf(a: ReplyPart, b: ReplyPart): string | undefined {
  return SHARED.find((key) => a[key] !== b[key]);
}
