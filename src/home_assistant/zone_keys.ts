/**
 * Decides which zones are announced, and under which keys. The ids that Home
 * Assistant stores for the entities of a zone are made of its key, so a renamed
 * zone that keeps its key keeps its entities, with their history.
 *
 * @module
 */
import type { Zone } from "../zones/zone.ts";
import { Hash, hashOf, idOf, slugOf } from "./slug.ts";

/**
 * Positions of the first outer ring by which a renamed zone is recognized: a
 * bound, so that a zone with many positions costs no more.
 */
const COMPARED_POSITIONS = 16;

/**
 * How many zones are announced: Home Assistant has three entities for each, and
 * becomes slow with many thousands.
 */
export const MAX_ANNOUNCED_ZONES = 1000;

/** A longer `id` of a feature is replaced by its hash, in UTF-16 code units. */
const MAX_ID_LENGTH = 100;

/** What is remembered of a zone. */
export interface KnownZone {
  /** Unique; lower case letters, digits and underscores. */
  readonly key: string;
  /** The name of the zone. */
  readonly name: string;
  /** The `id` of its feature, see {@linkcode featureIdOf}. */
  readonly featureId: string | undefined;
  /** What identifies its layer and its polygons, see {@linkcode shapeOf}. */
  readonly shape: string;
}

/** The result of {@linkcode assignKeys}. */
export interface KeyAssignment {
  /** The announced zones by name, in the order of the collection. */
  readonly zones: ReadonlyMap<string, KnownZone>;
  /** The keys of zones that are gone. */
  readonly removed: readonly string[];
  /** The number of zones above the maximum, which are not announced. */
  readonly excess: number;
}

/**
 * Gives each zone its key. A zone has the key of the known zone
 *
 * 1. with the same feature id,
 * 2. or else with the same name,
 * 3. or else with the same layer and polygons, if no other zone has its name:
 *    it was renamed.
 *
 * All other zones are new.
 *
 * @param zones all zones, in the order of their collection
 * @param known the zones of the assignment before, with different keys
 * @param max how many zones are announced; known ones first
 */
export function assignKeys(
  zones: Iterable<Zone>,
  known: Iterable<KnownZone>,
  max: number,
): KeyAssignment {
  const all = [...zones];
  const featureIds = uniqueFeatureIds(all);
  const rest = new Map(Array.from(known, (one) => [one.key, one]));
  const keys = new Map<Zone, string>();
  const match = (
    property: (one: KnownZone) => string | undefined,
    value: (zone: Zone) => string | undefined,
  ) => {
    const candidates = new Map<string, string[]>();
    // The first of several is the last one in its list.
    for (const one of [...rest.values()].reverse()) {
      const text = property(one);
      if (text === undefined) continue;
      const list = candidates.get(text);
      if (list === undefined) candidates.set(text, [one.key]);
      else list.push(one.key);
    }
    if (candidates.size === 0) return;
    for (const zone of all) {
      if (keys.has(zone)) continue;
      const text = value(zone);
      const key = text === undefined ? undefined : candidates.get(text)?.pop();
      if (key === undefined) continue;
      keys.set(zone, key);
      rest.delete(key);
    }
  };
  match((one) => one.featureId, (zone) => featureIds.get(zone));
  match((one) => one.name, (zone) => zone.name);
  match((one) => one.shape, shapeOf);
  const used = new Set([...keys.values(), ...rest.keys()]);
  let free = max - keys.size;
  let excess = 0;
  const removed = [...rest.keys()];
  const announced = new Map<string, KnownZone>();
  for (const zone of all) {
    let key = keys.get(zone);
    if (key === undefined && free > 0) {
      free--;
      key = newKey(zone, featureIds.get(zone), used);
    }
    if (key === undefined || announced.size >= max) {
      if (key !== undefined) removed.push(key);
      excess++;
      continue;
    }
    announced.set(zone.name, {
      key,
      name: zone.name,
      featureId: featureIds.get(zone),
      shape: shapeOf(zone),
    });
  }
  return { zones: announced, removed, excess };
}

/**
 * Returns the `id` of the feature of a zone (RFC 7946, 3.2) as a short text that
 * is different for `1` and `"1"`; undefined if it has none.
 */
export function featureIdOf({ foreign }: Zone): string | undefined {
  const id = foreign?.members?.id;
  if (typeof id === "number") return String(id);
  if (typeof id !== "string") return undefined;
  return `"${id.length > MAX_ID_LENGTH ? hashOf(id) : id}"`;
}

/**
 * Returns what identifies the layer and the polygons of a zone, with high
 * probability: a hash of the first positions and of some numbers of them.
 */
export function shapeOf({ layer, polygons }: Zone): string {
  const hash = new Hash().addText(layer).addNumber(polygons.length);
  const rings = polygons[0] ?? [];
  const outer = rings[0] ?? [];
  hash.addNumber(rings.length).addNumber(outer.length);
  for (const [x, y] of outer.slice(0, COMPARED_POSITIONS)) {
    hash.addNumber(x).addNumber(y);
  }
  return hash.toString();
}

/** The feature ids that only one zone has. */
function uniqueFeatureIds(zones: readonly Zone[]): Map<Zone, string> {
  const owners = new Map<string, Zone | undefined>();
  for (const zone of zones) {
    const id = featureIdOf(zone);
    if (id !== undefined) owners.set(id, owners.has(id) ? undefined : zone);
  }
  return new Map(
    [...owners].flatMap(([id, zone]) => zone === undefined ? [] : [[zone, id]]),
  );
}

/** Without a memory of earlier keys, a zone with a feature id keeps its key. */
function newKey(
  { name }: Zone,
  featureId: string | undefined,
  used: Set<string>,
): string {
  const wanted = featureId === undefined
    ? slugOf(name) || `zone_${hashOf(name)}`
    : `id_${idOf(featureId.replace(/^"|"$/g, ""))}`;
  let key = wanted;
  const hash = hashOf(featureId ?? name);
  for (let i = 1; used.has(key); i++) {
    key = i === 1 ? `${wanted}_${hash}` : `${wanted}_${hash}_${i}`;
  }
  used.add(key);
  return key;
}
