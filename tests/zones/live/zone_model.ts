/**
 * Random zones, edits of them, and what their states must be, computed from the
 * cells.
 *
 * @module
 */
import {
  toFeature,
  type Zone,
  type ZoneState,
} from "../../../src/zones/mod.ts";
import { holdsCell } from "../recount.ts";
import { collection, feature, read } from "../support.ts";

export const LAYERS = ["default", "hall/l2"] as const;
/** Readings are in this many columns, and half as many rows. */
export const COLUMNS = 12;
const NAMES = 8;

/** Returns an integer from 0 to `below` - 1. */
export type Random = (below: number) => number;

/** Zones by name. */
export type Zones = ReadonlyMap<string, Zone>;

/** A change of the zones. */
export type Edit =
  | { readonly kind: "set"; readonly zone: Zone }
  | { readonly kind: "delete"; readonly name: string }
  | { readonly kind: "replace"; readonly zones: Zones };

/** The cells of a layer at a time, as HTTP returns them. */
export interface Cells {
  /** ms since 1970. */
  readonly time: number;
  /** In ms. */
  readonly staleAfter?: number;
  readonly cells: readonly (readonly [
    x: number,
    y: number,
    value: number,
    time: number,
  ])[];
}

/** What a state says of its cells. */
type Counts = Pick<
  ZoneState,
  | ("occupied" | "count" | "certain" | "percent" | "cells")
  | ("occupiedCells" | "staleCells" | "unknownCells")
>;

/** Returns a collection of zones as GeoJSON. */
export function textOf(zones: Zones): string {
  return collection(...[...zones.values()].map(toFeature));
}

/**
 * Returns a random edit.
 *
 * @param isFree false for names that must not be used for a new zone
 */
export function randomEdit(
  zones: Zones,
  random: Random,
  isFree: (name: string) => boolean,
): Edit {
  const names = [...zones.keys()];
  const kind = random(10);
  if (kind < 2 && names.length > 1) {
    return { kind: "delete", name: names[random(names.length)]! };
  }
  const randomName = () => `zone-${random(NAMES)}`;
  const isUsable = (name: string) => zones.has(name) || isFree(name);
  if (kind < 4) {
    const next = [...zones.values(), randomZone(randomName(), random)]
      .filter(({ name }) => isUsable(name) && random(4) > 0);
    return {
      kind: "replace",
      zones: new Map(next.map((zone) => [zone.name, zone])),
    };
  }
  let name = randomName();
  while (!isUsable(name)) name = names[random(names.length)] ?? randomName();
  return { kind: "set", zone: randomZone(name, random) };
}

/** Returns the zones after an edit. */
export function edited(zones: Zones, edit: Edit): Zones {
  if (edit.kind === "replace") return edit.zones;
  const next = new Map(zones);
  if (edit.kind === "set") next.set(edit.zone.name, edit.zone);
  else next.delete(edit.name);
  return next;
}

/** Returns a zone with a random form and random properties. */
export function randomZone(name: string, random: Random): Zone {
  const maybe = <T>(value: T) => random(2) === 0 ? value : undefined;
  const capacity = maybe(1 + random(8));
  const properties = {
    name,
    layer: LAYERS[random(LAYERS.length)],
    title: maybe(`Zone ${random(100)} & <b>`),
    capacity,
    occupiedWhen: [
      undefined,
      { cells: 1 + random(3) },
      { count: 1 + random(5) },
      { percent: 1 + random(100) },
    ][random(4)],
    clearAfter: [undefined, "100ms", "400ms"][random(3)],
    staleAfter: [undefined, undefined, "300ms", "1500ms", "60s"][random(5)],
  };
  const polygons = Array.from(
    { length: 1 + random(2) },
    (_, i) => randomPolygon(random, i * COLUMNS / 2),
  );
  const [form, coordinates] = polygons.length === 1
    ? ["Polygon", polygons[0]]
    : ["MultiPolygon", polygons];
  return read(collection(feature(properties, coordinates, form)))[0]!;
}

/** Of half of the columns. */
function randomPolygon(random: Random, left: number): number[][][] {
  const width = 1 + random(COLUMNS / 2 - 1);
  const height = 1 + random(COLUMNS / 2);
  const x = left + random(COLUMNS / 2 - width);
  const y = random(3);
  switch (random(3)) {
    case 0: // No centre of a cell is on the long edge.
      return [[[x, y], [x + width, y], [x, y + height + 0.13], [x, y]]];
    case 1:
      if (width < 3 || height < 3) break;
      return [
        rectangle(x, y, width, height),
        rectangle(x + 1, y + 1, width - 2, height - 2),
      ];
  }
  return [rectangle(x, y, width, height)];
}

function rectangle(x: number, y: number, width: number, height: number) {
  const [right, end] = [x + width, y + height];
  return [[x, y], [right, y], [right, end], [x, end], [x, y]];
}

/** Returns what the state of a zone must be, without regard to `clearAfter`. */
export function expectedCounts(zone: Zone, layer: Cells): Counts {
  const { capacity, staleAfter = layer.staleAfter ?? Infinity } = zone;
  let [cells, occupiedCells, staleCells, unknownCells, count] = [0, 0, 0, 0, 0];
  for (const [x, y, value, time] of layer.cells) {
    if (!holdsCell(zone, x, y)) continue;
    cells++;
    if (value < 0) unknownCells++;
    else if (layer.time > time + staleAfter) staleCells++;
    else if (value > 0) {
      occupiedCells++;
      count += value;
    }
  }
  const isKnown = cells > staleCells + unknownCells;
  const percent = capacity === undefined
    ? 100 * occupiedCells / cells
    : 100 * count / capacity;
  const when = zone.occupiedWhen;
  const isOccupied = "cells" in when
    ? occupiedCells >= when.cells
    : "count" in when
    ? count >= when.count
    : percent >= when.percent;
  return {
    occupied: isKnown ? isOccupied : null,
    count,
    certain: cells > 0 && staleCells + unknownCells === 0,
    percent: isKnown ? Math.round(10 * percent) / 10 : null,
    ...{ cells, occupiedCells, staleCells, unknownCells },
  };
}

/** Returns the part of a state that {@linkcode expectedCounts} computes. */
export function countsOf(state: ZoneState): Counts {
  const { occupied, count, certain, percent, cells } = state;
  const { occupiedCells, staleCells, unknownCells } = state;
  return {
    ...{ occupied, count, certain, percent, cells },
    ...{ occupiedCells, staleCells, unknownCells },
  };
}
