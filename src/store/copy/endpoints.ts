/**
 * The two ends of a copy, whatever kind of store they are.
 *
 * @module
 */
import type { OccupancyMap } from "../../grid/mod.ts";
import type { HistoryTables } from "../history_tables.ts";
import type { DeploymentOptions } from "../redis/connect.ts";
import type { LoadLimit, RecordOwner, Records } from "../store.ts";
import type { HistorySummary } from "./history.ts";

/** How to connect to Redis, and how to make a map there. */
export interface RedisCopyOptions extends DeploymentOptions {
  /** The shards of a new map. Default: as the source in Redis has, or 16. */
  readonly shards?: number | undefined;
}

/** The records of a store, to be read. */
export type ReadableRecords = Pick<Records, "load">;

/** What a store has besides its map. */
export interface StoreExtras {
  /** Undefined if the store has none. */
  readonly records: ReadableRecords | undefined;
  /** When a server was alive last, ms since 1970; undefined if not known. */
  readonly lastAlive: number | undefined;
  /** Undefined if the store keeps none. */
  readonly history?: HistoryTables;
}

/** A store that is read. */
export interface CopySource extends AsyncDisposable {
  /** The store, for people: its file, or its address without a password. */
  readonly description: string;
  /** The owners of records that can be read. */
  readonly owners: readonly RecordOwner[];
  /** Number of shards. */
  readonly shards: number;
  /**
   * Reads the store.
   *
   * @param map an empty map with the shards of the store
   * @throws {StoreError} if it is damaged or too large
   */
  load(map: OccupancyMap, limit: LoadLimit): Promise<StoreExtras>;
  /** Returns an error of the store as one about {@linkcode description}. */
  translate(error: unknown): unknown;
}

/** An empty store that is written, invisible for servers until it is complete. */
export interface CopyTarget extends AsyncDisposable {
  /** The owners of records that it can have. */
  readonly owners: readonly RecordOwner[];
  /**
   * Makes the store. What is replaced is lost now, if it cannot be kept: so call
   * it after the source was read.
   *
   * @param sourceShards number of shards of the source
   * @returns an empty map to fill, with the shards of the store
   */
  begin(sourceShards: number): Promise<OccupancyMap>;
  /**
   * Stores the map, all of whose tiles are marked as changed, and the records.
   *
   * @param map that of {@linkcode begin}
   * @throws {StoreError} if that fails
   */
  write(
    map: OccupancyMap,
    extras: StoreExtras,
    owners: readonly RecordOwner[],
  ): Promise<void>;
  /**
   * Stores the history of the source, after the map.
   *
   * @param signal ends it
   * @returns what was read and stored
   */
  writeHistory(
    history: HistoryTables,
    signal: AbortSignal,
  ): Promise<HistorySummary>;
  /** Reads what was stored into another empty map. @throws {StoreError} */
  read(): Promise<{ map: OccupancyMap; extras: StoreExtras }>;
  /**
   * Lets servers see the store. Without this, disposing removes what was
   * written.
   *
   * @returns a sentence about what was replaced; undefined if nothing was
   */
  complete(): Promise<string | undefined>;
}
