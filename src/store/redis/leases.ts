/**
 * The leases of all shards, as one server sees them.
 *
 * Two servers never both hold a shard:
 *
 * - Redis makes a lease only if none is in force, and gives it a higher fence
 *   than all before (`ACQUIRE_LEASE`). It expires 5 s after the master did the
 *   last renewal.
 * - A server uses a lease for at most 4 s after it sent its last renewal that
 *   succeeded. It sent it before the master did it, so it stops at least 1 s
 *   before the lease expires, even if it was suspended, or its answers came
 *   late: it compares its clock at each use.
 * - It counts a lease or a renewal only if as many replicas have it as a commit
 *   needs. So a replica that becomes the master knows the lease, on the same
 *   condition under which it has all commits.
 *
 * This needs clocks that do not go wrong by more than 1 s in 5 s, among them the
 * wall clock of the master, by which Redis lets keys expire. What must not be
 * wrong even then is protected by Redis itself: the scripts that write a
 * checkpoint or trim the journal compare the value of the lease with its fence.
 *
 * @module
 */
import { doneWithin } from "../../common/async.ts";
import type { Leases } from "../store.ts";
import type { Deployment } from "./deployment.ts";
import type { Keys } from "./keys.ts";
import type { Lease } from "./lease.ts";
import { ShardLease } from "./shard_lease.ts";
import { ShardNodes } from "./shard_nodes.ts";

const UPDATE_INTERVAL_MS = 500;

/** Maximum wait for each of two steps of {@linkcode RedisLeases.close}, in ms. */
const CLOSE_TIMEOUT_MS = 1000;

/** The servers that are connected to the store. */
export interface MemberList {
  /** All of them, also this one once it is registered. */
  readonly alive: readonly MemberStatus[];
  /**
   * Calls back when it changed.
   *
   * @returns ends it
   */
  observe(onChange: () => void): () => void;
}

/** A member of the store. */
export interface MemberStatus {
  readonly name: string;
  /** True if it has applied nearly all that was committed, and can publish. */
  readonly caughtUp: boolean;
}

/** How long a server completes its work before it gives a lease up, in ms. */
const COMPLETE_TIMEOUT_MS = 1000;

/** Options of {@linkcode RedisLeases}. */
export interface RedisLeasesOptions {
  readonly deployment: Deployment;
  readonly keys: Keys;
  /** Their number. */
  readonly shards: number;
  /** The name of this server. */
  readonly name: string;
  /** The random id of its process, without colons. */
  readonly run: string;
  readonly members: MemberList;
  /** Returns how many replicas must have a lease before it counts. */
  readonly replicas: () => number;
  /** Called with the error of an attempt; leases are tried again by themselves. */
  readonly onError?: (error: unknown) => void;
  /** In ms; never goes back. Default: the machine's clock since its start. */
  readonly clock?: () => number;
}

/** Acquires the leases that this server should have, and keeps them. */
export class RedisLeases implements Leases {
  readonly #options: RedisLeasesOptions;
  readonly #nodes: ShardNodes;
  readonly #leases: readonly ShardLease[];
  readonly #observers = new Set<() => void>();
  /** Called before a lease is given up. */
  readonly #completing = new Set<(shard: number) => Promise<void>>();
  /** By shard: the update that runs. */
  readonly #updating = new Map<number, Promise<void>>();
  /** What the observers were called for last. */
  #reported = "";
  #timer: ReturnType<typeof setInterval> | undefined;
  #endMembers: (() => void) | undefined;

  constructor(options: RedisLeasesOptions) {
    const { deployment, keys, name, run, members } = options;
    const { replicas, clock = steadyClock() } = options;
    this.#options = options;
    this.#nodes = new ShardNodes(
      deployment,
      (shard) => keys.ofShard(shard, "lease"),
    );
    const candidates = () => candidatesOf(members.alive, name);
    const context = {
      ...{ nodes: this.#nodes, name, run, candidates, replicas, clock },
      complete: (shard: number) => this.#complete(shard),
    };
    this.#leases = Array.from(
      { length: options.shards },
      (_, shard) => new ShardLease(shard, keys, context),
    );
  }

  get shards(): number {
    return this.#leases.length;
  }

  get members(): readonly string[] {
    return this.#options.members.alive.map(({ name }) => name).sort();
  }

  holds(shard: number): boolean {
    return this.leaseOf(shard) !== undefined;
  }

  fenceOf(shard: number): number | undefined {
    return this.leaseOf(shard)?.fence;
  }

  holderOf(shard: number): string | undefined {
    return this.#leases[shard]?.holder;
  }

  /** Returns the lease of a shard if this server holds it, else undefined. */
  leaseOf(shard: number): Lease | undefined {
    return this.#leases[shard]?.held;
  }

  observe(onChange: () => void): () => void {
    this.#observers.add(onChange);
    return () => this.#observers.delete(onChange);
  }

  beforeRelease(complete: (shard: number) => Promise<void>): () => void {
    this.#completing.add(complete);
    return () => this.#completing.delete(complete);
  }

  /** Begins to acquire leases: when this server can do the work of a holder. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#endMembers = this.#options.members.observe(() => this.#report());
    this.#timer = setInterval(() => this.#update(), UPDATE_INTERVAL_MS);
    this.#update();
  }

  /** Gives all leases up, so that the others take them at once. Never throws. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#endMembers?.();
    // One that runs may acquire a lease.
    const updates = Promise.allSettled(this.#updating.values());
    await doneWithin(updates, CLOSE_TIMEOUT_MS);
    const releases = this.#leases.map((lease) => lease.release());
    await doneWithin(Promise.allSettled(releases), CLOSE_TIMEOUT_MS);
    this.#nodes.close();
    this.#report();
  }

  async #complete(shard: number): Promise<void> {
    const all = Array.from(this.#completing, (complete) => complete(shard));
    await doneWithin(Promise.all(all), COMPLETE_TIMEOUT_MS);
  }

  #update(): void {
    this.#report(); // a lease may have ended since
    for (const [shard, lease] of this.#leases.entries()) {
      if (this.#updating.has(shard)) continue;
      const update = lease.update()
        .catch((error) => this.#options.onError?.(error))
        .finally(() => {
          this.#updating.delete(shard);
          this.#report();
        });
      this.#updating.set(shard, update);
    }
  }

  #report(): void {
    const state = JSON.stringify([
      this.members,
      this.#leases.map((lease) => [lease.held?.fence, lease.holder]),
    ]);
    if (state === this.#reported) return;
    this.#reported = state;
    for (const observer of [...this.#observers]) observer();
  }
}

/**
 * Returns the members that may have leases: those that are caught up, or all if
 * none is. This server counts as one that is not, if it is not registered.
 */
function candidatesOf(
  alive: readonly MemberStatus[],
  name: string,
): readonly string[] {
  const members = alive.some((member) => member.name === name)
    ? alive
    : [...alive, { name, caughtUp: false }];
  const ready = members.filter(({ caughtUp }) => caughtUp);
  return (ready.length > 0 ? ready : members).map((member) => member.name);
}

/**
 * Returns a clock that goes on while the process or the machine is suspended. On
 * some systems `performance.now()` stops with the machine, and the wall clock
 * does not; a wall clock that is set forward only ends leases too early.
 */
function steadyClock(): () => number {
  let last = 0;
  let wall = Date.now();
  let steady = performance.now();
  return () => {
    const nextWall = Date.now();
    const nextSteady = performance.now();
    last += Math.max(0, nextWall - wall, nextSteady - steady);
    wall = nextWall;
    steady = nextSteady;
    return last;
  };
}
