/**
 * Delays the result of a publish of the server until its receivers keep up.
 *
 * @module
 */

/** A receiver of a message. */
export interface Receiver {
  /** Calls back when it keeps up again, or is gone. */
  afterRoom(callback: () => void): void;
}

/** Collects the receivers of one message that do not keep up. */
export class SlowReceivers {
  /** True while a message of the server is routed. */
  isCollecting = false;
  readonly #found: Receiver[] = [];

  /** Called for a receiver while {@linkcode isCollecting}. */
  add(receiver: Receiver): void {
    this.#found.push(receiver);
  }

  /**
   * Routes a message.
   *
   * @returns resolves when all receivers keep up; undefined: now
   */
  collect(route: () => void): Promise<unknown> | undefined {
    this.isCollecting = true;
    route();
    this.isCollecting = false;
    if (this.#found.length === 0) return undefined;
    return Promise.all(
      this.#found.splice(0).map((receiver) =>
        new Promise<void>((resolve) => receiver.afterRoom(resolve))
      ),
    );
  }
}
