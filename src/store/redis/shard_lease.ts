/**
 * Acquires, renews and gives up the lease of one shard.
 *
 * @module
 */
import type { RedisNode, Reply } from "./deployment.ts";
import type { Keys } from "./keys.ts";
import {
  ACQUIRE_LEASE,
  type Lease,
  LEASE_EXPIRY_MS,
  LEASE_RENEWAL_MS,
  LEASE_USE_MS,
  makeLease,
  parseLease,
  preferredMember,
  RELEASE_LEASE,
  RENEW_LEASE,
} from "./lease.ts";
import type { ShardNodes } from "./shard_nodes.ts";
import { text } from "./stream_entry.ts";

/** A member that is not preferred takes a lease that was free for so long, ms. */
const FREE_MS = 3000;

/** A lease is given up to a member that was preferred for so long, in ms. */
const GIVE_UP_AFTER_MS = 5000;

/** After that, it is not given up to the same member again for so long, in ms. */
const GIVE_UP_INTERVAL_MS = 60_000;

/** Maximum wait for an answer, in ms. */
const TIMEOUT_MS = 1500;

/** Maximum wait for the replicas, in ms. */
const WAIT_MS = 1000;

/** What a {@linkcode ShardLease} needs of its server. */
export interface LeaseContext {
  readonly nodes: ShardNodes;
  /** The name of this server. */
  readonly name: string;
  /** The random id of its process. */
  readonly run: string;
  /** Returns the names of the members that may have leases. */
  candidates(): readonly string[];
  /** Resolves when this server has completed what it does as the holder. */
  complete(shard: number): Promise<void>;
  /** Returns how many replicas must have a lease before it counts. */
  replicas(): number;
  /** Returns a time in ms that never goes back. */
  clock(): number;
}

/** The lease of one shard, as one server sees it. */
export class ShardLease {
  readonly #shard: number;
  /** Its lease, and the counter of fences. */
  readonly #leaseKey: string;
  readonly #fenceKey: string;
  readonly #context: LeaseContext;
  /** The own lease, in force until `#useUntil`. */
  #own: Lease | undefined;
  #useUntil = -Infinity;
  #renewedAt = -Infinity;
  /** The lease as it was read last, of any server, and when. */
  #seen: Lease | undefined;
  #seenAt = -Infinity;
  /** Since when the lease was found free. */
  #freeSince: number | undefined;
  /** The other member that is preferred, and since when. */
  #rival: { readonly name: string; readonly since: number } | undefined;
  /** To which member the lease was given up, and when. */
  #gaveUp: { readonly name: string; readonly at: number } | undefined;

  constructor(shard: number, keys: Keys, context: LeaseContext) {
    this.#shard = shard;
    this.#leaseKey = keys.ofShard(shard, "lease");
    this.#fenceKey = keys.ofShard(shard, "fence");
    this.#context = context;
  }

  /** The lease, if this server holds it now. */
  get held(): Lease | undefined {
    return this.#context.clock() < this.#useUntil ? this.#own : undefined;
  }

  /** The name of the holder; undefined if none is known. */
  get holder(): string | undefined {
    if (this.held !== undefined) return this.#context.name;
    const age = this.#context.clock() - this.#seenAt;
    return age < LEASE_EXPIRY_MS ? this.#seen?.name : undefined;
  }

  /**
   * Does what is due. Call it twice a second, one call after the other.
   *
   * @throws {RedisError} if Redis does not answer or answers with an error
   */
  async update(): Promise<void> {
    const now = this.#context.clock();
    const held = this.held;
    if (held === undefined) return await this.#lookUp(now);
    const rival = this.#preferredRival(now);
    if (rival !== undefined) {
      this.#gaveUp = { name: rival, at: now };
      await this.#context.complete(this.#shard);
      return await this.release();
    }
    if (now - this.#renewedAt >= LEASE_RENEWAL_MS) await this.#renew(held);
  }

  /**
   * Gives the lease up, if this server holds it: at once, whatever Redis says.
   *
   * @throws {RedisError} if Redis did not release it; then it expires
   */
  async release(): Promise<void> {
    const own = this.#own;
    this.#own = undefined;
    this.#useUntil = -Infinity;
    this.#seen = undefined;
    this.#freeSince = undefined;
    this.#rival = undefined;
    if (own === undefined) return;
    await this.#send((node) => [this.#eval(node, RELEASE_LEASE, own.value)]);
  }

  /**
   * Returns the member to which the lease should go; undefined for none. The
   * holder waits, so that a member that comes and goes moves no lease.
   */
  #preferredRival(now: number): string | undefined {
    const { name } = this.#context;
    const preferred = this.#preferred();
    if (preferred === name) {
      this.#rival = undefined;
      return undefined;
    }
    if (this.#rival?.name !== preferred) {
      this.#rival = { name: preferred, since: now };
    }
    const isRepeated = this.#gaveUp?.name === preferred &&
      now - this.#gaveUp.at < GIVE_UP_INTERVAL_MS;
    return !isRepeated && now - this.#rival!.since >= GIVE_UP_AFTER_MS
      ? preferred
      : undefined;
  }

