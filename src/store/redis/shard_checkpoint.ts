/**
 * Writes the checkpoints of one shard, while this server holds its lease.
 *
 * A checkpoint writes only the tiles that changed since the one in force, if this
 * server knows the chunks of that: if it loaded or wrote it. Otherwise another
 * server wrote it meanwhile, and the checkpoint writes all tiles. The chunks of
 * earlier ones are deleted after its commit; until then a start uses them.
 *
 * The ids of chunks begin with the fence of the lease, so servers never write
 * under the same id.
 *
 * @module
 */
import { delay } from "../../common/async.ts";
import { untilNextTurn } from "../../common/next_turn.ts";
import type { MapShard } from "../../grid/mod.ts";
import {
  type Checkpointer,
  MAX_GROWTH,
  MAX_MOVED_TILES,
} from "../checkpointer.ts";
import { type CheckpointRecord, recordPrefix } from "./checkpoint_record.ts";
import { TRIM_JOURNAL } from "./checkpoint_scripts.ts";
import {
  checkpointerOf,
  type CheckpointKeys,
  deleteChunks,
  type RedisCheckpointTarget,
  ScriptError,
  writeChunk,
} from "./checkpoint_target.ts";
import type { RedisNode, Reply } from "./deployment.ts";
import { MIN_ENTRY_AGE_MS } from "./journal_source.ts";
import type { JournalState } from "./journal_state.ts";
import type { Lease } from "./lease.ts";
import type { ShardNodes } from "./shard_nodes.ts";
import { list, text } from "./stream_entry.ts";

/** A step takes Redis and this server about 2 ms each. */
const STEP_LIMITS = {
  writtenBytes: 256 * 1024,
  deletedChunks: 64,
  movedTiles: MAX_MOVED_TILES,
};
/** Work between steps is let through for at least this time, in ms. */
const MIN_PAUSE_MS = 1;
/** Tiles that are marked in one turn of the event loop. */
const MARKED_TILES = 100_000;
/**
 * A checkpoint that writes all tiles writes about this much for each chunk that
 * it replaces: up to half of the content of chunks is garbage.
 */
const SUPERSEDED_BYTES = 16 * 1024;
/** Ids of chunks that a lease can use; more than 8 TB. */
const CHUNKS_PER_FENCE = 2 ** 28;
/** While the history has to be written first, it is asked after this time. */
const HISTORY_WAIT_MS = 100;
/** After a failure there is no attempt for this time, in ms. */
const RETRY_MS = 2000;
/** Entries that are trimmed at once: at most about 32 MiB. */
const TRIMMED_ENTRIES = 500;
const TIMEOUT_MS = 5000;

/** What the checkpoints of a shard need. */
export interface ShardCheckpointContext {
  readonly nodes: ShardNodes;
  /** Returns the lease of the shard if this server holds it. */
  lease(): Lease | undefined;
  /** The journal may have this size, or that of tiles and records, in bytes. */
  readonly minJournalBytes: number;
  /** Returns the parts of the records that belong to the shard. */
  records(): Iterable<readonly [name: string, bytes: Uint8Array]>;
  /**
   * Returns true if the history has what the shard was at a revision: before
   * that, the journal is needed for it.
   */
  isRecorded(revision: number): boolean;
  /** Called with an error of an attempt; it is repeated. */
  onError(error: unknown): void;
  /** In ms; never goes back. */
  clock(): number;
}

/** Writes the checkpoints of a shard. */
export class ShardCheckpoint {
  readonly #shard: number;
  readonly #keys: CheckpointKeys;
  readonly #context: ShardCheckpointContext;
  readonly #target: RedisCheckpointTarget;
  #map: MapShard;
  #checkpointer: Checkpointer<string>;
  /**
   * The checkpoint whose chunks the checkpointer knows; empty if that is none,
   * with no chunks. Undefined if it knows none of those in Redis.
   */
  #known: string | undefined;
  /** The checkpoint in force when this server found out; empty if none was. */
  #inForce: string;
  /** Chunks with a lower id are not of the checkpoint. */
  #firstChunk: number;
  /** `CheckpointMeta.journalBytes` of the checkpoint in force. */
  #checkpointedBytes: number;
  /** The names of the parts of the records in the known checkpoint. */
  #records: readonly string[] = [];
  /** Their size, in bytes: each checkpoint writes all of them. */
  #recordBytes = 0;
  /** Chunks to delete after the next commit. */
  #superseded: number[] = [];
  /** The fence of the lease with which this server can write. */
  #adopted: number | undefined;
  /** Belongs to the map; undefined while a delivery is applied. */
  #state: Readonly<JournalState> | undefined;
  #mustTrim = false;
  #retryAt = -Infinity;
  #running: Promise<void> | undefined;
  #isClosed = false;

