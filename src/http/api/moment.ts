/**
 * When the map is read, and by which rules its cells are stale: the members that
 * responses share with replies over MQTT.
 *
 * @module
 */
import type { MapMoment } from "../../protocol/mod.ts";
import type { HttpContext } from "../context.ts";
import { Problem } from "../problem.ts";

/**
 * Updates which cells are stale, and returns the time of the map.
 *
 * @throws {Problem} 503 if the store fails: cells may be staler than the map
 * shows
 */
export function refreshMap(server: HttpContext): MapMoment {
  const time = server.refresh();
  if (time === undefined) throw storeFailing(server.store().problem);
  return momentAt(server, time);
}

/** Returns the members for a map that was read at a time, ms since 1970. */
export function momentAt(server: HttpContext, time: number): MapMoment {
  const { staleAfter } = server.map.ageing;
  const began = server.began();
  return {
    time,
    ...(Number.isFinite(staleAfter) && { staleAfter }),
    ...(began !== undefined && { began }),
  };
}

function storeFailing(problem = "The store fails"): Problem {
  return new Problem({
    status: 503,
    code: "store-failing",
    message: problem,
    hint: "The server retries automatically. Try again in a moment.",
    headers: { "retry-after": "2" },
  });
}

/**
 * The ETag of a response at the current revision. It is weak: a reading that
 * repeats a value changes the time of its cell but not the revision.
 */
export function etagOf(server: HttpContext): string {
  const { revision } = server.map;
  return `W/"${revisionId({ revision, began: server.began() })}"`;
}

/**
 * Identifies a revision across restarts: `812`, or `812@BEGAN` for a map that
 * ends with the server.
 */
export function revisionId(
  { revision, began }: { revision: number; began: number | undefined },
): string {
  return began === undefined ? String(revision) : `${revision}@${began}`;
}
