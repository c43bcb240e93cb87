/**
 * Adds zones of a file to a draft.
 *
 * @module
 */

import type { Zone } from "../../../zones/zone.ts";
import { type Draft, draftsOf, withNewId, type ZoneDraft } from "./draft.ts";

/** The result of {@linkcode importZones}. */
export interface ImportResult {
  readonly draft: Draft;
  /** Keys of the zones of the file. */
  readonly keys: readonly string[];
  readonly added: number;
  readonly replaced: number;
}

/**
 * Adds zones. One with the id of a zone, or else with its name, replaces that
 * zone, which keeps its id; all others are new and have an id from then on.
 */
export function importZones(
  draft: Draft,
  zones: readonly Zone[],
): ImportResult {
  const result = new Map(draft.map((zone) => [zone.key, zone]));
  const byName = new Map(draft.map((zone) => [zone.fields.name, zone]));
  const used = new Set<string>();
  let added = 0;
  for (const zone of draftsOf(zones)) {
    const named = byName.get(zone.fields.name);
    const old = [result.get(zone.key), named]
      .find((one) => one !== undefined && !used.has(one.key));
    const next = old ? withIdOf(zone, old) : asNew(zone, result);
    if (old === undefined) added++;
    used.add(next.key);
    result.set(next.key, next);
  }
  const keys = [...used];
  const replaced = keys.length - added;
  return { draft: [...result.values()], keys, added, replaced };
}

function asNew(
  zone: ZoneDraft,
  taken: ReadonlyMap<string, unknown>,
): ZoneDraft {
  return zone.key.startsWith("id:") && !taken.has(zone.key)
    ? zone
    : withNewId(zone);
}

/** Returns the zone of the file in place of another one. */
function withIdOf(zone: ZoneDraft, old: ZoneDraft): ZoneDraft {
  const { id: _, ...members } = zone.foreign?.members ?? {};
  const id = old.foreign?.members?.["id"];
  const all = id === undefined ? members : { ...members, id };
  const { properties } = zone.foreign ?? {};
  const foreign = {
    ...(properties === undefined ? {} : { properties }),
    ...(Object.keys(all).length === 0 ? {} : { members: all }),
  };
  return {
    ...zone,
    key: old.key,
    foreign: Object.keys(foreign).length === 0 ? undefined : foreign,
  };
}
