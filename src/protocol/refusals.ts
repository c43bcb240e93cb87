/** One refused line or element of a payload. */
export interface Refusal {
  /** What is wrong, in kebab case, for programs. */
  readonly code: string;
  /** What is wrong, for people, without a full stop. */
  readonly message: string;
  /** The line (CSV) or element (JSON), from 1. */
  readonly line?: number;
}

/** Maximum number of refusals kept with their message; all are counted. */
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
  #kept: Refusal[] | undefined;

  /** Number of refusals. */
  get total(): number {
    return this.#total;
  }

  /** Number of refusals by code. */
  get byCode(): ReadonlyMap<string, number> {
    return this.#byCode ?? NO_COUNTS;
  }

  /** The first {@linkcode MAX_KEPT_REFUSALS}. */
  get kept(): readonly Refusal[] {
    return this.#kept ?? NO_REFUSALS;
  }

  /**
   * Adds a refusal.
   *
   * @param code what is wrong, in kebab case
   * @param describe returns what is wrong; called only if the refusal is kept
   * @param line the line or element, from 1
   */
  add(code: string, describe: () => string, line?: number): void {
    this.#total++;
    this.#byCode ??= new Map();
    this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
    this.#kept ??= [];
    if (this.#kept.length >= MAX_KEPT_REFUSALS) return;
    const refusal = { code, message: describe() };
    this.#kept.push(line === undefined ? refusal : { ...refusal, line });
  }
}
