/**
 * Decodes the content of a journal's entry, and checks that a map can apply it.
 *
 * @module
 */
import { messageOf } from "../../common/errors.ts";
import type { ColumnPool } from "../column_pool.ts";
import { decodeEntries } from "../entry_codec.ts";
import { withSources } from "../entry_sources.ts";
import type { Entry } from "../store.ts";
import { openSources, type StreamEntry } from "./stream_entry.ts";

/** What {@linkcode decodeEntry} needs. */
export interface DecodeOptions {
  /** The shard of the journal. */
  readonly shard: number;
  /** Returns the shard of a layer. */
  readonly shardOf: (layer: string) => number;
  /** Where the columns of the entries are. */
  readonly pool: ColumnPool;
  /** Called for an entry that is skipped, with the reason. */
  readonly onDamage: (id: string, reason: string) => void;
  /** Called for an entry whose sources are ignored, with the reason. */
  readonly onBadSources: (id: string, reason: string) => void;
}

/** Decodes an entry of another server, with its sources; none if it is damaged. */
export function decodeEntry(
  { id, content, sources }: StreamEntry,
  { shard, shardOf, pool, onDamage, onBadSources }: DecodeOptions,
): readonly Entry[] {
  if (content === undefined) return [];
  let entries: readonly Entry[];
  try {
    entries = decodeContent(content, shard, shardOf, pool);
  } catch (error) {
    onDamage(id, messageOf(error));
    return [];
  }
  if (sources === undefined) return entries;
  try {
    return withSources(entries, openSources(sources));
  } catch (error) {
    onBadSources(id, messageOf(error));
    return entries;
  }
}

/**
 * Decodes entries that another server has written.
 *
 * @param content the bytes of an `EntryEncoder`
 * @param shard the shard of the journal
 * @param shardOf returns the shard of a layer
 * @param pool where the columns of the entries are
 * @throws {Error} if they cannot be applied to the shard: what is wrong
 */
export function decodeContent(
  content: Uint8Array,
  shard: number,
  shardOf: (layer: string) => number,
  pool: ColumnPool,
): Entry[] {
  const entries = [...decodeEntries(content, pool)];
  for (const entry of entries) {
    if (!Number.isFinite(entry.now)) {
      throw new RangeError(`its time is ${entry.now}`);
    }
    if ("layer" in entry && shardOf(entry.layer) !== shard) {
      throw new RangeError("its layer is of another shard");
    }
    if (entry.kind === "configure") {
      for (const [name, value] of Object.entries(entry.ageing)) {
        if (!(value >= 0)) throw new RangeError(`its ${name} is ${value}`);
      }
    }
    if (entry.kind === "records" && shard !== 0) {
      throw new RangeError("only shard 0 has records");
    }
  }
  return entries;
}
