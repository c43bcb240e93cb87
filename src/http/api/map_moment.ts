/**
 * The moment of the map in a response: `time`, `staleAfter` and `began`, as in
 * MQTT replies, and the ETag of the revision.
 *
 * @module
 */
import type { MapMoment } from "../../protocol/mod.ts";
import type { HttpContext } from "../context.ts";
import { Problem } from "../problem.ts";

/**
 * Updates which cells are stale, and returns the time of the map.
 *
 * @param layer as in {@linkcode momentAt}
 * @throws {Problem} 503 if the store fails: cells that the map shows as fresh
 * may be stale
 */
export function refreshMap(server: HttpContext, layer?: string): MapMoment {
  const time = server.refresh();
  if (time === undefined) throw storeFailing(server.store().problem);
  return momentAt(server, time, layer);
}

/**
 * Returns the moment of a map.
 *
 * @param time when the map was read, ms since 1970
 * @param layer the layer of the response; undefined for all
 */
export function momentAt(
  server: HttpContext,
  time: number,
  layer?: string,
): MapMoment {
  const { map } = server;
  const { staleAfter } = layer === undefined ? map.ageing : map.ageingOf(layer);
  const began = layer === undefined ? server.began() : map.beganOf(layer);
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
 * Returns the ETag of the current revision of a layer. It is weak: a reading
 * that repeats a value changes the time of its cell but not the revision.
 */
export function etagOf(server: HttpContext, layer: string): string {
  const revision = server.map.revisionOf(layer);
  return `W/"${revisionId({ revision, began: server.began() })}"`;
}

/**
 * Waits for the revision that a client has, if this server is behind the one
 * that the client has it from. Otherwise the map would look like another one,
 * and all cells would be sent.
 *
 * @param since undefined if the client has none
 */
export async function catchUp(
  server: HttpContext,
  layer: string,
  since: number | undefined,
): Promise<void> {
  if (since !== undefined && since > server.map.revisionOf(layer)) {
    await server.caughtUp(layer);
  }
}

/**
 * Returns an id that identifies a revision across restarts: `812`, or
 * `812@BEGAN` for a map that is not stored, and for a layer that was created
 * after the deletion of one.
 */
export function revisionId(
  { revision, began }: { revision: number; began: number | undefined },
): string {
  return began === undefined ? String(revision) : `${revision}@${began}`;
}