  #preferred(): string {
    const candidates = this.#context.candidates();
    return preferredMember(this.#shard, candidates) ?? this.#context.name;
  }

  /** Reads who has the lease, and takes it if that is right. */
  async #lookUp(now: number): Promise<void> {
    const [reply] = await this.#send((
      node,
    ) => [node.send(["GET", this.#leaseKey], TIMEOUT_MS)]);
    const { name, run } = this.#context;
    this.#seen = reply == null ? undefined : parseLease(text(reply));
    this.#seenAt = now;
    if (reply != null) {
      this.#freeSince = undefined;
      // Its answer was lost, or came too late.
      const isOwn = this.#seen?.name === name && this.#seen.run === run;
      return isOwn ? await this.#renew(this.#seen!) : undefined;
    }
    this.#freeSince ??= now;
    const isDue = this.#preferred() === name ||
      now - this.#freeSince >= FREE_MS;
    if (isDue) await this.#acquire();
  }

  async #acquire(): Promise<void> {
    const { name, run } = this.#context;
    const sentAt = this.#context.clock();
    const [fence, replicas] = await this.#send((node) => [
      this.#eval(node, ACQUIRE_LEASE, `${name}:${run}`, `${LEASE_EXPIRY_MS}`),
      this.#waitForReplicas(node),
    ]);
    if (Number(fence) === 0) return; // another server was faster
    const lease = makeLease(Number(fence), name, run);
    this.#confirm(lease, sentAt, Number(replicas));
  }

  async #renew(lease: Lease): Promise<void> {
    const sentAt = this.#context.clock();
    const [renewed, replicas] = await this.#send((node) => [
      this.#eval(node, RENEW_LEASE, lease.value, `${LEASE_EXPIRY_MS}`),
      this.#waitForReplicas(node),
    ]);
    if (Number(renewed) === 1) {
      return this.#confirm(lease, sentAt, Number(replicas));
    }
    this.#own = undefined;
    this.#useUntil = -Infinity;
    this.#seen = undefined;
  }

  /** @param sentAt when the command was sent: Redis did it later */
  #confirm(lease: Lease, sentAt: number, replicas: number): void {
    if (replicas < this.#context.replicas()) return; // tried again soon
    this.#own = lease;
    this.#renewedAt = sentAt;
    this.#useUntil = sentAt + LEASE_USE_MS;
    this.#seen = lease;
    this.#seenAt = sentAt;
    this.#freeSince = undefined;
  }

  /** All replies arrive, or the first error is thrown. */
  #send(commands: (node: RedisNode) => Promise<Reply>[]): Promise<Reply[]> {
    return this.#context.nodes.run(
      this.#shard,
      (node) => Promise.all(commands(node)),
    );
  }

  #waitForReplicas(node: RedisNode): Promise<Reply> {
    const count = this.#context.replicas();
    return count === 0
      ? Promise.resolve(0)
      : node.send(["WAIT", `${count}`, `${WAIT_MS}`], TIMEOUT_MS + WAIT_MS);
  }

  #eval(node: RedisNode, script: string, ...args: string[]): Promise<Reply> {
    const keys = script === ACQUIRE_LEASE
      ? [this.#leaseKey, this.#fenceKey]
      : [this.#leaseKey];
    return node.send(
      ["EVAL", script, `${keys.length}`, ...keys, ...args],
      TIMEOUT_MS,
    );
  }
}
