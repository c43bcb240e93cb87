/**
 * Applies edits to the definitions of zones.
 *
 * @module
 */

import type { Work } from "../common/turns.ts";
import { encodeText } from "../protocol/text.ts";
import type { ZoneLimits } from "./limits.ts";
import { toFeature } from "./write_geojson.ts";
import type { Zone } from "./zone.ts";
import type { ZoneEdit, Zones } from "./zone_service.ts";

/** Bytes of features that are written in about a millisecond. */
const STEP_BYTES = 128 * 1024;

/** What an edit makes of the zones. */
export interface EditedZones {
  readonly zones: Zones;
  /** The features, as JSON, of zones that are new or different; by name. */
  readonly set: ReadonlyMap<string, string>;
  /** The number of zones in `set` that are new. */
  readonly added: number;
  /** The names of zones that are there no more. */
  readonly deleted: readonly string[];
}

/** The limits of a collection to which zones are added one by one. */
export type CollectionLimits = Pick<
  ZoneLimits,
  "bytes" | "zones" | "positions"
>;

/** What a zone takes of the limits. */
interface ZoneSize {
  readonly bytes: number;
  readonly positions: number;
}

/** Applies edits; remembers how large each zone is. */
export class ZoneEditor {
  readonly #limits: CollectionLimits;
  readonly #sizes = new WeakMap<Zone, ZoneSize>();

  /** @param limits an edit whose result would exceed them is refused */
  constructor(limits: CollectionLimits) {
    this.#limits = limits;
  }

  /**
   * Applies an edit, in steps of about a millisecond.
   *
   * @param zones the present zones; not changed
   * @param edit a collection has no two zones of the same name
   */
  *apply(
    zones: Zones,
    edit: ZoneEdit,
  ): Work<EditedZones | "no-zone" | "too-large"> {
    if (edit.kind === "delete") {
      if (!zones.has(edit.name)) return "no-zone";
      const rest = new Map(zones);
      rest.delete(edit.name);
      return { zones: rest, set: new Map(), added: 0, deleted: [edit.name] };
    }
    const given = edit.kind === "set" ? [edit.zone] : edit.zones;
    const next = new Map(edit.kind === "set" ? zones : []);
    const set = new Map<string, string>();
    let added = 0;
    let bytes = 0;
    for (const zone of given) {
      const { name } = zone;
      const feature = this.#write(zone);
      const before = zones.get(name);
      if (before === undefined) added++;
      const isSame = before !== undefined && this.#write(before) === feature;
      if (!isSame) set.set(name, feature);
      next.set(name, isSame ? before : zone);
      bytes += 2 * feature.length;
      if (bytes < STEP_BYTES) continue;
      bytes = 0;
      yield;
    }
    if (set.size > 0 && !(yield* this.#fits(next))) return "too-large";
    const deleted = [...zones.keys()].filter((name) => !next.has(name));
    return { zones: next, set, added, deleted };
  }

  /** Returns the feature of a zone, and remembers its size. */
  #write(zone: Zone): string {
    const feature = JSON.stringify(toFeature(zone));
    this.#sizes.set(zone, {
      bytes: encodeText(feature).length,
      positions: positionsOf(zone),
    });
    return feature;
  }

  *#fits(zones: Zones): Work<boolean> {
    const limits = this.#limits;
    if (zones.size > limits.zones) return false;
    let bytes = 0;
    let positions = 0;
    let written = 0;
    for (const zone of zones.values()) {
      if (!this.#sizes.has(zone)) written += this.#write(zone).length;
      const size = this.#sizes.get(zone)!;
      bytes += size.bytes;
      positions += size.positions;
      if (written < STEP_BYTES) continue;
      written = 0;
      yield;
    }
    return bytes <= limits.bytes && positions <= limits.positions;
  }
}

function positionsOf({ polygons }: Zone): number {
  let positions = 0;
  for (const rings of polygons) {
    for (const { length } of rings) positions += length;
  }
  return positions;
}
