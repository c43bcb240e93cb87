/**
 * The metadata of a checkpoint: finite numbers by name.
 *
 * @module
 */
import type { AgeingOptions, MapShard } from "../grid/mod.ts";

/** `Infinity` in the metadata: SQLite and JSON have no literal for it. */
const STORED_INFINITY = -1;

/** The key of `lastAlive` in the metadata, named by earlier versions. */
export const LAST_ALIVE_KEY = "lastThere";

/** Finite numbers by name. */
export type StoredMeta = Readonly<Record<string, number>>;

/** Returns numbers as they are stored. */
export function encodeMeta(meta: StoredMeta): StoredMeta {
  const encoded: Record<string, number> = {};
  for (const [key, value] of Object.entries(meta)) {
    encoded[key] = Number.isFinite(value) ? value : STORED_INFINITY;
  }
  return encoded;
}

/**
 * Restores the thresholds and the revision of a shard.
 *
 * @param map a shard without tiles
 * @param meta what {@linkcode encodeMeta} has returned
 * @throws {RangeError} if a value is not valid
 */
export function restoreMeta(map: MapShard, meta: StoredMeta): void {
  const threshold = (key: keyof AgeingOptions) => {
    const value = meta[key]!;
    return value === STORED_INFINITY ? Infinity : value;
  };
  map.configure({
    staleAfter: threshold("staleAfter"),
    forgetAfter: threshold("forgetAfter"),
    maxSkew: threshold("maxSkew"),
  });
  map.restoreRevision(meta.revision!, meta.began);
}
