/**
 * Decides whether this server publishes for all servers of a shared store.
 *
 * @module
 */
import type { Line } from "../common/line_limiter.ts";
import type { SharedStore, Store, StoreError } from "../store/store.ts";
import { HeldLease } from "./held_lease.ts";

/** The shard whose holder leads: its journal has the records. */
export const LEADING_SHARD = 0;

/** The part of a server that {@linkcode Leadership} uses. */
export interface LeadershipContext {
  readonly store: Pick<Store, "shared" | "records">;
  readonly status: { readonly storeProblem: StoreError | undefined };
  readonly log: { infoLimited(kind: string, line: Line): void };
}

/** Receives changes of the leader. The functions must not throw. */
export interface LeadershipObserver {
  /** Called when this server leads, and has all that the leader before wrote. */
  onElected?(): void;
  /**
   * Called when another server is about to lead: completes what this server has
   * begun, and begins nothing new. Then {@linkcode onDeposed} is called.
   */
  onResign?(): Promise<void>;
  /** Called when this server does not lead any more. */
  onDeposed?(): void;
}

/**
 * The leader of the servers of a shared store is the holder of the lease of
 * shard 0. It remembers the zones and publishes their states and events, sends
 * webhooks, and announces the zones to Home Assistant. Without a shared store a
 * server always leads.
 *
 * A new leader first writes an entry with its fencing number: from then on, what
 * an earlier leader writes does not count. Then it waits until it has applied
 * all that was committed before in any shard. So its map is not older than the
 * one from which the earlier leader has made its last event.
 */
export class Leadership {
  readonly #context: LeadershipContext;
  readonly #observers = new Set<LeadershipObserver>();
  /** Undefined before the start, and without a shared store. */
  #lease: HeldLease | undefined;
  #endLeases: (() => void) | undefined;
  #stopped = false;

  constructor(context: LeadershipContext) {
    this.#context = context;
  }

  /**
   * True if this server leads. Check it right before each message: a lease can
   * end at any time, also while the process stands still.
   */
  get isLeader(): boolean {
    const { shared } = this.#context.store;
    return shared === undefined || this.#lease?.mayAct === true;
  }

  /** Begins to lead if it is its turn. Call it when everything is loaded. */
  start(): void {
    const { shared } = this.#context.store;
    // The map of a server that is stopped at its start is loaded after that.
    if (this.#stopped || shared === undefined) return;
    if (this.#endLeases !== undefined) return;
    const { leases } = shared;
    const lease = this.#lease = new HeldLease({
      leases,
      shard: LEADING_SHARD,
      prepare: (fence) => this.#prepare(shared, fence),
      onBegin: () => this.#elected(),
      onEnd: () => this.#deposed(),
    });
    const ends = [
      leases.observe(() => lease.check()),
      leases.beforeRelease((shard) => this.#resign(shard)),
    ];
    this.#endLeases = () => ends.forEach((end) => end());
    lease.check();
  }

  /** Does not begin to lead any more. A leader leads until its lease ends. */
  stop(): void {
    this.#stopped = true;
    this.#endLeases?.();
    this.#lease?.stop();
  }

  /** Reports changes of the leader, except without a shared store. */
  observe(observer: LeadershipObserver): () => void {
    const own = { ...observer }; // distinct if added twice
    this.#observers.add(own);
    return () => this.#observers.delete(own);
  }

  async #resign(shard: number): Promise<void> {
    if (shard !== LEADING_SHARD || !this.isLeader) return;
    const all = [...this.#observers];
    await Promise.all(all.map(({ onResign }) => onResign?.()));
  }

  /** Returns false while the store fails: then `sync` waits for nothing. */
  async #prepare(shared: SharedStore, fence: number): Promise<boolean> {
    const { store: { records }, status } = this.#context;
    const isWritten = await records?.shared?.lead(fence) !== false;
    await shared.sync(Array(shared.leases.shards).keys());
    return isWritten && status.storeProblem === undefined;
  }

  #elected(): void {
    this.#context.log.infoLimited(
      "leader",
      "This server leads: it publishes zones, events, webhooks and the discovery of Home Assistant for all servers",
    );
    for (const { onElected } of this.#observers) onElected?.();
  }

  #deposed(): void {
    this.#context.log.infoLimited(
      "leader-ends", // a kind of its own: both are seen
      "This server does not lead any more: another one publishes zones, events, webhooks and the discovery of Home Assistant",
    );
    for (const { onDeposed } of this.#observers) onDeposed?.();
  }
}
