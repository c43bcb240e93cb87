/**
 * What a checkpoint consists of, and where it is written.
 *
 * @module
 */

import type { StoredMeta } from "./checkpoint_meta.ts";

/** A chunk as it is stored. */
export interface StoredChunk {
  /** Increases: of two chunks with the same tile, the higher id is current. */
  readonly id: number;
  readonly layer: string;
  /** The encoded tiles, valid during the call; empty: the layer was deleted. */
  readonly bytes: Uint8Array;
  /** The first chunk of the layer; 0 if it was never deleted. */
  readonly first: number;
  /** `Grid.began` of the layer. */
  readonly began: number | undefined;
}

/**
 * Where a checkpoint is written. The calls of a step are committed together, or
 * none of them.
 *
 * @typeParam Position a position in the journal: equal ones are identical (`===`)
 */
export interface CheckpointTarget<Position> {
  insertChunk(chunk: StoredChunk): void;
  deleteChunk(id: number): void;
  /**
   * Declares the checkpoint complete.
   *
   * @param position where the journal continues
   */
  writeMeta(meta: StoredMeta, position: Position): void;
  /**
   * Deletes the journal from its start.
   *
   * @param from up to here it is deleted already
   * @param to the last position to delete
   * @param countOf returns how many of a number of rows the step should delete
   * @returns up to where it is deleted after the step, at most `to`
   */
  deleteJournal(
    from: Position,
    to: Position,
    countOf: (rows: number) => number,
  ): Position;
}

/** The most that a step does. */
export interface StepLimits {
  /** Bytes of chunks to write; the last chunk may exceed it. */
  readonly writtenBytes: number;
  /** Number of obsolete chunks to delete. */
  readonly deletedChunks: number;
  /** Tiles to move in the index; the last chunk may exceed it. */
  readonly movedTiles: number;
}

/** The point of the journal at which a checkpoint begins. */
export interface JournalPoint<Position> {
  /** The last position whose entries were applied to the map. */
  readonly position: Position;
  /** `Store.lastAlive` there. */
  readonly lastAlive?: number | undefined;
}

/** A checkpoint that was loaded. */
export interface LoadedCheckpoint<Position> {
  /** Where its journal continues. */
  readonly position: Position;
  /** Up to here the journal was deleted. */
  readonly deletedTo: Position;
  /** The id of its last chunk. */
  readonly lastChunk: number;
  /** Ids of chunks of an incomplete checkpoint after it. */
  readonly incomplete: readonly number[];
}
