/**
 * How large the map of `occupancy server` may be.
 *
 * @module
 */
import { memoryLimit } from "../../../common/memory.ts";
import { describeMapMemory, mapMemoryOf } from "../../../grid/mod.ts";
import type { ServerOptions } from "../../../server/mod.ts";
import type { ServerFlags } from "./options.ts";

/** Limits for the options of a server, and a line for the log. */
export interface MapSize
  extends Required<Pick<ServerOptions, "cellLimits" | "loadLimit">> {
  readonly description: string;
}

/** Computes the limits from the options and the memory of this process. */
export function mapSizeOf(
  { maxCells, maxCellsPerLayer }: Pick<
    ServerFlags,
    "maxCells" | "maxCellsPerLayer"
  >,
): MapSize {
  const memory = memoryLimit();
  const { growBytes, maxBytes } = mapMemoryOf(memory.bytes);
  return {
    cellLimits: {
      maxCells,
      maxLayerCells: maxCellsPerLayer,
      maxBytes: growBytes,
    },
    loadLimit: { maxBytes, memoryBytes: memory.bytes },
    description: describeMapMemory(memory),
  };
}
