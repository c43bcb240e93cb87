/**
 * Delays the result of a publish of the server until a receiver keeps up.
 *
 * @module
 */

/** A receiver of a message. */
export interface Receiver {
  /** Calls back when it keeps up again, or is gone. */
  afterRoom(callback: () => void): void;
}

/**
 * Finds out whether a receiver of a message keeps up. The others do not matter:
 * a client that does not read must not delay the server.
 */
export class SlowReceivers {
  /** True while a message of the server is routed. */
  isCollecting = false;
  readonly #slow: Receiver[] = [];
  #isFast = false;

  /** Called for each receiver while {@linkcode isCollecting}. */
  add(receiver: Receiver, keepsUp: boolean): void {
    if (keepsUp) this.#isFast = true;
    else this.#slow.push(receiver);
  }

  /**
   * Routes a message.
   *
   * @returns resolves when one receiver keeps up; undefined: now
   */
  collect(route: () => void): Promise<void> | undefined {
    this.isCollecting = true;
    this.#isFast = false;
    route();
    this.isCollecting = false;
    const slow = this.#slow.splice(0);
    if (this.#isFast || slow.length === 0) return undefined;
    return new Promise((resolve) => {
      for (const receiver of slow) receiver.afterRoom(resolve);
    });
  }
}
