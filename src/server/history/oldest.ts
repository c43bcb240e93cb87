/**
 * From when on a history is whole. What is older is being deleted.
 *
 * @module
 */
import { hourOf } from "../../history/hour.ts";
import type { HistoryTables } from "../../store/store.ts";
import { BEGAN, ROLLUPS_FROM } from "./parts.ts";

/** The first hour whose changes are not deleted. */
export function oldestHour({ meta }: Pick<HistoryTables, "meta">): number {
  return hourOf(meta.get(BEGAN) ?? 0);
}

/** The first day (UTC) of which all rollups are there; undefined for none. */
export function oldestRollupDay(
  tables: Pick<HistoryTables, "meta" | "oldestDay">,
): number | undefined {
  const day = tables.oldestDay();
  return day && Math.max(day, tables.meta.get(ROLLUPS_FROM) ?? 0);
}
