/**
 * Checkpoints of a map in Redis.
 *
 * The server that holds the lease of a shard writes a checkpoint when the
 * content of the shard's journal exceeds {@linkcode MIN_JOURNAL_BYTES} and the
 * size of all tiles and records: so it never writes more than the journal received. Then it
 * trims the journal.
 *
 * @module
 */
import { printable } from "../../common/printable.ts";
import type { OccupancyMap } from "../../grid/mod.ts";
import type { LoadGuard } from "../load_guard.ts";
import { StoreError } from "../store.ts";
import { readCheckpoint, type RestoredShard } from "./checkpoint_reader.ts";
import { type CheckpointKeys, ScriptError } from "./checkpoint_target.ts";
import { type Deployment, RedisError } from "./deployment.ts";
import type { Checkpoints, JournalState } from "./journal_state.ts";
import type { Keys } from "./keys.ts";
import type { Lease } from "./lease.ts";
import { SeenWriters } from "./seen_writers.ts";
import { ShardCheckpoint } from "./shard_checkpoint.ts";
import { ShardNodes } from "./shard_nodes.ts";
import { compareIds, FIRST_ID } from "./stream_entry.ts";

/**
 * 1 MiB: 16 shards replay at most twice as much at a start as one SQLite file
 * does, unless they have more tiles. A checkpoint of a small shard is only a few
 * commands, so it does not need the 8 MiB of a file, each step of which is
 * written to the disk twice.
 */
export const MIN_JOURNAL_BYTES = 1024 * 1024;

const UPDATE_INTERVAL_MS = 1000;

/** A failing checkpoint is reported at most once in this time, in ms. */
const WARNING_INTERVAL_MS = 60_000;

/** The records that belong to the map, see `RecordTable`. */
export interface CheckpointedRecords {
  /** Returns the parts of all records, as they are now. */
  save(): Iterable<readonly [name: string, bytes: Uint8Array]>;
  /** Replaces all records. @throws {StoreError} if they are damaged */
  restore(parts: Iterable<readonly [name: string, bytes: Uint8Array]>): void;
}

/** Options of {@linkcode RedisCheckpoints}. */
export interface RedisCheckpointsOptions {
  readonly deployment: Deployment;
  readonly keys: Keys;
  /** Returns the lease of a shard, if this server holds it. */
  readonly leaseOf: (shard: number) => Lease | undefined;
  /** True for a copy of a map, see {@linkcode CheckpointKeys}. Default false. */
  readonly isCopy?: boolean | undefined;
  /** Stored with shard 0. Default: none. */
  readonly records?: CheckpointedRecords | undefined;
  /**
   * Returns true if the history has what a shard was at a revision, see
   * `HistoryWork.covers()`. Default: true.
   */
  readonly isRecorded?:
    | ((shard: number, revision: number) => boolean)
    | undefined;
  /** See `Follower.onReloaded()`. */
  readonly onReloaded?: ((shard: number) => void) | undefined;
  /** Called with the error of each attempt at a checkpoint; it is repeated. */
  readonly onError?: ((shard: number, error: unknown) => void) | undefined;
  /** Receives a line about a problem that does not prevent the use. */
  readonly onWarning?: ((line: string) => void) | undefined;
  /** Default {@linkcode MIN_JOURNAL_BYTES}. */
  readonly minJournalBytes?: number | undefined;
}

/** Restores and writes the checkpoints of all shards. */
export class RedisCheckpoints implements Checkpoints {
  readonly #options: RedisCheckpointsOptions;
  readonly #nodes: ShardNodes;
  /** By shard, once it is loaded. */
  readonly #shards: (ShardCheckpoint | undefined)[] = [];
  /** By shard: the position that was applied last. */
  readonly #positions: string[] = [];
  readonly #timer: ReturnType<typeof setInterval>;
  #map: OccupancyMap | undefined;
  #warnedAt = -Infinity;
  #isClosed = false;

