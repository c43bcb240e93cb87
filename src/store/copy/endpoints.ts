/**
 * The two ends of a copy, whatever kind of store they are.
 *
 * @module
 */
import type { OccupancyMap } from "../../grid/mod.ts";
import type { RecordOwner, Store } from "../store.ts";

/** A store that is read. */
export interface CopySource extends AsyncDisposable {
  readonly store: Store;
  /** The store, for people: its file, or its address without a password. */
  readonly description: string;
  /** Returns an error of the store as one about {@linkcode description}. */
  translate(error: unknown): unknown;
  /** The owners of records that can be read. */
  readonly owners: readonly RecordOwner[];
}

/** An empty store that is written, invisible for servers until it is complete. */
export interface CopyTarget extends AsyncDisposable {
  readonly store: Store;
  /** The owners of records that it can have. */
  readonly owners: readonly RecordOwner[];
  /** True if records keep their ids. */
  readonly keepsIds: boolean;
  /** Returns an empty map with the shards of the store. */
  emptyMap(): OccupancyMap;
  /**
   * Closes the store and reads it again.
   *
   * @returns the store before `load`
   * @throws {StoreError} if it cannot be read
   */
  reopen(): Promise<Store>;
  /**
   * Closes the store and lets servers see it. Without this, disposing removes
   * what was written.
   *
   * @returns a sentence about what was replaced; undefined if nothing was
   */
  complete(): Promise<string | undefined>;
}
