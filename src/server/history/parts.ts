/**
 * Makes the rows of what was logged: one part for each tile and hour.
 *
 * @module
 */
import type {
  LoggedChanges,
  SpareColumns,
  StateColumns,
} from "../../grid/mod.ts";
import { keyOf, TILE_BITS } from "../../grid/tiles.ts";
import { ChangesWriter } from "../../history/changes_codec.ts";
import { hourOf } from "../../history/hour.ts";
import { TileChanges } from "../../history/tile_changes.ts";
import type { Write } from "./flush.ts";
import { MAX_GROUPED_STATES, StateGroups } from "./state_groups.ts";

/** Parts that one write has: an object for each takes longer than its bytes. */
export const PARTS_PER_WRITE = 32;
/** A write with more bytes gets no further part. */
const FULL_WRITE_BYTES = 1 << 14;

/** Reused: the changes of one tile are encoded before the next. */
const changes = new TileChanges();

/** With the number of a shard: the revision up to which it is sampled. */
export const SAMPLED = "sampled";
/** With the number of a shard: the time of the last deletion of a layer, ms. */
export const DELETED_TO = "deletedTo";
/** The last second at which the server was recording. */
export const SEEN = "seen";
/** Since this second nothing is recorded: it is too large; 0: it is not. */
export const FULL_FROM = "fullFrom";
/** The first second of the history. */
export const BEGAN = "began";
/** Hours before this one are closed. */
export const CLOSED_TO = "closedTo";
/** Rollups of days (UTC) before this one are deleted, or will be. */
export const ROLLUPS_FROM = "rollupsFrom";
/** Days (UTC) before this one have their rollups of cells. */
export const ROLLED_TO = "rolledTo";

/** Makes the writes of what was logged, one part after the other. */
export class PartWrites {
  readonly #spare: SpareColumns;
  readonly #groups = new StateGroups();
  readonly #parts = new Parts();

  /** @param spare gets the columns whose states are in parts */
  constructor(spare: SpareColumns) {
    this.#spare = spare;
  }

  /**
   * Returns the writes that store what was logged, in order; undefined to pause.
   * Each may be repeated.
   *
   * @param logged of one shard: it is not valid any more after the last write
   * @param shard its number
   * @param deletedTo layers deleted up to this time are deleted already, ms
   * since 1970
   */
  *of(
    { deletions, states }: LoggedChanges,
    shard: number,
    deletedTo: number,
  ): Generator<Write | undefined, void, void> {
    for (const { layer, now } of deletions) {
      if (now <= deletedTo) continue; // replayed
      yield (tables) => {
        tables.deleteLayer(layer);
        tables.putMeta(DELETED_TO + shard, now);
      };
    }
    const groups = this.#groups;
    const parts = this.#parts;
    parts.clear(); // those before may have been given up
    for (const [layer, columns] of states) {
      for (let from = 0; from < columns.length; from += MAX_GROUPED_STATES) {
        const to = Math.min(from + MAX_GROUPED_STATES, columns.length);
        yield* groups.group(columns, from, to);
        for (let group = 0; group < groups.length; group++) {
          parts.add(columns, groups, group);
          if (parts.isFull) yield parts.take(layer);
        }
      }
      if (!parts.isEmpty) yield parts.take(layer);
      this.#spare.put(columns);
    }
  }
}

/** Numbers of a part in {@linkcode Parts}. */
const FIELDS = 4;

/** Makes parts of a layer, and writes of some of them. */
class Parts {
  readonly #writer = new ChangesWriter();
  /** Of each part: `tx`, `ty`, hour, and where its bytes end. */
  readonly #fields = new Int32Array(FIELDS * PARTS_PER_WRITE);
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  get isFull(): boolean {
    return this.#length === PARTS_PER_WRITE ||
      this.#writer.length >= FULL_WRITE_BYTES;
  }

  clear(): void {
    this.#writer.take();
    this.#length = 0;
  }

  /** Adds the part of a group of states. */
  add(
    { x, y, second, value, stale }: StateColumns,
    groups: StateGroups,
    group: number,
  ): void {
    const first = groups.firstOf(group);
    const hour = hourOf(second[first]!);
    changes.clear();
    for (let i = first; i >= 0; i = groups.nextOf(i)) {
      changes.push(keyOf(x[i]!, y[i]!), second[i]!, value[i]!, stale[i]!);
    }
    changes.sortPart();
    this.#writer.add(changes, hour);
    const at = FIELDS * this.#length++;
    this.#fields[at] = x[first]! >> TILE_BITS;
    this.#fields[at + 1] = y[first]! >> TILE_BITS;
    this.#fields[at + 2] = hour;
    this.#fields[at + 3] = this.#writer.length;
  }

  /** Removes all parts, and returns their write. */
  take(layer: string): Write {
    const fields = this.#fields.slice(0, FIELDS * this.#length);
    const bytes = this.#writer.take();
    this.#length = 0;
    return (tables) => {
      let start = 0;
      for (let at = 0; at < fields.length; at += FIELDS) {
        const end = fields[at + 3]!;
        const [tx, ty, hour] = [fields[at]!, fields[at + 1]!, fields[at + 2]!];
        tables.appendPart(layer, tx, ty, hour, bytes.subarray(start, end));
        start = end;
      }
    };
  }
}
