/**
 * The occupancy map in memory. Pure: the time is passed in, nothing is read or
 * written. {@linkcode OccupancyMap} applies readings and ages cells;
 * {@linkcode Grid}, one of its layers, is for look-ups, scans and saving.
 *
 * @module
 */

export type {
  ApplyResult,
  Cell,
  CellVisitor,
  DroppedListener,
  ReadingColumns,
} from "./cell.ts";
export type { Coordinates, LongUnknown } from "./cell_removal.ts";
export type { CellReader, ScanOptions } from "./cell_reader.ts";
export { ChangedCells, type ChangedCellsOptions } from "./changed_cells.ts";
export {
  type Ageing,
  type AgeingOptions,
  DEFAULT_AGEING,
  Freshness,
} from "./freshness.ts";
export {
  ChangeLog,
  type LayerDeletion,
  type LoggedChanges,
  stepSecond,
} from "./change_log.ts";
export { SpareColumns, StateColumns } from "./state_columns.ts";
export type { Grid } from "./grid.ts";
export { KeyTable } from "./key_table.ts";
export {
  CellRows,
  type LayerSnapshot,
  SnapshotLostError,
} from "./layer_snapshot.ts";
export { MapShard } from "./map_shard.ts";
export {
  isShardCount,
  MAX_SHARDS,
  OccupancyMap,
  type OccupancyMapOptions,
} from "./occupancy_map.ts";
export { contains, type Region } from "../protocol/region.ts";
export { type CellStatus, statusOf } from "./status.ts";
export { addCounts, type CellCounts, NO_CELLS } from "./cell_counter.ts";
export { MAX_TILE_BYTES } from "./tile_codec.ts";
export type { SavedTile } from "./tile_save.ts";
export { MAX_DUE_SLOTS, MAX_DUE_TILES } from "./tile_ageing.ts";
export { TileStatus } from "./tile_status.ts";
export {
  describeMapMemory,
  growthOf,
  LAYER_BYTES,
  LONE_CELL_BYTES,
  mapBytes,
  type MapMemory,
  mapMemoryOf,
  MAX_GROWTH_BYTES,
  neededMemory,
} from "./map_memory.ts";
