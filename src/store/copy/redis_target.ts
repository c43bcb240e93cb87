/**
 * Writes a copy into Redis. Until it is complete, the format of the keys is one
 * that no server uses, so that none takes a part of a map for the whole.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import { plural } from "../../common/plural.ts";
import { printable } from "../../common/printable.ts";
import { OccupancyMap } from "../../grid/mod.ts";
import { formatRedisAddress, type RedisAddress } from "../redis/address.ts";
import { ScriptResult } from "../redis/checkpoint_scripts.ts";
import { ScriptError } from "../redis/checkpoint_target.ts";
import { openDeployment } from "../redis/connect.ts";
import {
  type Deployment,
  RedisError,
  type RedisNode,
} from "../redis/deployment.ts";
import { ANY_NAME } from "../redis/alive_times.ts";
import { RedisHistory } from "../redis/history/redis_history.ts";
import { DEFAULT_SHARDS, Keys } from "../redis/keys.ts";
import { COPY_FORMAT, FORMAT } from "../redis/keyspace.ts";
import { type Lease, makeLease } from "../redis/lease.ts";
import { readMembers } from "../redis/members.ts";
import { RecordTable } from "../redis/record_table.ts";
import { RedisCheckpoints } from "../redis/redis_checkpoints.ts";
import { redisStoreError } from "../redis/redis_problem.ts";
import { SeenWriters } from "../redis/seen_writers.ts";
import { FIRST_ID, text } from "../redis/stream_entry.ts";
import { type HistoryWork, type RecordOwner, StoreError } from "../store.ts";
import type { CopyTarget, RedisCopyOptions, StoreExtras } from "./endpoints.ts";
import { COPY_NAME, CopyEntry } from "./copy_entry.ts";
import type { HistoryTables } from "../history_tables.ts";
import type { HistorySummary } from "./history.ts";
import { copyHistoryRows } from "./history_rows.ts";
import { deleteKeys } from "./redis_keys.ts";

/** A copy of the largest map takes less time. */
const LEASE_MS = 3_600_000;
/** Maximum wait for the checkpoint of a shard, and for replicas, in ms. */
const CHECKPOINT_TIMEOUT_MS = 600_000;
const WAIT_MS = 30_000;
const POLL_MS = 5;
/** Of the history: all servers have later leases. */
const HISTORY_FENCE = 0;

/**
 * Prepares a place in Redis. Changes nothing before `begin`.
 *
 * @param force true to replace a map
 * @param signal ends what takes time, with its reason
 * @throws {StoreError} if it has a map, servers use it, or Redis cannot be used
 */
export async function openRedisTarget(
  address: RedisAddress,
  force: boolean,
  options: RedisCopyOptions,
  signal: AbortSignal,
): Promise<CopyTarget> {
  const description = formatRedisAddress(address);
  let deployment: Deployment | undefined;
  try {
    deployment = await openDeployment(address, options);
    const target = new RedisTarget(
      ...[deployment, description, force, options, signal] as const,
    );
    await target.check();
    return target;
  } catch (error) {
    deployment?.close();
    throw redisStoreError(description, error);
  }
}

class RedisTarget implements CopyTarget {
  readonly owners = ["zones", "home-assistant", "zone-memories"] as const;
  readonly #deployment: Deployment;
  readonly #description: string;
  readonly #force: boolean;
  readonly #options: RedisCopyOptions;
  readonly #keys: Keys;
  readonly #leases = new Map<number, Lease>();
  readonly #records = new RecordTable();
  readonly #entry: CopyEntry;
  readonly #signal: AbortSignal;
  #shards = DEFAULT_SHARDS;
  #checkpoints: RedisCheckpoints | undefined;
  /** Why a checkpoint was not written, unless that can end by itself. */
  #failure: unknown;
  #history: RedisHistory | undefined;
  #isBegun = false;
  #isComplete = false;

  constructor(
    deployment: Deployment,
    description: string,
    force: boolean,
    options: RedisCopyOptions,
    signal: AbortSignal,
  ) {
    this.#deployment = deployment;
    this.#description = description;
    this.#force = force;
    this.#options = options;
    this.#signal = signal;
    this.#keys = new Keys(deployment.prefix);
    this.#entry = new CopyEntry(deployment, this.#keys, description);
  }

