/**
 * Delays the result of a publish of the server until its receivers keep up.
 *
 * @module
 */

/** A receiver of a message. */
export interface Receiver {
  /** True if it can receive more. */
  readonly keepsUp: boolean;
  /** True if it takes almost nothing: other receivers must not wait for it. */
  readonly isFrozen: boolean;
  /**
   * Calls back when the receiver keeps up again, becomes or is no longer frozen,
   * or is gone.
   */
  afterChange(callback: () => void): void;
}

/** Collects the receivers of one message that do not keep up. */
export class SlowReceivers {
  #isCollecting = false;
  /** True if there is a receiver that keeps up. */
  #isAnyFast = false;
  readonly #slow: Receiver[] = [];
  readonly #frozen: Receiver[] = [];

  /** Called for each receiver of a message that is routed. */
  add(receiver: Receiver): void {
    if (!this.#isCollecting) return;
    if (receiver.keepsUp) this.#isAnyFast = true;
    else (receiver.isFrozen ? this.#frozen : this.#slow).push(receiver);
  }

  /**
   * Routes a message.
   *
   * @returns resolves when all receivers keep up, without those that are frozen
   * while another one keeps up; undefined: now
   */
  collect(route: () => void): Promise<void> | undefined {
    this.#isCollecting = true;
    this.#isAnyFast = false;
    try {
      route();
    } finally {
      this.#isCollecting = false;
    }
    const slow = this.#slow.splice(0);
    const frozen = this.#frozen.splice(0);
    if (slow.length + (this.#isAnyFast ? 0 : frozen.length) === 0) {
      return undefined;
    }
    return keepUp(slow, frozen, this.#isAnyFast);
  }
}

async function keepUp(
  slow: readonly Receiver[],
  frozen: readonly Receiver[],
  isAnyFast: boolean,
): Promise<void> {
  await Promise.all(slow.map(changed));
  if (isAnyFast) return;
  const all = [...slow, ...frozen];
  while (all.every((receiver) => receiver.isFrozen)) {
    await Promise.race(all.map(changed));
  }
}

function changed(receiver: Receiver): Promise<void> {
  return new Promise((resolve) => receiver.afterChange(resolve));
}