  constructor(options: RedisCheckpointsOptions) {
    this.#options = options;
    this.#nodes = new ShardNodes(
      options.deployment,
      (shard) => options.keys.ofShard(shard, "chunks"),
    );
    this.#timer = setInterval(() => {
      for (const shard of this.#shards) shard?.update();
    }, UPDATE_INTERVAL_MS);
  }

  async load(
    shard: number,
    map: OccupancyMap,
    guard?: LoadGuard,
  ): Promise<JournalState | undefined> {
    this.#map = map;
    const restored = await this.#read(shard, () => {
      // At once in the map, so that the guard counts it.
      map.replaceShard(shard, map.emptyShard());
      return map.shards[shard]!;
    }, guard);
    return this.#use(shard, restored);
  }

  async reload(
    shard: number,
    reason: "trimmed" | "lost",
  ): Promise<JournalState | undefined> {
    await this.#shards[shard]?.close();
    const map = this.#map!;
    const restored = await this.#read(shard, () => map.emptyShard());
    const next = restored.record?.position ?? FIRST_ID;
    if (
      reason === "trimmed" && compareIds(next, this.#positions[shard]!) <= 0
    ) throw this.#gapError(shard);
    // Damaged records throw before anything has changed.
    const state = this.#use(shard, restored);
    map.replaceShard(shard, restored.map);
    this.#options.onReloaded?.(shard);
    return state;
  }

  applying(shard: number): void {
    this.#shards[shard]?.applying();
  }

  applied(shard: number, state: Readonly<JournalState>): void {
    this.#positions[shard] = state.position;
    this.#shards[shard]?.applied(state);
  }

  /**
   * Begins a checkpoint of a shard, even if none is due. Does nothing if this
   * server cannot write one now.
   *
   * @param state belongs to the present state of the map
   */
  begin(shard: number, state: Readonly<JournalState>): void {
    this.#shards[shard]?.begin(state);
  }

  /** True while it writes a checkpoint of a shard, deletes chunks or trims. */
  isRunning(shard: number): boolean {
    return this.#shards[shard]?.isRunning ?? false;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    const closing = this.#shards.map((shard) => shard?.close());
    this.#nodes.close(); // ends what is sent
    await Promise.all(closing);
  }

  async #read(
    shard: number,
    emptyShard: () => OccupancyMap["shards"][number],
    guard?: LoadGuard,
  ): Promise<RestoredShard> {
    const description =
      `shard ${shard} of ${this.#options.deployment.description}`;
    return await this.#nodes.run(shard, (node) =>
      readCheckpoint(node, {
        ...{ keys: this.#keysOf(shard), description, emptyShard, guard },
      }));
  }

  #use(shard: number, restored: RestoredShard): JournalState | undefined {
    const { map, target, checkpointer, record, records } = restored;
    const { leaseOf, minJournalBytes = MIN_JOURNAL_BYTES } = this.#options;
    const { isRecorded = () => true } = this.#options;
    const ownRecords = shard === 0 ? this.#options.records : undefined;
    ownRecords?.restore(records);
    this.#shards[shard] = new ShardCheckpoint(
      shard,
      this.#keysOf(shard),
      {
        nodes: this.#nodes,
        lease: () => leaseOf(shard),
        minJournalBytes,
        records: () => ownRecords?.save() ?? [],
        isRecorded: (revision) => isRecorded(shard, revision),
        onError: (error) => this.#onError(shard, error),
        clock: () => performance.now(),
      },
      map,
      target,
      checkpointer,
      record,
    );
    this.#positions[shard] = record?.position ?? FIRST_ID;
    if (record === undefined) return undefined;
    const { position, meta: { now, journalBytes, writers } } = record;
    const seen = new SeenWriters(writers);
    return { position, now, bytes: journalBytes, writers: seen };
  }

  #onError(shard: number, error: unknown): void {
    this.#options.onError?.(shard, error);
    // Redis is away, or another server has the lease: it goes on later.
    if (
      this.#isClosed || error instanceof ScriptError ||
      (error instanceof RedisError &&
        (error.kind === "connection" || error.kind === "elsewhere"))
    ) return;
    const now = performance.now();
    if (now - this.#warnedAt < WARNING_INTERVAL_MS) return;
    this.#warnedAt = now;
    const cause = error instanceof Error ? error.message : `${error}`;
    this.#options.onWarning?.(
      `Cannot write a checkpoint of shard ${shard} in ${this.#options.deployment.description}: ${
        printable(cause)
      }. Its journal grows until that works; the server tries again. Check the memory and the disk of Redis.`,
    );
  }

  #gapError(shard: number): StoreError {
    const { deployment, keys } = this.#options;
    return new StoreError(
      `Entries of ${
        keys.ofShard(shard, "journal")
      } in ${deployment.description} are not in Redis any more, and no checkpoint has them`,
      {
        hint:
          "Something else than occupancy has trimmed the journal. Restore a backup of Redis, or use another prefix to begin with an empty map: redis://HOST:PORT/PREFIX.",
      },
    );
  }

  #keysOf(shard: number): CheckpointKeys {
    const { keys, isCopy = false } = this.#options;
    return {
      isCopy,
      lease: keys.ofShard(shard, "lease"),
      checkpoint: keys.ofShard(shard, "checkpoint"),
      chunks: keys.ofShard(shard, "chunks"),
      journal: keys.ofShard(shard, "journal"),
    };
  }
}
