/**
 * The named areas of a simulated scene, and the zones that they are.
 *
 * @module
 */
import { DEFAULT_OCCUPIED_WHEN } from "../zones/zone_properties.ts";
import type { Ring, Zone } from "../zones/zone.ts";

/** A rectangle of a scene that has a name. */
export interface Area {
  /** Unique in its scene; one level of a topic. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Desks or seats; undefined if it is not made for a number of people. */
  readonly capacity?: number;
  /** See `Zone.clearAfter`, in ms. Default 0. */
  readonly clearAfter?: number;
  /** The first column. */
  readonly x: number;
  /** The first row. */
  readonly y: number;
  /** In columns. */
  readonly width: number;
  /** In rows. */
  readonly height: number;
}

/**
 * Returns areas as zones.
 *
 * @param areas the areas of one scene
 * @param layer the layer of its readings
 */
export function zonesOf(areas: readonly Area[], layer: string): Zone[] {
  return areas.map((area) => ({
    name: area.name,
    layer,
    title: area.title,
    capacity: area.capacity,
    occupiedWhen: DEFAULT_OCCUPIED_WHEN,
    clearAfter: area.clearAfter ?? 0,
    staleAfter: undefined,
    polygons: [[ringOf(area)]],
  }));
}

/** Counterclockwise if y grows upwards, as RFC 7946, 3.1.6 asks. */
function ringOf({ x, y, width, height }: Area): Ring {
  const [right, end] = [x + width, y + height];
  return [[x, y], [right, y], [right, end], [x, end], [x, y]];
}

/**
 * Returns an area and its parts; the area alone if it has only one part, which
 * would be the same.
 */
export function withParts(whole: Area, parts: readonly Area[]): Area[] {
  return parts.length === 1 ? [whole] : [whole, ...parts];
}

/** How the rows of a scene are divided. */
export interface RowOptions {
  readonly whole: Pick<Area, "name" | "title">;
  /** Parts have numbers behind it, from 1 on. */
  readonly part: Pick<Area, "name" | "title">;
  /** Sensors of a part, except perhaps the last one. */
  readonly cellsPerPart: number;
  /** With the aisle after it. */
  readonly rowsPerPart: number;
}

/**
 * Returns the area of a scene whose sensors stand in rows, and its parts of
 * some rows each. Capacities are numbers of sensors.
 */
export function rowAreas(
  { cells, width, height }: {
    readonly cells: number;
    readonly width: number;
    readonly height: number;
  },
  { whole, part, cellsPerPart, rowsPerPart }: RowOptions,
): Area[] {
  const length = Math.ceil(cells / cellsPerPart);
  const parts = Array.from({ length }, (_, i): Area => {
    const y = i * rowsPerPart;
    return {
      ...{ name: `${part.name}-${i + 1}`, title: `${part.title} ${i + 1}` },
      capacity: Math.min(cellsPerPart, cells - i * cellsPerPart),
      ...{ x: 0, y, width },
      height: Math.min(rowsPerPart, height - y),
    };
  });
  return withParts(
    { ...whole, x: 0, y: 0, width, height, capacity: cells },
    parts,
  );
}

/**
 * Returns the length of a row in cells.
 *
 * @param count number of sensors
 * @param block sensors of a block; between two of them is an aisle of a cell
 */
export function withAisles(count: number, block: number): number {
  return count + Math.floor((count - 1) / block);
}
