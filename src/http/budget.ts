/**
 * A limited resource that exchanges share. When it is used up, the slowest
 * client loses its share to one that needs it.
 *
 * @module
 */
import type { LimitCounts, LimitName } from "../common/limit_counts.ts";
import type { Exchange } from "./exchange.ts";

/** Options of {@linkcode Budget}. */
export interface BudgetOptions {
  /** The limit in the metrics. */
  readonly name: LimitName;
  /** Maximum amount in use. */
  readonly max: number;
  /** Counts each refusal, delay and cut. */
  readonly reached: LimitCounts;
  /**
   * A share that is older than this, in ms, may be taken from a client that
   * reads well, if no client is slow. Default: never.
   */
  readonly replaceAfterMs?: number | undefined;
  /** False to replace only shares of another network. Default true. */
  readonly replacesOwn?: boolean | undefined;
  /** Maximum time to wait for a share, in ms. Default 10 s. */
  readonly waitMs?: number | undefined;
  /** Monotonic clock, in ms. Default `performance.now`. */
  readonly now?: (() => number) | undefined;
}

/** A part of a {@linkcode Budget} that an exchange holds. */
export interface Share {
  /** The amount that it holds. */
  readonly amount: number;
  /**
   * Changes the amount.
   *
   * @returns false if not enough is left; the amount is then unchanged
   */
  tryResize(amount: number): boolean;
  /** Frees the amount; safe to call twice. */
  release(): void;
}

interface HeldShare extends Share {
  readonly exchange: Exchange;
  /** Monotonic, in ms. */
  readonly takenAt: number;
  amount: number;
}

interface Waiter {
  readonly network: string;
  /** Takes what it needs; returns false if not enough is left. */
  readonly attempt: () => boolean;
  readonly done: (taken: boolean) => void;
}

const WAIT_MS = 10_000;
/** More exchanges do not wait. */
const MAX_WAITING = 64;
/** How often waiting exchanges check for clients that have become slow. */
const CHECK_INTERVAL_MS = 100;

/** Divides an amount among exchanges. */
export class Budget {
  readonly #options: BudgetOptions;
  readonly #now: () => number;
  readonly #shares = new Set<HeldShare>();
  /** In order of arrival. */
  readonly #waiters: Waiter[] = [];
  #checking: ReturnType<typeof setInterval> | undefined;
  #used = 0;

