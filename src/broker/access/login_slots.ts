/**
 * Limits the logins of each network that are checked at the same time.
 *
 * @module
 */

/** Options of {@linkcode LoginSlots}. */
export interface LoginSlotOptions {
  /** Logins of a network that are checked at the same time. Default 8. */
  readonly perNetwork?: number;
  /** Logins of a network that wait. Default 250. */
  readonly waitingPerNetwork?: number;
  /** Logins that wait in all. Default 1,000. */
  readonly waiting?: number;
}

/** The logins of one network. */
interface Slots {
  used: number;
  /** Those that wait, in the order of their arrival. */
  readonly waiting: (() => void)[];
}

/**
 * Gives each network a few slots. A failed login occupies its slot until it is
 * answered, so the delay limits how many passwords a network can try; a right
 * password in the same network waits for a slot, but is not refused.
 */
export class LoginSlots {
  readonly #options: Required<LoginSlotOptions>;
  /** Only networks with a used slot. */
  readonly #networks = new Map<string, Slots>();
  #waiting = 0;

  constructor(options: LoginSlotOptions = {}) {
    this.#options = {
      perNetwork: 8,
      waitingPerNetwork: 250,
      waiting: 1_000,
      ...options,
    };
  }

  /** Networks with a login that is being checked. */
  get size(): number {
    return this.#networks.size;
  }

  /** Returns true if a login of a network need not wait for a slot. */
  isFree(network: string): boolean {
    const used = this.#networks.get(network)?.used ?? 0;
    return used < this.#options.perNetwork;
  }

  /**
   * Waits for a slot.
   *
   * @param network of the client
   * @returns false, without a wait, if too many logins wait
   */
  async enter(network: string): Promise<boolean> {
    const { perNetwork, waitingPerNetwork, waiting } = this.#options;
    let slots = this.#networks.get(network);
    if (slots === undefined) {
      slots = { used: 0, waiting: [] };
      this.#networks.set(network, slots);
    }
    if (slots.used < perNetwork) {
      slots.used++;
      return true;
    }
    if (
      this.#waiting >= waiting || slots.waiting.length >= waitingPerNetwork
    ) return false;
    const { promise, resolve } = Promise.withResolvers<void>();
    slots.waiting.push(resolve);
    this.#waiting++;
    await promise;
    return true;
  }

  /** Gives a slot back: the next login of the network gets it. */
  leave(network: string): void {
    const slots = this.#networks.get(network)!;
    const next = slots.waiting.shift();
    if (next !== undefined) {
      this.#waiting--;
      next();
    } else if (--slots.used === 0) this.#networks.delete(network);
  }
}
