import { Freshness } from "../../grid/mod.ts";

/** What a cell says, in one word. */
export type CellStatus = "free" | "occupied" | "unknown" | "stale";

/**
 * The word for a cell: `stale`, not free or occupied, if it is too old to tell.
 *
 * @param value as the map has it, -1 if forgotten
 */
export function statusOf(value: number, freshness: Freshness): CellStatus {
  if (value < 0) return "unknown";
  if (freshness !== Freshness.Fresh) return "stale";
  return value === 0 ? "free" : "occupied";
}