  constructor(options: BudgetOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** The maximum amount. */
  get max(): number {
    return this.#options.max;
  }

  /** The amount in use. */
  get used(): number {
    return this.#used;
  }

  /**
   * Takes an amount. Cuts slow clients if it is necessary.
   *
   * @returns undefined if not enough is left
   */
  tryTake(exchange: Exchange, amount: number): Share | undefined {
    const share = this.#take(exchange, amount);
    if (share === undefined) this.#options.reached.add(this.#options.name);
    return share;
  }

  /**
   * Takes an amount, and waits for it if not enough is left. The network that
   * holds the least is the first to get what becomes free.
   *
   * @returns undefined if not enough was left in time
   */
  async take(
    exchange: Exchange,
    amount: number,
  ): Promise<Share | undefined> {
    let share: Share | undefined;
    await this.#wait(exchange, () => {
      share = this.#take(exchange, amount);
      return share !== undefined;
    });
    return share;
  }

  /**
   * Changes the amount of a share as {@linkcode Share.tryResize} does, and waits
   * if not enough is left.
   *
   * @returns false if not enough was left in time
   */
  resize(
    exchange: Exchange,
    share: Share,
    amount: number,
  ): Promise<boolean> {
    return this.#wait(exchange, () => share.tryResize(amount));
  }

  #take(exchange: Exchange, amount: number): Share | undefined {
    if (!this.#makeRoom(exchange, amount)) return undefined;
    const share: HeldShare = {
      exchange,
      takenAt: this.#now(),
      amount,
      tryResize: (next) => this.#tryResize(share, next),
      release: () => {
        if (this.#remove(share)) this.#serveWaiters();
      },
    };
    this.#shares.add(share);
    this.#used += amount;
    return share;
  }

  #tryResize(share: HeldShare, amount: number): boolean {
    const more = amount - share.amount;
    if (!this.#shares.has(share)) return false; // cut, or released
    if (more > 0 && !this.#makeRoom(share.exchange, more)) return false;
    share.amount = amount;
    this.#used += more;
    if (more < 0) this.#serveWaiters();
    return true;
  }

  /** Returns false if the share was removed before. */
  #remove(share: HeldShare): boolean {
    if (!this.#shares.delete(share)) return false;
    this.#used -= share.amount;
    return true;
  }

  /** Cuts exchanges until an amount is free; returns false if it is not. */
  #makeRoom(exchange: Exchange, amount: number): boolean {
    const { max, reached, name } = this.#options;
    while (this.#used + amount > max) {
      const victim = this.#slowest(exchange) ?? this.#oldest(exchange);
      if (victim === undefined) return false;
      reached.add(name);
      // Not release(): other waiters must not take what this one needs.
      this.#remove(victim);
      victim.exchange.cut();
    }
    return true;
  }

  /** The share of the client that has been slow for the longest time. */
  #slowest(except: Exchange): HeldShare | undefined {
    let slowest: HeldShare | undefined;
    let slowAt = this.#now();
    for (const share of this.#shares) {
      if (share.exchange === except || share.exchange.slowAt >= slowAt) {
        continue;
      }
      slowest = share;
      slowAt = share.exchange.slowAt;
    }
    return slowest;
  }

  /**
   * The oldest share of the network that holds the most, if it holds more than
   * the network that needs some, or if it is the same one.
   */
  #oldest(except: Exchange): HeldShare | undefined {
    const { replaceAfterMs, replacesOwn = true } = this.#options;
    if (replaceAfterMs === undefined) return undefined;
    const held = this.#heldByNetwork();
    const own = held.get(except.network) ?? 0;
    let [largest, most] = [except.network, own];
    for (const [network, amount] of held) {
      if (amount > most) [largest, most] = [network, amount];
    }
    if (largest === except.network && !replacesOwn) return undefined;
    // Shares are in the order in which they were taken.
    for (const share of this.#shares) {
      const { exchange } = share;
      if (exchange.network !== largest || exchange === except) continue;
      const age = this.#now() - share.takenAt;
      return age > replaceAfterMs ? share : undefined;
    }
    return undefined;
  }

  #heldByNetwork(): Map<string, number> {
    const held = new Map<string, number>();
    for (const { exchange: { network }, amount } of this.#shares) {
      held.set(network, (held.get(network) ?? 0) + amount);
    }
    return held;
  }

  /** @param attempt takes what is needed; false if not enough is left */
  async #wait(
    { network }: Exchange,
    attempt: () => boolean,
  ): Promise<boolean> {
    if (this.#waiters.length === 0 && attempt()) return true;
    this.#options.reached.add(this.#options.name);
    if (this.#waiters.length >= MAX_WAITING && !this.#dismissFor(network)) {
      return false;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const waiter: Waiter = { network, attempt, done: resolve };
    this.#waiters.push(waiter);
    this.#serveWaiters();
    this.#checking ??= setInterval(
      () => this.#serveWaiters(),
      CHECK_INTERVAL_MS,
    );
    const timer = setTimeout(
      () => this.#endWait(waiter, false),
      this.#options.waitMs ?? WAIT_MS,
    );
    const taken = await promise;
    clearTimeout(timer);
    return taken;
  }

  /** Serves the waiting exchanges until one needs more than is left. */
  #serveWaiters(): void {
    while (this.#waiters.length > 0) {
      const held = this.#heldByNetwork();
      const first = this.#waiters.reduce((best, waiter) =>
        (held.get(waiter.network) ?? 0) < (held.get(best.network) ?? 0)
          ? waiter
          : best
      );
      if (!first.attempt()) return;
      this.#endWait(first, true);
    }
  }

  /**
   * Ends the last wait of the network with the most of them, if it has more
   * than another network; returns false if not.
   */
  #dismissFor(other: string): boolean {
    const counts = new Map([[other, 1]]);
    for (const { network } of this.#waiters) {
      counts.set(network, (counts.get(network) ?? 0) + 1);
    }
    const [[most] = [other]] = [...counts].sort(([, a], [, b]) => b - a);
    if (most === other) return false;
    this.#endWait(
      this.#waiters.findLast(({ network }) => network === most)!,
      false,
    );
    return true;
  }

  #endWait(waiter: Waiter, taken: boolean): void {
    const index = this.#waiters.indexOf(waiter);
    if (index < 0) return;
    this.#waiters.splice(index, 1);
    if (this.#waiters.length === 0) {
      clearInterval(this.#checking);
      this.#checking = undefined;
    }
    waiter.done(taken);
  }
}