  /**
   * @param map the shard
   * @param checkpointer knows the chunks of the record; it writes to `target`
   * @param record the checkpoint that was loaded; undefined if there is none
   */
  constructor(
    shard: number,
    keys: CheckpointKeys,
    context: ShardCheckpointContext,
    map: MapShard,
    target: RedisCheckpointTarget,
    checkpointer: Checkpointer<string>,
    record: CheckpointRecord | undefined,
  ) {
    this.#shard = shard;
    this.#keys = keys;
    this.#context = context;
    this.#map = map;
    this.#target = target;
    this.#checkpointer = checkpointer;
    this.#known = this.#inForce = record?.id ?? "";
    this.#firstChunk = record?.meta.firstChunk ?? 0;
    this.#checkpointedBytes = record?.meta.journalBytes ?? 0;
    this.#records = record?.meta.records ?? [];
  }

  /** True while it writes, deletes or trims. */
  get isRunning(): boolean {
    return this.#running !== undefined;
  }

  /** Call it before entries are applied: no checkpoint can begin until they are. */
  applying(): void {
    this.#state = undefined;
  }

  /**
   * Begins a checkpoint if one is due. Call it when entries were applied.
   *
   * @param state belongs to the map until {@linkcode ShardCheckpoint.applying}
   */
  applied(state: Readonly<JournalState>): void {
    this.#state = state;
    this.#beginIfDue(state);
  }

  #beginIfDue(state: Readonly<JournalState>): void {
    if (this.#isLongerThan(1, state)) this.begin(state);
  }

