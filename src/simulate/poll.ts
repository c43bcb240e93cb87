/**
 * Sensors that report in turn, each once a period: so a network sees them, and
 * so a step costs only those whose turn it is.
 */
export class Poll {
  readonly #count: number;
  readonly #slots: number;
  #slot = 0;

  /**
   * @param count How many sensors there are
   * @param slots Steps in which each reports once
   */
  constructor(count: number, slots: number) {
    this.#count = count;
    this.#slots = slots;
  }

  /** Calls `report` for each sensor whose turn it is, and goes on. */
  turn(report: (sensor: number) => void): void {
    for (let i = this.#slot; i < this.#count; i += this.#slots) report(i);
    this.#slot = (this.#slot + 1) % this.#slots;
  }
}
