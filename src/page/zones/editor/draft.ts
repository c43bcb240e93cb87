/**
 * The zones as they are edited: never changed, but replaced. The properties are
 * texts as typed, so that also those that are not valid can be shown and undone.
 *
 * @module
 */

import { writeDuration } from "../../../common/duration.ts";
import { ZoneError } from "../../../zones/errors.ts";
import { toFeature, type ZoneFeature } from "../../../zones/write_geojson.ts";
import type {
  ForeignMembers,
  OccupiedWhen,
  Polygon,
  Zone,
} from "../../../zones/zone.ts";
import { readZoneProperties } from "../../../zones/zone_properties.ts";
import { randomId } from "./zone_names.ts";

/** What the least value of `occupiedWhen` counts. */
export type OccupiedKind = "cells" | "count" | "percent";

/** The properties of a zone, as typed. */
export interface ZoneFields {
  readonly name: string;
  readonly title: string;
  readonly layer: string;
  /** Empty if it is not known. */
  readonly capacity: string;
  readonly occupiedKind: OccupiedKind;
  readonly occupiedLeast: string;
  /** A duration; empty for 0. */
  readonly clearAfter: string;
  /** A duration; empty for that of the map. */
  readonly staleAfter: string;
}

/** A zone that may be edited, and need not be valid. */
export interface ZoneDraft {
  /**
   * Identifies the zone, also after it was renamed: made of its feature's `id`
   * (RFC 7946, 3.2), or else of the name with which it was loaded.
   */
  readonly key: string;
  readonly fields: ZoneFields;
  readonly polygons: readonly Polygon[];
  readonly foreign: ForeignMembers | undefined;
}

/** All zones, in the order of the collection; keys are unique. */
export type Draft = readonly ZoneDraft[];

/** Makes drafts of zones. */
export function draftsOf(zones: Iterable<Zone>): Draft {
  const keys = new Set<string>();
  return Array.from(zones, (zone) => {
    const { id } = zone.foreign?.members ?? {};
    let key = keyOf(id) ?? `name:${zone.name}`;
    // An id should be unique, but tools copy features with their ids.
    if (keys.has(key)) key = `name:${zone.name}`;
    keys.add(key);
    return {
      key,
      fields: fieldsOf(zone),
      polygons: zone.polygons,
      foreign: zone.foreign,
    };
  });
}

/** What a new zone is made of. */
export interface NewZone {
  readonly name: string;
  readonly title: string;
  readonly layer: string;
  readonly polygons: readonly Polygon[];
}

/** Makes a zone with the default properties and a new id. */
export function newDraft(
  { name, title, layer, polygons }: NewZone,
): ZoneDraft {
  return withNewId({
    key: "",
    fields: {
      name,
      title,
      layer,
      capacity: "",
      occupiedKind: "cells",
      occupiedLeast: "1",
      clearAfter: "",
      staleAfter: "",
    },
    polygons,
    foreign: undefined,
  });
}

/** Returns the zone with another id, as another zone. */
export function withNewId(draft: ZoneDraft): ZoneDraft {
  const id = randomId();
  return {
    ...draft,
    key: keyOf(id)!,
    foreign: {
      ...draft.foreign,
      members: { ...draft.foreign?.members, id },
    },
  };
}

/** Returns the properties of a zone as texts. */
export function fieldsOf(zone: Zone): ZoneFields {
  const [[kind, least]] = Object.entries(zone.occupiedWhen) as [
    [OccupiedKind, number],
  ];
  const { name, title = "", layer, capacity, clearAfter, staleAfter } = zone;
  return {
    name,
    title,
    layer,
    capacity: capacity === undefined ? "" : String(capacity),
    occupiedKind: kind,
    occupiedLeast: String(least),
    clearAfter: clearAfter === 0 ? "" : writeDuration(clearAfter),
    staleAfter: staleAfter === undefined ? "" : writeDuration(staleAfter),
  };
}

