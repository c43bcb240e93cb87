/// <reference lib="dom" />
/**
 * The mode that shows the map as it was.
 *
 * @module
 */

import { fetchHistoryInfo } from "../feed/history_requests.ts";
import type { ModeHost, ModeParts, PageMode } from "../modes/mode.ts";

/** Opens the history. See {@linkcode OpenMode}. */
export async function openHistory(
  _host: ModeHost,
  parts: ModeParts,
): Promise<PageMode> {
  await fetchHistoryInfo();
  return {
    parts,
    apply() {},
    onLayer() {},
    onZone() {},
    onTick() {},
    recolor() {},
    onKey: () => false,
    close() {},
  };
}
