/** Zones for the tests of the messages to Home Assistant. */
import type { Zone } from "../../src/zones/mod.ts";
import { DEFAULT_OCCUPIED_WHEN } from "../../src/zones/mod.ts";

/** Makes a zone: a square of 4 by 4 cells. */
export function zoneOf(
  name: string,
  { x = 0, id, ...rest }: Partial<Zone> & {
    /** Its left edge. */
    readonly x?: number;
    /** The `id` of its feature. */
    readonly id?: unknown;
  } = {},
): Zone {
  return {
    name,
    layer: "default",
    title: undefined,
    capacity: undefined,
    occupiedWhen: DEFAULT_OCCUPIED_WHEN,
    clearAfter: 0,
    staleAfter: undefined,
    polygons: [[[[x, 0], [x + 4, 0], [x + 4, 4], [x, 4], [x, 0]]]],
    ...(id !== undefined && { foreign: { members: { id } } }),
    ...rest,
  };
}
