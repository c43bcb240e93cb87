/**
 * Samples the map: logs the states of the cells that have changed since the
 * sample before.
 *
 * @module
 */
import {
  CellRows,
  type ChangeLog,
  Freshness,
  type Grid,
  type MapShard,
  type OccupancyMap,
} from "../../grid/mod.ts";

/** A list of more changed tiles takes longer than to check every tile. */
const MAX_LISTED_TILES = 16_384;
/** Unchanged tiles, or layers, that one step skips. */
const MAX_SKIPPED = 4096;

/** Reused: one tile is logged before the next is read. */
const rows = new CellRows();

/** Samples a map into the logs of its shards. */
export class MapSampler {
  /** By shard; see `MapShard.log`. */
  readonly logs: readonly ChangeLog[];
  readonly #map: OccupancyMap;
  readonly #secondNow: () => number;

  /**
   * @param map its shards get logs
   * @param makeLog makes the log of a shard
   * @param secondNow returns the present second, a multiple of the step
   */
  constructor(
    map: OccupancyMap,
    makeLog: () => ChangeLog,
    secondNow: () => number,
  ) {
    this.#map = map;
    this.#secondNow = secondNow;
    this.logs = map.shards.map((shard) => shard.log = makeLog());
  }

  /** The number of states in all logs. */
  get size(): number {
    let size = 0;
    for (const log of this.logs) size += log.size;
    return size;
  }

  /** True if nothing is logged. */
  get isEmpty(): boolean {
    return this.logs.every(({ isEmpty }) => isEmpty);
  }

  /** True if cells have changed since the last sample. */
  get isDue(): boolean {
    return this.#map.shards.some(({ revision }, i) =>
      revision > this.logs[i]!.sampled
    );
  }

  /**
   * Logs the states of all cells that have changed since the last sample, each
   * as it is when its tile is read: what changes after that, or is replaced
   * before, is logged by the shards. Then the sample is complete, up to the
   * revisions at its begin.
   *
   * @param endSecond the last second of the sample
   * @returns logs one tile each step
   */
  sample(endSecond: number): Generator<void, void, void> {
    const revisions = this.#map.shards.map(({ revision }) => revision);
    return this.#sampleShards(endSecond, revisions);
  }

  *#sampleShards(
    endSecond: number,
    revisions: readonly number[],
  ): Generator<void, void, void> {
    for (const [i, shard] of this.#map.shards.entries()) {
      const log = this.logs[i]!;
      const since = log.sampled;
      if (shard.revision <= since) continue;
      let skipped = 0;
      for (const [layer, grid] of [...shard.layers()]) {
        if (grid.revision > since) {
          // Later changes are of a later second.
          const second = () =>
            shard.revision === revisions[i] ? endSecond : this.#secondNow();
          yield* this.#sampleLayer(shard, log, layer, grid, second);
        } else if (++skipped % MAX_SKIPPED === 0) yield;
      }
    }
    for (const [i, log] of this.logs.entries()) {
      log.sampled = Math.max(log.sampled, revisions[i]!);
    }
  }

  *#sampleLayer(
    shard: MapShard,
    log: ChangeLog,
    layer: string,
    grid: Grid,
    secondNow: () => number,
  ): Generator<void, void, void> {
    const since = log.sampled;
    const tiles = grid.changedTiles(since, MAX_LISTED_TILES);
    let skipped = 0;
    for (let i = 0; i < (tiles?.length ?? grid.tileCount); i++) {
      const tile = tiles?.[i] ?? i;
      if (grid.tileRevision(tile) <= since) {
        if (++skipped % MAX_SKIPPED > 0) continue;
      } else {
        const count = grid.readChanged(tile, since, rows);
        // Not in a closed hour, also if the clock was set back.
        const second = Math.max(secondNow(), log.openFrom);
        log.begin(layer, second * 1000);
        for (let row = 0; row < count; row++) logRow(log, row, second, since);
      }
      yield;
      const present = shard.layer(layer);
      if (present === grid) continue;
      // Its tiles have other numbers now; or it was deleted.
      if (present !== undefined) {
        yield* this.#sampleLayer(shard, log, layer, present, secondNow);
      }
      return;
    }
  }
}

/** Logs the state of a cell since its observation, and at the sample. */
function logRow(
  log: ChangeLog,
  row: number,
  second: number,
  since: number,
): void {
  const x = rows.x[row]!;
  const y = rows.y[row]!;
  const value = rows.value[row]!;
  const freshness = rows.freshness[row]! as Freshness;
  const isFresh = freshness === Freshness.Fresh || value < 0;
  const isForgotten = freshness === Freshness.Forgotten;
  const from = Math.min(log.secondOf(rows.time[row]!), second);
  if (from < log.openFrom) {
    if (isFresh && since > 0) log.tooLate++;
  } else if (!isForgotten) { // what its value was is not known any more
    log.addState(x, y, from, value, 0);
    if (from === second && isFresh) return;
  }
  // Also if it was observed earlier: the history ends with the live state.
  log.addState(x, y, second, value, isFresh || isForgotten ? 0 : 1);
}
