/**
 * The history of a map in Redis, which several servers share.
 *
 * @module
 */
import type { OccupancyMap, Region } from "../../../grid/mod.ts";
import type { Gap } from "../../../history/gaps.ts";
import type {
  HistoryDayRow,
  HistoryHourRow,
  HistoryRow,
  HistorySharing,
  HistorySize,
  HistoryTables,
  HistoryTile,
  HistoryTileRows,
  HistoryWork,
  HistoryZone,
} from "../../history_tables.ts";
import type { StoreError } from "../../store_error.ts";
import { type Deployment, RedisError } from "../deployment.ts";
import type { Keys } from "../keys.ts";
import { redisStoreError } from "../redis_problem.ts";
import { HistoryBatch } from "./batch.ts";
import { HistoryCollector } from "./collector.ts";
import { HistoryReads } from "./reads.ts";
import { ShardStates } from "./shard_states.ts";
import { HistoryWriter } from "./writer.ts";

/** The default of a commit, in ms. */
const BUDGET_MS = 10;

/** A tile of a layer. */
type Place = Pick<HistoryTile, "tx" | "ty">;

/** Options of {@linkcode RedisHistory}. */
export interface RedisHistoryOptions {
  readonly deployment: Deployment;
  readonly keys: Keys;
  /** Number of shards. */
  readonly shards: number;
  /** Returns how many replicas must have what is written. */
  readonly replicas: () => number;
  /** Returns the map; not called before it is loaded. */
  readonly map: () => OccupancyMap;
}

/**
 * The history in Redis. A layer and its zones are in the layer's shard, numbers
 * and gaps in shard 0. What changes the tables is collected, and written by
 * scripts: those of a shard one after the other, those of shards at the same
 * time, and then numbers and gaps.
 */
export class RedisHistory extends HistoryCollector implements HistoryTables {
  readonly shared: HistorySharing;
  readonly #options: RedisHistoryOptions;
  readonly #reads: HistoryReads;
  readonly #writer: HistoryWriter;
  readonly #states: ShardStates;
  #problem: StoreError | undefined;
  #running: Promise<StoreError | undefined> | undefined;
  /** True if memory may differ from Redis. */
  #isStale = true;

