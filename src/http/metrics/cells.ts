import type { CellCounts } from "../../grid/mod.ts";
import type { ReadableMap } from "../context.ts";

/** Layers with a label of their own; more would be more than Prometheus likes. */
export const MAX_LAYER_LABELS = 100;
/** The label under which all further layers are counted. No layer has it: + is no name. */
export const OTHER_LAYERS = "+others";

/** The counts of layers under the labels that they get. */
export function countsByLabel(map: ReadableMap): Map<string, CellCounts> {
  const counts = new Map<string, CellCounts>();
  for (const [name, grid] of map.layers()) {
    const label = counts.size < MAX_LAYER_LABELS ? name : OTHER_LAYERS;
    const before = counts.get(label);
    counts.set(
      label,
      before === undefined ? grid.counts() : sum(before, grid.counts()),
    );
  }
  return counts;
}

function sum(a: CellCounts, b: CellCounts): CellCounts {
  return {
    cells: a.cells + b.cells,
    free: a.free + b.free,
    occupied: a.occupied + b.occupied,
    unknown: a.unknown + b.unknown,
    stale: a.stale + b.stale,
    people: a.people + b.people,
  };
}
