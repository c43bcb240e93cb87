/**
 * How far a server has applied a journal, and what a checkpoint keeps of it.
 *
 * @module
 */
import type { OccupancyMap } from "../../grid/mod.ts";
import type { LoadGuard } from "../load_guard.ts";
import { SeenWriters } from "./seen_writers.ts";
import { FIRST_ID } from "./stream_entry.ts";

/** What was applied of a journal, and what the next entries depend on. */
export interface JournalState {
  /** The id of the last entry that was applied, or skipped. */
  position: string;
  /** The highest `now` of the entries, in ms since 1970; 0 at first. */
  now: number;
  /** Bytes of the content of all entries so far, since the journal began. */
  bytes: number;
  /** What recognizes repeats among the next entries. */
  writers: SeenWriters;
}

/** Returns the state before the first entry. */
export function initialState(): JournalState {
  return { position: FIRST_ID, now: 0, bytes: 0, writers: new SeenWriters() };
}

/** Keeps maps, so that journals can be trimmed. */
export interface Checkpoints {
  /**
   * Restores the newest checkpoint of a shard, before its journal is read. A
   * checkpoint has all parts of the state.
   *
   * @param map the shard is empty
   * @returns undefined if there is none: then the journal is complete
   * @throws {StoreError} if it is damaged, or the map does not fit
   * @throws {RedisError} if it cannot be read
   */
  load(
    shard: number,
    map: OccupancyMap,
    guard: LoadGuard,
  ): Promise<JournalState | undefined>;
  /**
   * Restores a shard that is not empty, because entries after its position are
   * not in the journal any more. Until it resolves, nothing is delivered to the
   * shard.
   *
   * @param reason `trimmed`: a checkpoint has them; `lost`: Redis lost them, or
   * all keys, and the map becomes what Redis has
   * @returns undefined if there is no checkpoint: the shard is empty now
   * @throws {StoreError} if it is damaged
   * @throws {RedisError} if it cannot be read
   */
  reload(
    shard: number,
    reason: "trimmed" | "lost",
  ): Promise<JournalState | undefined>;
  /**
   * Called before a delivery is applied: until
   * {@linkcode Checkpoints.applied}, the state and the map do not belong together.
   */
  applying(shard: number): void;
  /**
   * Called after each delivery was applied. State and map belong together
   * until the next call of {@linkcode Checkpoints.applying}.
   */
  applied(shard: number, state: Readonly<JournalState>): void;
  /** Ends. Never throws. */
  close(): Promise<void>;
}