  /** Returns true if the journal has some multiple of its limit. */
  #isLongerThan(limits: number, { bytes }: Readonly<JournalState>): boolean {
    const limit = Math.max(
      this.#context.minJournalBytes,
      this.#checkpointer.liveBytes + this.#recordBytes,
      this.#superseded.length * SUPERSEDED_BYTES,
    );
    return bytes - this.#checkpointedBytes >= limits * limit;
  }

  /** Begins a checkpoint, if this server can write one now. */
  begin(state: Readonly<JournalState>): void {
    const lease = this.#readyLease();
    if (lease === undefined || lease.fence !== this.#adopted) return;
    const { position, now, bytes } = state;
    const writers = state.writers.list();
    const id = `${lease.fence}-${crypto.randomUUID()}`;
    const records = Array.from(
      this.#context.records(),
      ([name, value]) => [`${recordPrefix(id)}${name}`, value] as const,
    );
    const names = records.map(([name]) => name);
    this.#recordBytes = records.reduce(
      (sum, [, { length }]) => sum + length,
      0,
    );
    const { revision } = this.#map;
    this.#checkpointer.begin(this.#map, { position });
    this.#target.end = {
      mayCommit: () =>
        this.#context.isRecorded(revision) ||
        this.#isLongerThan(MAX_GROWTH, state),
      previous: this.#inForce,
      firstWritten: this.#checkpointer.firstChunk,
      others: names,
      record: (map, position) => ({
        id,
        position,
        meta: {
          map,
          firstChunk: this.#firstChunk,
          journalBytes: bytes,
          now,
          writers,
          records: names,
        },
      }),
    };
    this.#run(async () => {
      await this.#write(lease, records);
      this.#known = this.#inForce = id;
      this.#checkpointedBytes = bytes;
      const obsolete = this.#records;
      this.#records = names;
      this.#checkpointer.adopt(this.#superseded, 0);
      this.#superseded = [];
      this.#mustTrim = true;
      await this.#delete(lease, id, obsolete);
      await this.#write(lease, []);
      await this.#trim(lease);
    });
  }

  /**
   * Does what does not depend on entries, and begins a checkpoint that was due when
   * none could begin, or that failed. Call it about once a second.
   */
  update(): void {
    const lease = this.#readyLease();
    if (lease === undefined) return;
    if (lease.fence !== this.#adopted) this.#run(() => this.#adopt(lease));
    else if (this.#mustTrim) this.#run(() => this.#trim(lease));
    else if (this.#state !== undefined) this.#beginIfDue(this.#state);
  }

  /** Ends, also a checkpoint that is being written. Never throws. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  /** Returns the lease if something can begin now. */
  #readyLease(): Lease | undefined {
    const isReady = !this.isRunning && !this.#isClosed &&
      this.#context.clock() >= this.#retryAt;
    return isReady ? this.#context.lease() : undefined;
  }

  #run(work: () => Promise<void>): void {
    this.#running = work().catch((error) => {
      this.#adopted = undefined;
      this.#retryAt = this.#context.clock() + RETRY_MS;
      if (!this.#isClosed) this.#context.onError(error);
    }).finally(() => this.#running = undefined);
  }

  /** Finds out what this server can use of the chunks that Redis has. */
  async #adopt(lease: Lease): Promise<void> {
    const { checkpoint, chunks } = this.#keys;
    const [record, names] = await this.#send((node) => [
      node.send(["HMGET", checkpoint, "id", "meta"], TIMEOUT_MS),
      node.send(["HKEYS", chunks], TIMEOUT_MS),
    ]);
    const [idReply, metaReply] = list(record);
    const inForce = idReply === null ? "" : text(idReply);
    const stored = list(names).map(text);
    const used = inForce === ""
      ? { journalBytes: 0, records: [], map: { chunk: 0 } }
      : JSON.parse(text(metaReply));
    // In their order: a chunk that marks a deleted layer goes after its chunks.
    const ids = stored.filter((name) => !name.includes(":")).map(Number)
      .sort((a, b) => a - b);
    if (inForce === this.#known) {
      // An attempt may have failed after its commit.
      while (this.#checkpointer.updateIndex(MAX_MOVED_TILES)) {
        await untilNextTurn();
      }
      // Also what an attempt of this server has left.
      const known = new Set(this.#checkpointer.chunkIds());
      await this.#delete(lease, inForce, ids.filter((id) => !known.has(id)));
    } else {
      const { chunk } = used.map;
      await this.#delete(lease, inForce, ids.filter((id) => id > chunk));
      this.#superseded = ids.filter((id) => id <= chunk);
      this.#checkpointer = checkpointerOf(this.#target, "");
      this.#known = undefined;
      this.#firstChunk = lease.fence * CHUNKS_PER_FENCE;
      await this.#markAll();
    }
    this.#inForce = inForce;
    this.#records = used.records;
    const parts = stored.filter((name) =>
      name.includes(":") && !this.#records.includes(name)
    );
    await this.#delete(lease, inForce, parts);
    this.#checkpointer.adopt([], lease.fence * CHUNKS_PER_FENCE);
    this.#checkpointedBytes = used.journalBytes;
    this.#mustTrim = inForce !== "";
    this.#adopted = lease.fence;
  }

  /** Marks all tiles as changed since the last checkpoint. */
  async #markAll(): Promise<void> {
    for (const [, grid] of [...this.#map.layers()]) {
      for (let tile = 0; tile < grid.tileCount;) {
        const end = Math.min(tile + MARKED_TILES, grid.tileCount);
        for (; tile < end; tile++) grid.markDirty(tile);
        await untilNextTurn();
      }
    }
  }

  /** Runs the steps of the checkpointer until it has no work. */
  async #write(
    lease: Lease,
    records: readonly (readonly [name: string, value: Uint8Array])[],
  ): Promise<void> {
    const checkpointer = this.#checkpointer;
    try {
      const node = await this.#node();
      for (const [name, value] of records) {
        await writeChunk(node, this.#keys, lease.value, name, value);
      }
      while (checkpointer.hasWork) {
        if (this.#isClosed || this.#context.lease()?.fence !== lease.fence) {
          throw new ScriptError(0);
        }
        const start = performance.now();
        checkpointer.step(1, STEP_LIMITS);
        const isWaiting = this.#target.isEmpty;
        await this.#context.nodes.run(this.#shard, (current) => {
          // Another connection may be to another master, which has less.
          if (current !== node) throw new ScriptError(-2);
          return this.#target.send(node, lease.value, this.#inForce);
        });
        if (checkpointer.stepCommitted()) return;
        const pauseMs = isWaiting ? HISTORY_WAIT_MS : MIN_PAUSE_MS;
        await delay(Math.max(pauseMs, performance.now() - start));
      }
    } catch (error) {
      checkpointer.stepFailed();
      throw error;
    }
  }

  async #delete(
    lease: Lease,
    inForce: string,
    ids: readonly (number | string)[],
  ): Promise<void> {
    const { deletedChunks } = STEP_LIMITS;
    for (let i = 0; i < ids.length; i += deletedChunks) {
      const names = ids.slice(i, i + deletedChunks).map(String);
      await deleteChunks(
        ...[await this.#node(), this.#keys, lease.value, inForce, names],
      );
    }
  }

  /** Trims the journal behind the checkpoint in force. */
  async #trim(lease: Lease): Promise<void> {
    const { lease: leaseKey, checkpoint, journal } = this.#keys;
    let result = 3;
    while (result === 3 && !this.#isClosed) {
      const [reply] = await this.#send((node) => [
        node.send([
          ...["EVAL", TRIM_JOURNAL, "3", leaseKey, checkpoint, journal],
          ...[lease.value, `${MIN_ENTRY_AGE_MS}`, `${TRIMMED_ENTRIES}`],
        ], TIMEOUT_MS),
      ]);
      result = Number(reply);
      await delay(MIN_PAUSE_MS);
    }
    if (result === 0) throw new ScriptError(result);
    this.#mustTrim = result !== 1;
  }

  #node(): Promise<RedisNode> {
    return this.#context.nodes.of(this.#shard);
  }

  #send(commands: (node: RedisNode) => Promise<Reply>[]): Promise<Reply[]> {
    return this.#context.nodes.run(
      this.#shard,
      (node) => Promise.all(commands(node)),
    );
  }
}
