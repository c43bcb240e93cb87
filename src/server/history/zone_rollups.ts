/**
 * Makes the rollups of zones: counts by quarters of hours.
 *
 * @module
 */
import type { Region } from "../../grid/mod.ts";
import type { Gap } from "../../history/gaps.ts";
import { dayOf, startOf } from "../../history/hour.ts";
import { TileChanges } from "../../history/tile_changes.ts";
import { TileFrame } from "../../history/tile_frame.ts";
import {
  decodeZoneQuarters,
  encodeZoneQuarters,
  ZoneQuarters,
} from "../../history/zone_quarters.ts";
import { ZoneSeries } from "../../history/zone_series.ts";
import { spatialOrder } from "../../zones/box_tree.ts";
import { ZoneShape } from "../../zones/tile_mask.ts";
import { type Zone, ZoneIndex, type Zones } from "../../zones/mod.ts";
import { allTiles, type Care } from "./care.ts";
import type { Write } from "./flush.ts";

/** Zones that are counted at the same time: about 6 MB. */
const ZONES_PER_BATCH = 64;
/**
 * A batch with more positions gets no further zone: its first tile prepares the
 * edges of all of them in one step, of this number in some milliseconds.
 */
const FULL_BATCH_POSITIONS = 20_000;

/** A zone with its bounds. */
interface BoundedZone {
  readonly zone: Zone;
  readonly bounds: Region;
  readonly positions: number;
}

/**
 * Adds an hour to the rollups of all zones. A zone without a cell that was ever
 * reported gets none.
 *
 * @param care has begun
 * @param hour it and all hours before are closed, but none after it
 * @throws {LayersDeletedError} begin again
 */
export async function rollUpZones(
  care: Care,
  hour: number,
  zones: Zones,
): Promise<void> {
  if (zones.size === 0) return;
  const { tables } = care;
  const gaps = tables.gaps({ from: startOf(hour), to: startOf(hour + 1) });
  const layers = new Map<string, BoundedZone[]>();
  const recorded = new Set(tables.layers());
  for (const zone of zones.values()) {
    if (!recorded.has(zone.layer)) continue;
    const { bounds } = new ZoneShape(zone.polygons);
    if (bounds === undefined) continue;
    const positions = zone.polygons.flat()
      .reduce((sum, ring) => sum + ring.length, 0);
    const ofLayer = layers.get(zone.layer) ?? [];
    layers.set(zone.layer, ofLayer);
    ofLayer.push({ zone, bounds, positions });
    await care.pause();
  }
  const rollup = new HourRollup(care, hour, gaps);
  for (const ofLayer of layers.values()) {
    for (const batch of batchesOf(ofLayer)) await rollup.add(batch);
  }
}

/** Divides the zones of a layer into batches of zones near each other. */
export function* batchesOf<Z extends Omit<BoundedZone, "zone">>(
  zones: readonly Z[],
): Generator<Z[], void, void> {
  const order = spatialOrder(zones.map(({ bounds }) => bounds));
  let batch: Z[] = [];
  let positions = 0;
  for (const i of order) {
    const zone = zones[i]!;
    batch.push(zone);
    positions += zone.positions;
    if (batch.length < ZONES_PER_BATCH && positions < FULL_BATCH_POSITIONS) {
      continue;
    }
    yield batch;
    batch = [];
    positions = 0;
  }
  if (batch.length > 0) yield batch;
}

/** The rollups of one hour, and memory for some zones. */
class HourRollup {
  readonly #care: Care;
  readonly #hour: number;
  readonly #gaps: readonly Gap[];
  readonly #series: ZoneSeries[] = [];
  readonly #state = new TileFrame();
  readonly #changes = new TileChanges();
  readonly #quarters = new ZoneQuarters();

  constructor(care: Care, hour: number, gaps: readonly Gap[]) {
    this.#care = care;
    this.#hour = hour;
    this.#gaps = gaps;
  }

  /** Adds the hour to the rollups of some zones of a layer, near each other. */
  async add(batch: readonly BoundedZone[]): Promise<void> {
    const care = this.#care;
    const hour = this.#hour;
    const day = dayOf(hour);
    const counted = await this.#countTiles(batch);
    const writes: Write[] = [];
    for (const [i, { zone }] of batch.entries()) {
      const { name, layer } = zone;
      const [row] = await care.read(care.tables.zoneDays(name, day, day));
      if (!counted.has(i) && row === undefined) continue;
      this.#readQuarters(row?.bytes);
      this.#series[i]!.finish(zone, this.#gaps, hour, this.#quarters);
      const bytes = encodeZoneQuarters(this.#quarters);
      writes.push((tables) => tables.putZoneDay(name, layer, day, bytes));
      await care.pause();
    }
    if (writes.length > 0) await care.commit(writes);
  }

  /** Counts the cells of zones. Returns the numbers of those with a tile. */
  async #countTiles(batch: readonly BoundedZone[]): Promise<Set<number>> {
    const care = this.#care;
    const { reader } = care;
    const series = this.#series;
    while (series.length < batch.length) {
      series.push(new ZoneSeries());
      await care.pause();
    }
    const zones = batch.map(({ zone }) => zone);
    const index = new ZoneIndex(zones);
    await care.pause();
    const counted = new Set<number>();
    const region = unionOf(batch);
    for await (const tile of allTiles(care, zones[0]!.layer, region)) {
      const shares = index.at(tile.tx, tile.ty);
      if (shares.length === 0) continue;
      await care.run(reader.stateBefore(tile, this.#hour, this.#state));
      const isWhole = await care.run(
        reader.readChanges(tile, this.#hour, this.#changes),
      );
      if (!isWhole) this.#state.forget(startOf(this.#hour));
      for (const { zone, mask } of shares) {
        counted.add(zone);
        series[zone]!.add(this.#state, this.#changes, mask, this.#hour);
      }
    }
    return counted;
  }

  /** Reads a rollup; an empty one if it is damaged, or there is none. */
  #readQuarters(bytes: Uint8Array | undefined): void {
    this.#quarters.clear();
    try {
      if (bytes !== undefined) decodeZoneQuarters(bytes, this.#quarters);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

function unionOf(zones: readonly BoundedZone[]): Region {
  let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { bounds } of zones) {
    x0 = Math.min(x0, bounds.x0);
    y0 = Math.min(y0, bounds.y0);
    x1 = Math.max(x1, bounds.x1);
    y1 = Math.max(y1, bounds.y1);
  }
  return { x0, y0, x1, y1 };
}
