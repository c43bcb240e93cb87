/// <reference lib="dom" />
/**
 * Who reported a cell last, asked of the server.
 *
 * @module
 */

import type { SourceFinder } from "./tooltip.ts";

/** Asks `GET /api/v1/cell`. @throws {Error} if there is no answer that can be used */
export const findSource: SourceFinder = async ({ layer, x, y }, signal) => {
  const query = new URLSearchParams({ layer, x: String(x), y: String(y) });
  const response = await fetch(`/api/v1/cell?${query}`, { signal });
  if (!response.ok) throw new Error(`Cannot find out: ${response.status}`);
  const cell: unknown = await response.json();
  const source = typeof cell === "object" && cell !== null && "source" in cell
    ? cell.source
    : null;
  return typeof source === "string" && source !== "" ? source : null;
};
