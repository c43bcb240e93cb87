/**
 * Decodes the content of a journal's entry, and checks that a map can apply it.
 *
 * @module
 */
import { decodeEntries } from "../entry_codec.ts";
import type { Entry } from "../store.ts";

/**
 * Decodes entries that another server has written.
 *
 * @param content the bytes of an `EntryEncoder`
 * @param shard the shard of the journal
 * @param shardOf returns the shard of a layer
 * @throws {Error} if they cannot be applied to the shard: what is wrong
 */
export function decodeContent(
  content: Uint8Array,
  shard: number,
  shardOf: (layer: string) => number,
): Entry[] {
  const entries = [...decodeEntries(content)];
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
