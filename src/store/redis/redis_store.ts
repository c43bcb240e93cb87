/**
 * A store in Redis that several servers share.
 *
 * @module
 */
import { doneWithin } from "../../common/async.ts";
import { untilNextTurn } from "../../common/next_turn.ts";
import { Semaphore } from "../../common/semaphore.ts";
import type { OccupancyMap } from "../../grid/mod.ts";
import { ColumnPool } from "../column_pool.ts";
import { LoadGuard } from "../load_guard.ts";
import {
  applyEntry,
  type ApplyLoaded,
  countReadings,
  type Delivery,
  type Entry,
  type Follower,
  type HistoryWork,
  type LoadLimit,
  type SharedStore,
  type Store,
  type StoreError,
} from "../store.ts";
import { AliveTimes } from "./alive_times.ts";
import { RedisHistory } from "./history/redis_history.ts";
import { divideCommit } from "./commit_parts.ts";
import type { Deployment } from "./deployment.ts";
import { initialState, type JournalState } from "./journal_state.ts";
import { JournalWarnings } from "./journal_warnings.ts";
import { Keys } from "./keys.ts";
import { openMap } from "./keyspace.ts";
import { RedisLeases } from "./leases.ts";
import { Members } from "./members.ts";
import { RedisCheckpoints } from "./redis_checkpoints.ts";
import { RedisProblem, storeClosedError } from "./redis_problem.ts";
import { SharedRecords } from "./shared_records.ts";
import { ShardSizes } from "./shard_sizes.ts";
import { lagOf, ShardReader } from "./shard_reader.ts";
import { ShardWriter } from "./shard_writer.ts";
import { StartRetries } from "./start_retries.ts";

/** How long staged records are committed before the store ends, in ms. */
const FLUSH_TIMEOUT_MS = 1000;
/** About: in a journal. */
const BYTES_PER_READING = 8;
/** Work of a turn of the event loop while the map is loaded, in ms. */
const TURN_MS = 20;
/** A server with less lag counts as caught up, in ms. */
const CAUGHT_UP_MS = 1000;

/** Options of {@linkcode RedisStore}. */
export interface RedisStoreOptions {
  /** The servers of Redis. The store closes it. */
  readonly deployment: Deployment;
  /** The name of this server; each of those that share the store has another. */
  readonly name: string;
  /** Number of shards, as of all servers that share the store. */
  readonly shards: number;
  /**
   * How many replicas must have what is committed. Default: as many as the other
   * servers want; of the first one, 1 if there are replicas at its start, else 0.
   */
  readonly replicas?: number | undefined;
  /** Receives a line about a problem that does not prevent the use. */
  readonly onWarning?: ((line: string) => void) | undefined;
  /** Receives a line when such a problem is over. */
  readonly onInfo?: ((line: string) => void) | undefined;
  /** The clock of this machine, ms since 1970. Default `Date.now`. */
  readonly now?: () => number;
  /** A clock that never jumps, in ms. Default `performance.now()`. */
  readonly monotonic?: () => number;
}

/**
 * Stores a map as journals in Redis Streams, one for each shard. `commit`
 * appends, and every server that shares the store applies what it reads, in the
 * order of the journals: so all have the same map with the same revisions.
 *
 * `docs/DESIGN.md` says why nothing that was acknowledged is lost.
 */
export class RedisStore implements Store {
  readonly description: string;
  readonly durable = true;
  readonly shared: SharedStore;
  readonly keys: Keys;
  /** Identifies this run of the server. */
  readonly run: string = crypto.randomUUID();
  readonly records: SharedRecords;
  readonly members: Members;
  readonly leases: RedisLeases;
  readonly history: RedisHistory;
  historyWork: HistoryWork | undefined;
  readonly #sizes: ShardSizes;
  readonly #options: RedisStoreOptions;
  readonly #warn: (line: string) => void;
  readonly #problem: RedisProblem;
  readonly #closing = new AbortController();
  readonly #turns = new Semaphore(1);
  /** For the delivery that is applied. */
  readonly #pool = new ColumnPool();
  readonly #warnings: JournalWarnings;
  readonly #writers: ShardWriter[] = [];
  readonly #readers: ShardReader[] = [];
  readonly #states: JournalState[] = [];
  /** Ends calls of `sync`. */
  readonly #syncs = new Set<() => void>();
  #map: OccupancyMap | undefined;
  #follower: Follower | undefined;
  readonly #checkpoints: RedisCheckpoints;
  #replicas = 0;
  readonly #alive: AliveTimes;

