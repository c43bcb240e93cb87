/**
 * The places of the list: the cells or the zones of a layer, in the order of a
 * column.
 *
 * @module
 */

import type { Region } from "../../protocol/region.ts";
import { formatCount, formatQuantity } from "../elements/format.ts";
import { regionOf } from "../map/regions.ts";
import { zoneTitle } from "../zones/zone_text.ts";
import type { SortColumn, Subject } from "./settings.ts";
import { changesPerDay, type Usage, type Use } from "./usage.ts";
import type { UsedZone } from "./zone_usage.ts";

/** A cell or a zone. */
export interface Place {
  /** Identifies it among the cells and zones. */
  readonly key: string;
  /** Of a zone: its title, safe to show. Of a cell: its coordinate. */
  readonly name: string;
  /** Of a cell: its smallest zone; undefined if it is in none. */
  readonly zone: string | undefined;
  readonly use: Use;
  /** Number of cells without any reading; they do not count in its use. */
  readonly unreported: number;
  /** The row of a cell. */
  readonly row: number | undefined;
  /** The name of a zone. */
  readonly zoneName: string | undefined;
  /** Where its cells are; undefined for a zone without any. */
  readonly region: Region | undefined;
}

/** The name of a cell. */
export function cellName({ x, y }: { readonly x: number; readonly y: number }) {
  return `x ${x}, y ${y}`;
}

/** What a place consists of: `40 cells, 3 without readings`; of a cell "". */
export function placeDetail(
  { row, use: { cells }, unreported }: Place,
): string {
  if (row !== undefined) return "";
  if (unreported === 0) return formatQuantity(cells, "cell");
  return cells === 0
    ? `${formatQuantity(unreported, "cell")} without readings`
    : `${formatQuantity(cells, "cell")}, ${
      formatCount(unreported)
    } without readings`;
}

/** Makes the places of an answer. */
export class Places {
  readonly #usage: Usage;
  readonly #zones: readonly UsedZone[];
  /** The smallest zone of each row, as its number in the zones; -1: none. */
  readonly #zoneOfRow: Int32Array;

  constructor(usage: Usage, zones: readonly UsedZone[]) {
    this.#usage = usage;
    this.#zones = zones;
    this.#zoneOfRow = new Int32Array(usage.length).fill(-1);
    const bySize = [...zones.keys()]
      .sort((a, b) => zones[b]!.rows.length - zones[a]!.rows.length);
    for (const zone of bySize) {
      for (const row of zones[zone]!.rows) this.#zoneOfRow[row] = zone;
    }
  }

  /** Returns a cell. */
  cell(row: number): Place {
    const cell = this.#usage.cellAt(row);
    const zone = this.#zones[this.#zoneOfRow[row]!];
    return {
      key: `${cell.x},${cell.y}`,
      name: cellName(cell),
      zone: zone && zoneTitle(zone.definition),
      use: this.#usage.use(row),
      unreported: 0,
      row,
      zoneName: undefined,
      region: regionOf(cell),
    };
  }

  /** Returns a zone. */
  zone({ definition, use, unreported, bounds }: UsedZone): Place {
    return {
      key: `zone ${definition.name}`,
      name: zoneTitle(definition),
      zone: undefined,
      use,
      unreported,
      row: undefined,
      zoneName: definition.name,
      region: bounds,
    };
  }

  /**
   * Returns the first places in an order. Of equal ones, those that are known
   * better come first; what is unknown comes last in any order.
   *
   * @param rows of the cells to list; undefined: all
   * @param limit the most places
   */
  list(
    subject: Subject,
    rows: readonly number[] | undefined,
    sort: SortColumn,
    descending: boolean,
    limit: number,
  ): Place[] {
    if (subject === "zones") {
      const zones = this.#zones.map((zone) => this.zone(zone));
      return sortPlaces(zones, sort, descending).slice(0, limit);
    }
    // Only numbers are sorted: there can be 100,000 cells.
    const all = rows ?? Array.from({ length: this.#usage.length }, (_, i) => i);
    const keys = new Float64Array(this.#usage.length);
    const known = this.#usage.answer.cells.known;
    const sign = descending ? -1 : 1;
    for (const row of all) {
      const key = sort === "name" ? row : keyOf(this.#usage.use(row), sort);
      keys[row] = Number.isNaN(key) ? Infinity : sign * key;
    }
    const order = Uint32Array.from(all);
    if (sort === "name") this.#sortByName(order, sign);
    else {
      order.sort((a, b) =>
        // Not a difference, which is NaN for two infinities.
        keys[a]! < keys[b]! ? -1 : keys[a]! > keys[b]! ? 1 : known[b]! -
            known[a]! || a - b
      );
    }
    return Array.from(order.subarray(0, limit), (row) => this.cell(row));
  }

  #sortByName(order: Uint32Array, sign: number): void {
    const { x, y } = this.#usage.answer.cells;
    order.sort((a, b) => sign * (y[a]! - y[b]! || x[a]! - x[b]!));
  }
}

/** Returns the number that a column is sorted by; NaN if unknown. */
function keyOf(use: Use, sort: Exclude<SortColumn, "name">): number {
  switch (sort) {
    case "occupied":
      return use.share;
    case "changes":
      return changesPerDay(use);
    case "known":
      return use.knownShare;
    case "last":
      // What was never used is used least.
      return Number.isNaN(use.last) ? 0 : use.last;
  }
}

function sortPlaces(
  places: readonly Place[],
  sort: SortColumn,
  descending: boolean,
): Place[] {
  const sign = descending ? -1 : 1;
  if (sort === "name") {
    return [...places].sort((a, b) =>
      sign * a.name.localeCompare(b.name, undefined, { numeric: true })
    );
  }
  const keys = new Map(places.map((place) => {
    const key = keyOf(place.use, sort);
    return [place, Number.isNaN(key) ? Infinity : sign * key];
  }));
  return [...places].sort((a, b) => {
    const [left, right] = [keys.get(a)!, keys.get(b)!];
    return left < right ? -1 : left > right ? 1 : b.use.known - a.use.known;
  });
}