/** Returns the properties for `readZoneProperties`, which checks them. */
export function propertiesOf(fields: ZoneFields): Record<string, unknown> {
  const { name, title, layer, capacity, clearAfter, staleAfter } = fields;
  return {
    name,
    title: title.trim(),
    layer,
    capacity: numberIn(capacity),
    occupiedWhen: occupiedWhenOf(fields),
    clearAfter: clearAfter.trim(),
    staleAfter: staleAfter.trim(),
  };
}

/**
 * Returns the zone of a draft.
 *
 * @throws {ZoneError} if a property is not valid; the polygons are not checked
 */
export function zoneOf(draft: ZoneDraft): Zone {
  const { polygons, foreign } = draft;
  return {
    ...readZoneProperties(propertiesOf(draft.fields), 1),
    polygons,
    ...(foreign === undefined ? {} : { foreign }),
  };
}

/**
 * Returns the feature of a draft.
 *
 * @throws {ZoneError} if a property is not valid
 */
export function featureOf(draft: ZoneDraft): ZoneFeature {
  return toFeature(zoneOf(draft));
}

/** How a zone is called in texts for people. */
export function titleOf({ fields: { title, name } }: ZoneDraft): string {
  return title.trim() || name.trim() || "Zone without a name";
}

/** Returns true if two drafts define the same; both may be missing. */
export function isSameDraft(
  a: ZoneDraft | undefined,
  b: ZoneDraft | undefined,
): boolean {
  return a === b ||
    a !== undefined && b !== undefined && textOf(a) === textOf(b);
}

/** Each draft is compared often, and never changed. */
const texts = new WeakMap<ZoneDraft, string>();

/** Equal for drafts that define the same, however it was typed. */
function textOf(draft: ZoneDraft): string {
  let text = texts.get(draft);
  if (text === undefined) {
    try {
      text = JSON.stringify(featureOf(draft));
    } catch (error) {
      if (!(error instanceof ZoneError)) throw error;
      const { fields, polygons, foreign } = draft;
      text = JSON.stringify([fields, polygons, foreign]);
    }
    texts.set(draft, text);
  }
  return text;
}

/** Replaces the zone with the key of another. */
export function replaceZone(draft: Draft, zone: ZoneDraft): Draft {
  return draft.map((one) => one.key === zone.key ? zone : one);
}

/** Returns the zone with a key. */
export function findZone(
  draft: Draft,
  key: string | undefined,
): ZoneDraft | undefined {
  return draft.find((one) => one.key === key);
}

/** The keys of zones that differ from those that are saved. */
export interface DraftChanges {
  readonly added: ReadonlySet<string>;
  readonly changed: ReadonlySet<string>;
  readonly deleted: ReadonlySet<string>;
  /** Number of all. */
  readonly count: number;
}

/** Compares a draft with the saved zones. */
export function changesOf(saved: Draft, draft: Draft): DraftChanges {
  const before = new Map(saved.map((zone) => [zone.key, zone]));
  const after = new Set(draft.map(({ key }) => key));
  const keysOf = (zones: Draft) => new Set(zones.map(({ key }) => key));
  const added = keysOf(draft.filter(({ key }) => !before.has(key)));
  const changed = keysOf(draft.filter((zone) => {
    const old = before.get(zone.key);
    return old !== undefined && !isSameDraft(old, zone);
  }));
  const deleted = keysOf(saved.filter(({ key }) => !after.has(key)));
  const count = added.size + changed.size + deleted.size;
  return { added, changed, deleted, count };
}

function keyOf(id: unknown): string | undefined {
  return typeof id === "string" || typeof id === "number"
    ? `id:${id}`
    : undefined;
}

function occupiedWhenOf(
  { occupiedKind, occupiedLeast }: ZoneFields,
): OccupiedWhen {
  return {
    [occupiedKind]: numberIn(occupiedLeast) ?? "",
  } as unknown as OccupiedWhen;
}

/** Returns a number, undefined for an empty text, or a text that is none. */
function numberIn(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  return /^[-+]?\d+(?:\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed;
}
