/** Listeners that are told that something has changed, and look for themselves. */
export class Observers {
  readonly #listeners = new Set<() => void>();

  /**
   * Adds one. It must be quick and must not throw.
   *
   * @returns takes it away again; safe to call twice
   */
  add(listener: () => void): () => void {
    const own = () => listener(); // the same one may be there twice
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  /** Tells all of them. */
  tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
