/** A connection that ends sooner was not meant to last, ms. */
const BRIEF = 1000;
/** So many brief connections in a row, and somebody else is at it. */
const MAX_BRIEF = 5;

/**
 * Finds out that another program uses the same client id: each takes the
 * connection from the other, for ever. Brokers of MQTT 3.1.1 do not say so, nor
 * does Mosquitto to 2.0.11. The program that came last finds out first.
 */
export class Contention {
  #upSince = -Infinity;
  #brief = 0;

  /** Call it once the broker has let us in. @param now Monotonic, ms */
  up(now: number): void {
    this.#upSince = now;
  }

  /**
   * Call it when a connection or an attempt has ended.
   *
   * @param now Monotonic, ms
   * @returns true if connections end again and again as soon as they are up
   */
  down(now: number): boolean {
    const lasted = now - this.#upSince;
    this.#upSince = -Infinity;
    if (lasted === Infinity) return false; // an attempt that failed says nothing
    this.#brief = lasted < BRIEF ? this.#brief + 1 : 0;
    return this.#brief >= MAX_BRIEF;
  }
}
