/**
 * Moves the content of a store into another one, and compares contents.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import { untilNextTurn } from "../../common/next_turn.ts";
import {
  type Grid,
  MAX_TILE_BYTES,
  type OccupancyMap,
} from "../../grid/mod.ts";
import type { RecordOwner } from "../store.ts";
import type { ReadableRecords } from "./endpoints.ts";

/** The work of one turn of the event loop. */
const TILES_PER_TURN = 1000;

/** Counts and checksums of a map, independent of the order of its tiles. */
export interface MapSummary {
  readonly cells: number;
  readonly layers: number;
  /** Differs between different maps, with high probability. */
  readonly checksum: string;
}

/** The same for records. */
export interface RecordSummary {
  readonly count: number;
  readonly checksum: string;
}

/**
 * Moves all layers of a map into another one, which is empty: cells, revisions
 * and thresholds stay the same. All tiles of the other map are marked as
 * changed.
 *
 * With another number of shards, each shard begins at the highest revision of
 * the source, so the revisions of a layer go on increasing.
 *
 * Each layer gets a new identity (`OccupancyMap.beganOf`), so that clients that
 * have its cells receive all of them again: a copy may be older than what they
 * have, and then gives the same revisions to other changes.
 *
 * @param source is empty afterwards, so that memory is needed once
 * @param target an empty map
 * @param now the clock, ms since 1970
 * @param signal ends it
 */
export async function moveMap(
  source: OccupancyMap,
  target: OccupancyMap,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  const began = newIdentity(source, now);
  target.configure(source.ageing);
  const revisions = source.shards.map(({ revision }) => revision);
  const highest = Math.max(...revisions);
  const isSame = source.shards.length === target.shards.length;
  for (const [i, shard] of target.shards.entries()) {
    shard.restoreRevision(isSame ? revisions[i]! : highest, began);
  }
  for (const [layer, grid] of [...source.layers()]) {
    for await (const bytes of encodedTiles(grid, signal)) {
      target.restoreTiles(
        layer,
        bytes,
        (tile) => target.layer(layer)!.markDirty(tile),
        began,
      );
    }
    source.deleteLayer(layer, now);
  }
}

/**
 * Returns a summary of a map. Two maps with the same cells, times, revisions,
 * identities and thresholds have the same one.
 *
 * @param map all its tiles count as saved afterwards
 * @param signal ends it
 */
export async function summarizeMap(
  map: OccupancyMap,
  signal: AbortSignal,
): Promise<MapSummary> {
  const layers: string[] = [];
  for (const [layer, grid] of map.layers()) {
    let sum = 0n;
    for await (const bytes of encodedTiles(grid, signal)) {
      sum += BigInt(crc32(bytes));
    }
    layers.push(JSON.stringify([layer, grid.began, grid.size, `${sum}`]));
  }
  const shards = map.shards.map(({ revision, began, ageing }) =>
    [revision, began, ...Object.entries(ageing)].join()
  );
  const all = [...layers.sort(), ...shards];
  return {
    cells: map.size,
    layers: layers.length,
    checksum: all.join("\n"),
  };
}

/** Returns a summary of the records of some owners, in their order. */
export function summarizeRecords(
  records: ReadableRecords | undefined,
  owners: readonly RecordOwner[],
): RecordSummary {
  let count = 0;
  let sum = 0;
  for (const owner of owners) {
    for (const [id, value] of records?.load(owner) ?? []) {
      sum = crc32(value, crc32(`${owner} ${id} ${value.length} `, sum));
      count++;
    }
  }
  return { count, checksum: `${sum}` };
}

/** Returns a time that differs from the identities of all layers. */
function newIdentity(map: OccupancyMap, now: number): number {
  let began = Math.floor(now);
  const present = [
    ...map.shards.map(({ began }) => began),
    ...[...map.layers()].map(([, { began }]) => began),
  ];
  for (const time of present) {
    if (time !== undefined && time >= began) began = time + 1;
  }
  return began;
}

/** Yields all tiles of a layer, each valid until the next one. */
async function* encodedTiles(
  grid: Grid,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let tile = 0; tile < grid.tileCount; tile++) grid.markDirty(tile);
  grid.beginSave();
  try {
    const buffer = new Uint8Array(MAX_TILE_BYTES);
    for (let count = 1;; count++) {
      const saved = grid.nextSaved(buffer, 0);
      if (saved === undefined) return;
      yield buffer.subarray(0, saved.end);
      if (count % TILES_PER_TURN !== 0) continue;
      await untilNextTurn();
      signal.throwIfAborted();
    }
  } finally {
    grid.endSave(true);
  }
}
