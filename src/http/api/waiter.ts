import type { HttpContext } from "../context.ts";

/** Waits for the server to change something, or to end. */
export class Waiter {
  readonly #context: HttpContext;
  readonly #end = () => this.close();
  readonly #unobserve: () => void;
  #ended = false;
  /** True if something has changed since the last look. */
  #news = true;
  #wake: (() => void) | undefined;

  constructor(context: HttpContext) {
    this.#context = context;
    this.#ended = context.signal.aborted;
    context.signal.addEventListener("abort", this.#end);
    this.#unobserve = context.observe(() => {
      this.#news = true;
      this.#wake?.();
    });
  }

  /** True once it is closed or the server ends. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Waits so many ms, unless it ends before. */
  async pause(ms: number): Promise<void> {
    this.#news = false; // the next look sees what has changed until then
    if (ms > 0) await this.#wait(ms, () => this.#ended);
    this.#news = false;
  }

  /**
   * Waits until something changes, at most so many ms.
   *
   * @returns whether something has changed since the last pause
   */
  async changed(ms: number): Promise<boolean> {
    await this.#wait(ms, () => this.#ended || this.#news);
    return this.#news && !this.#ended;
  }

  /** Ends it: whoever waits goes on. */
  close(): void {
    this.#ended = true;
    this.#unobserve();
    this.#context.signal.removeEventListener("abort", this.#end);
    this.#wake?.();
  }

  async #wait(ms: number, enough: () => boolean): Promise<void> {
    if (enough()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = () => {
      if (enough()) resolve();
    };
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }
}