  /** @throws {StoreError} if it may not be replaced */
  async check(): Promise<void> {
    const node = await this.#control();
    try {
      const format = await node.send(["HGET", this.#keys.meta, "format"]);
      const { alive } = await readMembers(node, this.#keys);
      if (alive.length > 0) {
        throw this.#usedError(alive.map(({ name }) => printable(name)));
      }
      // What an interrupted copy left is of no value.
      const isMap = format !== null && text(format) !== COPY_FORMAT;
      if (isMap && !this.#force) throw this.#mapError();
    } finally {
      node.close();
    }
  }

  async begin(sourceShards: number): Promise<OccupancyMap> {
    this.#shards = this.#options.shards ??
      (sourceShards > 1 ? sourceShards : DEFAULT_SHARDS);
    await this.check(); // a server may have been started meanwhile
    this.#isBegun = true;
    if (!await this.#entry.take(this.#shards)) {
      throw this.#usedError([COPY_NAME]);
    }
    await deleteKeys(this.#deployment, this.#keys, this.#entry);
    this.#signal.throwIfAborted();
    const run = crypto.randomUUID();
    for (let shard = 0; shard < this.#shards; shard++) {
      const node = await this.#deployment.open(this.#keys.journal(shard));
      const key = (name: string) => this.#keys.ofShard(shard, name);
      const fence = Number(await node.send(["INCR", key("fence")]));
      const lease = makeLease(fence, COPY_NAME, run);
      await node.send(
        ["SET", key("lease"), lease.value, "PX", `${LEASE_MS}`],
      );
      node.close();
      this.#leases.set(shard, lease);
    }
    const map = new OccupancyMap({}, { shards: this.#shards });
    this.#checkpoints = this.#makeCheckpoints(this.#records);
    for (let shard = 0; shard < this.#shards; shard++) {
      await this.#checkpoints.load(shard, map);
    }
    return map;
  }

  async write(
    _map: OccupancyMap,
    { records, lastAlive }: StoreExtras,
    owners: readonly RecordOwner[],
  ): Promise<void> {
    for (const owner of owners) {
      const changes = Array.from(
        records?.load(owner) ?? [],
        ([id, value]) => ({ id, value: Uint8Array.from(value) }),
      );
      const guard = owner === "zones" ? this.#records.edition : 0;
      this.#records.apply({
        ...{ kind: "records", now: 0, owner, mark: 1, guard, changes },
      });
    }
    for (let shard = 0; shard < this.#shards; shard++) {
      await this.#writeShard(shard);
    }
    if (lastAlive !== undefined) {
      const node = await this.#control();
      await node.send(["HSET", this.#keys.alive, ANY_NAME, `${lastAlive}`]);
      node.close();
    }
  }

  async writeHistory(
    source: HistoryTables,
    signal: AbortSignal,
  ): Promise<HistorySummary> {
    const map = new OccupancyMap({}, { shards: this.#shards });
    const history = this.#openHistory(map);
    if (!await history.shared.lead(HISTORY_FENCE)) {
      await this.#entry.assertOurs();
      throw new StoreError(
        `Cannot write the history to ${this.#description}`,
        { hint: "See the log of Redis, and its memory and disk." },
      );
    }
    const commit = async (work: HistoryWork) => {
      await this.#entry.assertOurs();
      return await history.commit(work, Infinity);
    };
    return await copyHistoryRows(source, commit, signal);
  }

  async read(): Promise<{ map: OccupancyMap; extras: StoreExtras }> {
    await this.#checkpoints!.close();
    const map = new OccupancyMap({}, { shards: this.#shards });
    const table = new RecordTable();
    const checkpoints = this.#makeCheckpoints(table);
    try {
      for (let shard = 0; shard < this.#shards; shard++) {
        this.#signal.throwIfAborted();
        await checkpoints.load(shard, map);
      }
    } finally {
      await checkpoints.close();
    }
    const node = await this.#control();
    const alive = await node.send(["HGET", this.#keys.alive, ANY_NAME]);
    node.close();
    const history = this.#openHistory(map);
    await history.open();
    return {
      map,
      extras: {
        history,
        records: { load: (owner) => table.records(owner) },
        lastAlive: alive === null ? undefined : Number(text(alive)),
      },
    };
  }

  async complete(): Promise<undefined> {
    await this.#entry.assertOurs();
    for (let shard = 0; shard < this.#shards; shard++) {
      const node = await this.#deployment.open(this.#keys.journal(shard));
      await node.send(["DEL", this.#keys.ofShard(shard, "lease")]);
      await this.#waitForReplicas(node);
      node.close();
    }
    const node = await this.#control();
    await this.#entry.finish(node, FORMAT);
    this.#isComplete = true;
    await this.#waitForReplicas(node);
    node.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#history?.close();
    await this.#checkpoints?.close();
    // What cannot be removed is not used by servers, and replaced by a copy.
    if (this.#isBegun && !this.#isComplete) {
      await this.#remove().catch(() => {});
    }
    this.#entry.close();
    this.#deployment.close();
  }

  /** Removes what was written, unless another copy can have begun. */
  async #remove(): Promise<void> {
    await this.#entry.assertOurs();
    await deleteKeys(this.#deployment, this.#keys, this.#entry);
    await this.#entry.finish(await this.#control(), undefined);
  }

  /** Only its number of shards counts of the map. */
  #openHistory(map: OccupancyMap): RedisHistory {
    this.#history?.close();
    return this.#history = new RedisHistory({
      deployment: this.#deployment,
      keys: this.#keys,
      shards: this.#shards,
      replicas: () => 0, // awaited when the copy is complete
      map: () => map,
    });
  }

  #makeCheckpoints(records: RecordTable): RedisCheckpoints {
    return new RedisCheckpoints({
      deployment: this.#deployment,
      keys: this.#keys,
      leaseOf: (shard) => this.#leases.get(shard),
      onError: (_shard, error) => {
        if (!isRepeatable(error)) this.#failure ??= error;
      },
      records,
      isCopy: true,
    });
  }

  /** Resolves when the checkpoint of a shard is complete. */
  async #writeShard(shard: number): Promise<void> {
    const checkpoints = this.#checkpoints!;
    this.#failure = undefined;
    const end = performance.now() + CHECKPOINT_TIMEOUT_MS;
    const node = await this.#deployment.open(this.#keys.journal(shard));
    const id = () =>
      node.send(["HGET", this.#keys.ofShard(shard, "checkpoint"), "id"]);
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        if (!checkpoints.isRunning(shard)) {
          if (await id() !== null) return;
          if (this.#failure !== undefined) {
            await this.#entry.assertOurs();
            throw redisStoreError(this.#description, this.#failure);
          }
          if (performance.now() > end) {
            throw new StoreError(
              `Cannot write shard ${shard} to ${this.#description}`,
              { hint: "See the log of Redis, and its memory and disk." },
            );
          }
          checkpoints.begin(shard, {
            ...{ position: FIRST_ID, now: 0, bytes: 0 },
            writers: new SeenWriters(),
          });
        }
        await delay(POLL_MS);
      }
    } finally {
      node.close();
    }
  }

  /** With replicas, the copy survives the failure of a master. */
  async #waitForReplicas(node: RedisNode): Promise<void> {
    if (await this.#deployment.replicas(node) === 0) return;
    const count = await node.send(
      ["WAIT", "1", `${WAIT_MS}`],
      2 * WAIT_MS,
    );
    if (Number(count) >= 1) return;
    throw new StoreError(
      `The copy in ${this.#description} is not on a replica of ${node.address}`,
      { hint: "Start the replicas, and try again." },
    );
  }

  #control(): Promise<RedisNode> {
    return this.#deployment.open(this.#keys.meta);
  }

  #usedError(names: readonly string[]): StoreError {
    const cannot = `Cannot write to ${this.#description}`;
    if (names.length === 1 && names[0] === COPY_NAME) {
      return new StoreError(`${cannot}: another copy is running`, {
        hint:
          "Wait until it has ended. If it was killed, try again after 20 seconds.",
      });
    }
    return new StoreError(
      `${cannot}: it is used by ${plural(names.length, "server")} (${
        names.join(", ")
      })`,
      {
        hint:
          "Stop all servers that use it, or name another prefix: redis://HOST:PORT/PREFIX. A server that was killed counts for 5 seconds more.",
      },
    );
  }

  #mapError(): StoreError {
    return new StoreError(
      `Cannot write to ${this.#description}: it has a map`,
      {
        hint:
          "Name another prefix: redis://HOST:PORT/PREFIX. --force replaces this map, which is then lost: copy it to a file first.",
      },
    );
  }
}

/** True for an error of a checkpoint that the next attempt may not have. */
function isRepeatable(error: unknown): boolean {
  if (error instanceof ScriptError) {
    return error.result !== ScriptResult.noLease;
  }
  return error instanceof RedisError &&
    (error.kind === "connection" || error.kind === "elsewhere");
}
