/**
 * The tables of the history in SQLite, and their keys.
 *
 * A key is one integer of at most 63 bits, so that a row is found with one
 * search and has no index beside it:
 *
 * | table | key, highest bits first |
 * | --- | --- |
 * | tile | layer (18), number of the tile in its layer (24) |
 * | part | batch (39), number of the tile (24) |
 * | block | layer (18), hour (21), number of the tile (24) |
 * | frame, cell day | tile (42), hour or day (21) |
 * | zone day | zone, day (21) |
 *
 * Parts and blocks of many tiles are written together: their keys put these
 * rows beside each other, so that few pages of the file change. A *batch* is the
 * parts of one layer and hour that were written one after the other, at most one
 * of each tile. Frames are looked up by their tile, and a rollup is about as
 * large as a page.
 *
 * @module
 */

/** More layers than that are not recorded. */
export const MAX_LAYERS = 2 ** 18 - 2;
/** The same for the tiles of a layer. */
export const MAX_TILES = 2 ** 24;
/** A layer as a part of the key of its tiles. */
export const TILES_OF_LAYER = 2 ** 24;

/** SQL of the step that adds the history to a file. */
export const HISTORY_SCHEMA = `CREATE TABLE IF NOT EXISTS history_meta (
     key TEXT PRIMARY KEY,
     value REAL NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE IF NOT EXISTS history_layer (
     id INTEGER PRIMARY KEY,
     name TEXT UNIQUE -- NULL: the layer was deleted, its rows will be
   ) STRICT;
   CREATE TABLE IF NOT EXISTS history_tile (
     id INTEGER PRIMARY KEY,
     layer INTEGER NOT NULL,
     tx INTEGER NOT NULL,
     ty INTEGER NOT NULL,
     UNIQUE (layer, tx, ty)
   ) STRICT;
   CREATE TABLE IF NOT EXISTS history_batch (
     hour INTEGER NOT NULL,
     layer INTEGER NOT NULL,
     batch INTEGER NOT NULL,
     PRIMARY KEY (hour, layer, batch)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE IF NOT EXISTS history_part (
     id INTEGER PRIMARY KEY,
     crc32 INTEGER NOT NULL, -- of the bytes, as in all tables
     bytes BLOB NOT NULL
   ) STRICT;
   CREATE TABLE IF NOT EXISTS history_block (
     id INTEGER PRIMARY KEY,
     crc32 INTEGER NOT NULL,
     bytes BLOB NOT NULL
   ) STRICT;
   CREATE TABLE IF NOT EXISTS history_frame (
     id INTEGER PRIMARY KEY,
     crc32 INTEGER NOT NULL,
     bytes BLOB NOT NULL
   ) STRICT;
   CREATE TABLE IF NOT EXISTS history_cell_day (
     id INTEGER PRIMARY KEY,
     crc32 INTEGER NOT NULL,
     bytes BLOB NOT NULL
   ) STRICT;
   CREATE TABLE IF NOT EXISTS history_zone (
     id INTEGER PRIMARY KEY,
     name TEXT UNIQUE, -- NULL: its layer was deleted
     layer TEXT NOT NULL
   ) STRICT;
   CREATE TABLE IF NOT EXISTS history_zone_day (
     id INTEGER PRIMARY KEY,
     crc32 INTEGER NOT NULL,
     bytes BLOB NOT NULL
   ) STRICT;
   CREATE TABLE IF NOT EXISTS history_gap (
     start INTEGER NOT NULL,
     stop INTEGER NOT NULL,
     PRIMARY KEY (start, stop)
   ) STRICT, WITHOUT ROWID;`;

/**
 * SQL: the key of a block.
 *
 * @param tile SQL of the key of the tile
 * @param hour SQL of the hour
 */
export function blockKey(tile: string, hour: string): string {
  return `(${tile} >> 24 << 45) | (${hour} << 24) | (${tile} & 16777215)`;
}

/** SQL: the hour of a block. */
export const HOUR_OF_BLOCK = "((id >> 24) & 2097151)";
/** SQL: the hour of a frame, or the day of a rollup. */
export const TIME_OF_KEY = "(id & 2097151)";

/** SQL: the key of a frame or a rollup. */
export function timeKey(owner: string, time: string): string {
  return `(${owner} << 21) | ${time}`;
}
