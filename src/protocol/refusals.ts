/** One line or element that was refused while those beside it were kept. */
export interface Refusal {
  /** What is wrong, in kebab case, for programs. */
  readonly code: string;
  /** What is wrong, for people, without a full stop. */
  readonly message: string;
  /** The line (CSV) or element (JSON) it was, counted from 1. */
  readonly line?: number;
}

/** How many refusals are kept with their message; all are counted. */
export const MAX_KEPT_REFUSALS = 8;

const NOTHING: ReadonlyMap<string, number> = new Map();
const NONE: readonly Refusal[] = [];

/**
 * What was refused of one payload: all of it counted, the first few told.
 * An empty one holds nothing, so that a payload without faults costs little.
 */
export class Refusals {
  #total = 0;
  #byCode: Map<string, number> | undefined;
  #kept: Refusal[] | undefined;

  /** How many were refused. */
  get total(): number {
    return this.#total;
  }

  /** How many were refused for each code. */
  get byCode(): ReadonlyMap<string, number> {
    return this.#byCode ?? NOTHING;
  }

  /** The first {@linkcode MAX_KEPT_REFUSALS} of them. */
  get kept(): readonly Refusal[] {
    return this.#kept ?? NONE;
  }

  /**
   * Counts one.
   *
   * @param code What is wrong, in kebab case
   * @param describe Says what is wrong; asked only if the refusal is kept
   * @param line The line or element, counted from 1
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
