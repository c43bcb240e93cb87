/** One refused line or element of a payload. */
export interface Refusal {
  /** What is wrong, in kebab case, for programs. */
  readonly code: string;
  /** What is wrong, for people, without a full stop. */
  readonly message: string;
  /** The line (CSV) or element (JSON), from 1. */
  readonly line?: number;
  /** The sender, if the line or element names it. */
  readonly source?: string;
}

/**
 * Number of refusals kept with their message, besides the first one of each
 * code; all are counted.
 */
export const MAX_KEPT_REFUSALS = 8;

const NO_COUNTS: ReadonlyMap<string, number> = new Map();
const NO_REFUSALS: readonly Refusal[] = [];

/**
 * The refused lines or elements of one payload: all are counted, the first are
 * kept with their message. Allocates nothing for a valid payload.
 */
export class Refusals {
  #total = 0;
  #byCode: Map<string, number> | undefined;
  /** By code, then by source. */
  #sources: Map<string, Map<string, number>> | undefined;
  #kept: Refusal[] | undefined;

  /** Number of refusals. */
  get total(): number {
    return this.#total;
  }

  /** Number of refusals by code. */
  get byCode(): ReadonlyMap<string, number> {
    return this.#byCode ?? NO_COUNTS;
  }

  /**
   * Returns the number of refusals of a code by source; "" for those of no
   * known source.
   */
  sourcesOf(code: string): ReadonlyMap<string, number> {
    return this.#sources?.get(code) ?? NO_COUNTS;
  }

  /** The first {@linkcode MAX_KEPT_REFUSALS}, and the first of each code. */
  get kept(): readonly Refusal[] {
    return this.#kept ?? NO_REFUSALS;
  }

  /**
   * Adds a refusal.
   *
   * @param code what is wrong, in kebab case
   * @param describe returns what is wrong; called only if the refusal is kept
   * @param line the line or element, from 1
   * @param source the sender; empty if it is not known
   */
  add(
    code: string,
    describe: () => string,
    line?: number,
    source?: string,
  ): void {
    this.#total++;
    this.#byCode ??= new Map();
    const count = this.#byCode.get(code) ?? 0;
    this.#byCode.set(code, count + 1);
    this.#countSource(code, source ?? "");
    this.#kept ??= [];
    if (this.#kept.length >= MAX_KEPT_REFUSALS && count > 0) return;
    this.#kept.push({
      code,
      message: describe(),
      ...(line !== undefined && { line }),
      ...(source && { source }),
    });
  }

  #countSource(code: string, source: string): void {
    this.#sources ??= new Map();
    let sources = this.#sources.get(code);
    if (sources === undefined) this.#sources.set(code, sources = new Map());
    sources.set(source, (sources.get(source) ?? 0) + 1);
  }
}