  constructor(options: RedisStoreOptions) {
    const { deployment, name, shards, onWarning = () => {} } = options;
    this.#options = options;
    this.#warn = onWarning;
    this.#warnings = new JournalWarnings(onWarning);
    this.description = deployment.description;
    this.keys = new Keys(deployment.prefix);
    this.#problem = new RedisProblem(
      deployment.description,
      (problem) => this.#onProblem(problem),
    );
    this.records = new SharedRecords({
      commit: (entries) => this.commit(entries),
      now: options.now ?? Date.now,
    });
    this.#alive = new AliveTimes({
      ...{ deployment, name, keys: this.keys, problem: this.#problem },
    });
    this.members = new Members({
      ...{ ...options, keys: this.keys, run: this.run },
      problem: this.#problem,
      isCaughtUp: () =>
        this.#follower !== undefined &&
        this.#follower.canPublish?.() !== false &&
        this.#lag().ms < CAUGHT_UP_MS,
    });
    this.#sizes = new ShardSizes({ deployment, keys: this.keys, shards });
    this.leases = new RedisLeases({
      ...{ deployment, keys: this.keys, shards, name, run: this.run },
      members: this.members,
      replicas: () => this.#replicas,
    });
    this.history = new RedisHistory({
      ...{ deployment, keys: this.keys, shards },
      replicas: () => this.#replicas,
      map: () => this.#map!,
    });
    this.#checkpoints = new RedisCheckpoints({
      ...{ deployment, keys: this.keys, onWarning, records: this.records },
      isRecorded: (shard, revision) =>
        this.historyWork?.covers?.(shard, revision) ?? true,
      leaseOf: (shard) => this.leases.leaseOf(shard),
      onReloaded: (shard) => this.#follower?.onReloaded?.(shard),
    });
    for (let shard = 0; shard < shards; shard++) {
      this.#writers.push(this.#makeWriter(shard));
    }
    // deno-lint-ignore no-this-alias
    const store = this;
    this.shared = {
      leases: this.leases,
      get damagedEntries() {
        return store.#warnings.damaged;
      },
      get sizes() {
        return store.#sizes.latest;
      },
      get lag() {
        return store.#lag();
      },
      follow: (follower) => this.#follow(follower),
      sync: (shards) => this.#sync(shards),
    };
  }

  get lastAlive(): number | undefined {
    return this.#alive.last;
  }

  get historyProblem(): StoreError | undefined {
    return this.history.problem;
  }

  /** How many replicas must have what is committed. Valid after `load`. */
  get replicas(): number {
    return this.#replicas;
  }

  /**
   * @inheritdoc
   *
   * Waits while Redis cannot be reached, with warnings.
   */
  async load(
    map: OccupancyMap,
    limit?: LoadLimit,
    applyOne: ApplyLoaded = applyEntry.bind(undefined, map),
  ): Promise<void> {
    const { shards } = this.#options;
    if (map.shards.length !== shards) {
      throw new RangeError(
        `Cannot load ${shards} shards into a map with ${map.shards.length}`,
      );
    }
    this.#map = map;
    const start = new StartRetries(
      this.#options.deployment,
      this.#warn,
      this.#closing.signal,
    );
    this.#replicas = await start.run(() =>
      openMap({
        ...{ ...this.#options, keys: this.keys, warn: this.#warn },
        onOpen: (node) => this.#alive.load(node),
      })
    );
    if (this.historyWork !== undefined) {
      await start.run(() => this.history.open());
      this.historyWork.opened?.();
    }
    // After a crash it waits until the entry of the crashed server expires.
    const joined = start.run(() => this.members.join());
    joined.catch(() => {}); // an error of the map comes first
    const guard = new LoadGuard(this.description, map, limit);
    await Promise.all(map.shards.map(async (_, shard) => {
      const state = await start.run(() =>
        this.#checkpoints.load(shard, map, guard)
      );
      this.#states[shard] = state ?? initialState();
      this.#readers[shard] = this.#makeReader(shard);
      const apply = (one: Delivery) => this.#loadDelivery(one, guard, applyOne);
      await start.run(() => this.#readers[shard]!.load(apply, this.#replicas));
    }));
    await joined;
  }

  /** @inheritdoc */
  commit(entries: readonly Entry[]): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return Promise.reject(signal.reason);
    const alive = entries.findLast(({ kind }) => kind === "alive");
    const { commit, parts } = divideCommit(entries, this.#map!);
    for (const [shard, some] of parts) this.#writers[shard]!.append(some);
    if (alive === undefined) return commit.done;
    const done = commit.done.then(async () => {
      if (!await this.#alive.store(alive.now)) throw signal.reason;
    });
    done.catch(() => {}); // the caller may not wait for it
    return done;
  }

  applied(): void {}

  /** @inheritdoc */
  commitHistory(budgetMs?: number): Promise<StoreError | undefined> {
    return this.history.commit(this.historyWork, budgetMs);
  }

  problem(): StoreError | undefined {
    return this.#problem.reported;
  }

  /**
   * @inheritdoc
   *
   * What was not committed stays so, and those who wait for it get an error.
   */
  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (this.#follower !== undefined && this.problem() === undefined) {
      await doneWithin(
        Promise.all([
          this.records.flushed(),
          this.history.commitAll(this.historyWork),
        ]),
        FLUSH_TIMEOUT_MS,
      );
      if (this.#closing.signal.aborted) return;
    }
    const error = storeClosedError(this.description);
    this.#closing.abort(error);
    this.#problem.close();
    this.#warnings.close();
    this.records.close();
    this.#alive.close();
    this.history.close();
    for (const writer of this.#writers) {
      for (const commit of writer.pending()) commit.fail(error);
      writer.stop();
    }
    for (const end of [...this.#syncs]) end();
    // While the map is loaded, some may be missing.
    const readers = this.#readers.filter((reader) => reader !== undefined);
    for (const reader of readers) reader.stop();
    await this.#checkpoints.close();
    await this.leases.close();
    await this.members.close();
    this.#sizes.close();
    this.#options.deployment.close();
    await Promise.all(
      [...this.#writers, ...readers].map((one) => one.stopped()),
    );
  }

  #makeWriter(shard: number): ShardWriter {
    return new ShardWriter({
      deployment: this.#options.deployment,
      key: this.keys.journal(shard),
      source: `write ${shard}`,
      problem: this.#problem,
      run: this.run,
      replicas: () => this.#replicas,
      onSafe: () => this.#readers[shard]?.checkOwn(),
    });
  }

  #makeReader(shard: number): ShardReader {
    const state = this.#states[shard]!;
    const key = this.keys.journal(shard);
    return new ShardReader({
      ...{ shard, state, key, run: this.run, pool: this.#pool },
      deployment: this.#options.deployment,
      source: `read ${shard}`,
      problem: this.#problem,
      writer: this.#writers[shard]!,
      turns: this.#turns,
      shardOf: (layer) => this.#map!.shardOf(layer),
      onApplying: () => this.#checkpoints.applying(shard),
      onApplied: () => this.#checkpoints.applied(shard, state),
      onDamage: (id, reason) => this.#warnings.damage(key, id, reason),
      onBadSources: (id, reason) => this.#warnings.badSources(key, id, reason),
      onMissing: (id, run, count) =>
        this.#warnings.missing(key, id, run, count),
      onGap: (reason) => this.#reload(shard, reason),
    });
  }

  async #loadDelivery(
    { shard, entries }: Delivery,
    guard: LoadGuard,
    applyOne: ApplyLoaded,
  ): Promise<void> {
    let turnEnd = performance.now() + TURN_MS;
    for (const entry of entries) {
      this.historyWork?.beforeReplay?.(entry.now);
      if (entry.kind === "records") this.records.apply(entry);
      else applyOne(entry, shard);
      if (performance.now() < turnEnd) continue;
      await untilNextTurn();
      turnEnd = performance.now() + TURN_MS;
    }
    guard.loaded(BYTES_PER_READING * countReadings(entries), () => 0);
  }

  #follow(follower: Follower): void {
    this.#follower = follower;
    const { reported } = this.#problem;
    if (reported !== undefined) follower.onProblem(reported);
    for (const reader of this.#readers) {
      reader.follow((delivery) => {
        for (const entry of delivery.entries) {
          if (entry.kind === "records") this.records.apply(entry);
        }
        return follower.apply(delivery);
      });
    }
    this.leases.start();
  }

  async #sync(shards: Iterable<number>): Promise<void> {
    if (this.#problem.reported || this.#closing.signal.aborted) return;
    const { promise: failed, resolve } = Promise.withResolvers<void>();
    this.#syncs.add(resolve);
    const marks = [...shards].map((shard) => this.#writers[shard]!.mark().done);
    await Promise.race([failed, Promise.all(marks).catch(() => {})]);
    this.#syncs.delete(resolve);
  }

  #onProblem(problem: StoreError | undefined): void {
    this.#follower?.onProblem(problem);
    if (problem !== undefined) { for (const end of [...this.#syncs]) end(); }
  }

  async #reload(shard: number, reason: "trimmed" | "lost"): Promise<void> {
    this.#warnings.gap(this.keys.journal(shard), reason);
    const next = await this.#checkpoints.reload(shard, reason) ??
      initialState();
    Object.assign(this.#states[shard]!, next);
    const own = next.writers.list().find(([run]) => run === this.run);
    if (own !== undefined) this.#writers[shard]!.appliedUpTo(own[1]);
  }

  #lag(): SharedStore["lag"] {
    // Skips those that are missing while the map is loaded.
    return lagOf(this.#readers.filter((reader) => reader !== undefined));
  }
}
