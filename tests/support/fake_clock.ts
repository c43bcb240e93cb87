/**
 * A clock and timers that advance only by {@linkcode FakeClock.tick}. Dispose
 * of it to restore the real timers.
 */
export class FakeClock implements Disposable {
  /** ms since 1970. */
  now: number;
  readonly #real = {
    setTimeout: globalThis.setTimeout,
    clearTimeout: globalThis.clearTimeout,
  };
  readonly #timers = new Map<number, { at: number; run: () => void }>();
  #lastId = 0;

  constructor(now = 1_760_000_000_000) {
    this.now = now;
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms = 0) => {
        this.#timers.set(++this.#lastId, { at: this.now + ms, run });
        return this.#lastId;
      },
      clearTimeout: (id?: number) => {
        if (id !== undefined) this.#timers.delete(id);
      },
    });
  }

  /** The number of pending timers. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Advances the time, and runs the timers that are due in order. */
  tick(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= end)
        .sort(([, a], [, b]) => a.at - b.at)[0];
      if (due === undefined) break;
      const [id, { at, run }] = due;
      this.#timers.delete(id);
      this.now = Math.max(this.now, at);
      run();
    }
    this.now = end;
  }

  [Symbol.dispose](): void {
    Object.assign(globalThis, this.#real);
  }
}