  constructor(options: RedisHistoryOptions) {
    const { deployment, keys, shards, replicas, map } = options;
    const keyOf = (shard: number) => keys.ofShard(shard, "history:fence");
    const shardOf = (layer: string) => map().shardOf(layer);
    const reads = new HistoryReads({ deployment, keyOf, shardOf });
    const states = new ShardStates(shards, reads);
    super({ shards, shardOf, states });
    this.#options = options;
    this.#reads = reads;
    this.#states = states;
    const writer = this.#writer = new HistoryWriter({
      ...{ deployment, keyOf, replicas, shards },
      onState: (shard, state) => this.#states.set(shard, state),
      onProblem: (problem) => this.#problem = problem,
    });
    this.shared = {
      lead: (fence) => this.#lead(fence),
      resign: () => {
        writer.resign();
        this.#problem = undefined;
      },
      get isLeading() {
        return writer.isLeading;
      },
      stored: (key) => states.stored(key),
      get memoryFull() {
        return writer.memoryFull;
      },
    };
  }

  /** Why the history cannot be written; undefined while it can. */
  get problem(): StoreError | undefined {
    return this.#problem;
  }

  /** Reads what is answered from memory. @throws {RedisError} */
  async open(): Promise<void> {
    try {
      await this.#states.read();
    } catch (error) {
      // A start waits for some of them.
      const { cause } = error as Error;
      throw cause instanceof RedisError ? cause : error;
    }
    this.#isStale = false;
  }

  /**
   * Commits what there is to write, one commit after the other.
   *
   * @returns why that failed: it is then tried again
   */
  commit(
    work: HistoryWork | undefined,
    budgetMs = BUDGET_MS,
  ): Promise<StoreError | undefined> {
    this.#running ??= this.#commit(work, budgetMs)
      .finally(() => this.#running = undefined);
    return this.#running;
  }

  /** Commits all that there is, until that fails. */
  async commitAll(work: HistoryWork | undefined): Promise<void> {
    await this.#running;
    while (work?.hasWork && this.#writer.isLeading) {
      if (await this.commit(work, Infinity) !== undefined) return;
    }
  }

  /** Ends. */
  close(): void {
    this.#writer.close();
    this.#reads.close();
  }

  async refresh(): Promise<void> {
    // The writer has what it has written.
    if (!this.#writer.isLeading || this.#isStale) await this.#states.refresh();
  }

  get meta(): ReadonlyMap<string, number> {
    return this.#states.meta;
  }

  openHours(): number[] {
    return this.#states.openHours();
  }

  async openTiles(
    hour: number,
    limit: number,
  ): Promise<readonly HistoryTile[]> {
    const tiles: HistoryTile[] = [];
    for (const shard of this.#states.withOpenHour(hour)) {
      if (tiles.length >= limit) break;
      const left = limit - tiles.length;
      tiles.push(...await this.#reads.openTiles(shard, hour, left));
    }
    return tiles;
  }

  tileRows(
    layer: string,
    tx: number,
    ty: number,
    frameHour: number,
    toHour: number,
  ): Promise<HistoryTileRows> {
    return this.#reads.tileRows(layer, tx, ty, frameHour, toHour);
  }

  hourRows(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
  ): Promise<readonly HistoryRow[]> {
    return this.#reads.hourRows(layer, tx, ty, hour);
  }

  blocks(
    layer: string,
    tx: number,
    ty: number,
    fromHour: number,
    toHour: number,
  ): Promise<readonly HistoryHourRow[]> {
    return this.#reads.blocks(layer, tx, ty, fromHour, toHour);
  }

  frameBefore(
    layer: string,
    tx: number,
    ty: number,
    hour: number,
  ): Promise<HistoryHourRow | undefined> {
    return this.#reads.frameBefore(layer, tx, ty, hour);
  }

  tilesOf(
    layer: string,
    region: Region | undefined,
    limit: number,
    after?: Place,
  ): Promise<readonly Place[]> {
    return this.#reads.tilesOf(layer, region, limit, after);
  }

  cellDays(
    layer: string,
    tx: number,
    ty: number,
    fromDay: number,
    toDay: number,
  ): Promise<readonly HistoryDayRow[]> {
    return this.#reads.cellDays(layer, tx, ty, fromDay, toDay);
  }

  cellDayBefore(
    layer: string,
    tx: number,
    ty: number,
    day: number,
  ): Promise<HistoryDayRow | undefined> {
    return this.#reads.cellDayBefore(layer, tx, ty, day);
  }

  async zoneDays(
    zone: string,
    fromDay: number,
    toDay: number,
  ): Promise<readonly HistoryDayRow[]> {
    const days = new Map<number, HistoryDayRow>();
    // Those of its present layer last: it may have moved to another shard.
    for (const shard of await this.#states.shardsOfZone(zone)) {
      const rows = await this.#reads.zoneDays(shard, zone, fromDay, toDay);
      for (const row of rows) days.set(row.day, row);
    }
    return [...days.values()].sort((a, b) => a.day - b.day);
  }

  zones(): Promise<readonly HistoryZone[]> {
    return this.#states.zones();
  }

  gaps(time: Gap): Gap[] {
    return this.#states.gaps(time);
  }

  layers(): string[] {
    return this.#states.layers();
  }

  size(): HistorySize {
    return this.#states.size();
  }

  oldestHour(): number | undefined {
    return this.#states.oldest("oldestHour");
  }

  oldestDay(): number | undefined {
    return this.#states.oldest("oldestDay");
  }

  async #lead(fence: number): Promise<boolean> {
    this.#isStale = true;
    if (!await this.#writer.lead(fence)) return false;
    try {
      await this.open();
      await this.#writer.checkMemory();
    } catch {
      return false; // the store says why
    }
    return this.#writer.isLeading;
  }

  async #commit(
    work: HistoryWork | undefined,
    budgetMs: number,
  ): Promise<StoreError | undefined> {
    if (!work?.hasWork || !this.#writer.isLeading) return this.#problem;
    this.batch = new HistoryBatch();
    try {
      if (this.#isStale) await this.open();
      await this.#writer.checkMemory();
      work.write(this, budgetMs);
      await this.#writer.write(this.batch);
    } catch (error) {
      this.#isStale = true;
      this.#states.forgetWritten();
      work.failed();
      const { description } = this.#options.deployment;
      const problem = redisStoreError(description, error);
      // Of a server that does not write any more, it is no problem.
      if (this.#writer.isLeading) this.#problem = problem;
      return problem;
    }
    this.#states.forgetWritten();
    this.#problem = undefined;
    work.committed();
    return undefined;
  }
}
