import type { CellStatus } from "../../../grid/status.ts";
import type { MapView } from "../../../request/mod.ts";
import { Exit } from "../../exit.ts";
import { statusAt } from "../../terminal/render.ts";

/**
 * What the cells of an answer say together: occupied if one of them is for
 * sure, free if all are for sure. Else it is not known: stale if it was, and
 * unknown if it never was. A place without a cell says nothing, unless there is
 * no cell at all.
 */
export function verdictOf(view: MapView): CellStatus {
  const seen = new Set<CellStatus>();
  for (let i = 0; i < view.cells.length; i++) seen.add(statusAt(view, i));
  const order: readonly CellStatus[] = ["occupied", "unknown", "stale", "free"];
  return order.find((status) => seen.has(status)) ?? "unknown";
}

/** The exit code that tells a verdict. */
export function exitCodeOf(verdict: CellStatus): number {
  if (verdict === "occupied") return Exit.ok;
  return verdict === "free" ? Exit.free : Exit.unknown;
}
