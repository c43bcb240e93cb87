import { ReadingBatch } from "./batch.ts";
import { ProtocolError } from "./errors.ts";
import type { ReplyPart } from "./reply_reader.ts";

/** What the parts of all replies have. */
export interface NumberedPart {
  /** The number of this part, from 1. */
  readonly part: number;
  /** Number of parts. */
  readonly parts: number;
}

/**
 * Joins the parts of one reply. They may arrive in any order and more than once
 * (QoS 1 allows it).
 */
export class PartAssembler<Part extends NumberedPart> {
  readonly #shared: readonly (keyof Part & string)[];
  readonly #parts = new Map<number, Part>();
  #first: Part | undefined;

  /**
   * Joins no part yet.
   *
   * @param shared the header fields that are equal in all parts
   */
  constructor(shared: readonly (keyof Part & string)[]) {
    this.#shared = shared;
  }

  /** The first part that arrived, with the shared header; undefined before. */
  get header(): Part | undefined {
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
  accepts(part: Part): boolean {
    return this.#first === undefined ||
      this.#differenceOf(this.#first, part) === undefined;
  }

  /**
   * Adds a part.
   *
   * @param part a part in any order; repeated parts are ignored
   * @returns {@linkcode complete}
   * @throws {ProtocolError} "bad-part" if the part is from another reply
   */
  add(part: Part): boolean {
    this.#first ??= part;
    const difference = this.#differenceOf(this.#first, part);
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
   * Returns all parts, in the order in which the server wrote them.
   *
   * @throws {Error} if parts are missing
   */
  protected inOrder(): Part[] {
    if (!this.complete) {
      const parts = this.#first?.parts ?? "unknown";
      throw new Error(
        `Cannot read the reply: ${this.received} of ${parts} parts have arrived`,
      );
    }
    const { size } = this.#parts;
    return Array.from({ length: size }, (_, i) => this.#parts.get(i + 1)!);
  }

  /** Returns the first header field in which two parts differ. */
  #differenceOf(a: Part, b: Part): string | undefined {
    return this.#shared.find((key) => a[key] !== b[key]);
  }
}

/**
 * Joins the parts of one reply with cells.
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
export class ReplyAssembler extends PartAssembler<ReplyPart> {
  constructor() {
    super([
      ...["transaction", "layer", "revision", "time"] as const,
      ...["staleAfter", "began", "parts"] as const,
    ]);
  }

  /**
   * Returns all cells, in the order in which the server wrote them.
   *
   * @throws {Error} if parts are missing
   */
  cells(): ReadingBatch {
    const parts = this.inOrder();
    const length = parts.reduce((sum, { cells }) => sum + cells.length, 0);
    const all = new ReadingBatch(length);
    for (const { cells } of parts) all.append(cells);
    return all;
  }
}
