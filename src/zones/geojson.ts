/**
 * Reads zones from a FeatureCollection of GeoJSON (RFC 7946), with coordinates
 * in cells: cell (x, y) is the square from (x, y) to (x+1, y+1).
 *
 * Rules for what the RFC leaves open:
 * - Other properties, and other members of a feature such as `id`, are kept
 *   with the zone and written again. `bbox`, other members of the collection
 *   and of geometries, and third numbers of positions are ignored and lost.
 * - A property that is null or an empty text is missing.
 * - Of members of one name in one object the last is used, except for
 *   `features` of the collection, which may be there only once.
 *
 * @module
 */

import type { Work } from "../common/turns.ts";
import { quoteName } from "../common/printable.ts";
import { describeJson, encodeText, isJsonObject } from "../protocol/text.ts";
import { CollectionJson } from "./collection_json.ts";
import { assertNotDegrees } from "./degrees.ts";
import { type FeatureLabel, labelOf, ZoneError } from "./errors.ts";
import type { ByteRange } from "./feature_scanner.ts";
import { DEFAULT_ZONE_LIMITS, type ZoneLimits } from "./limits.ts";
import { readGeometry } from "./rings.ts";
import type { ForeignMembers, Polygon, Zone } from "./zone.ts";
import {
  foreignProperties,
  labelOfProperties,
  readZoneProperties,
} from "./zone_properties.ts";

/** Positions and bytes that are about a millisecond of work. */
const POSITIONS_PER_STEP = 500;
const BYTES_PER_STEP = 16 * 1024;
/** Members of a feature that a zone is made of, or that are derived from it. */
const KNOWN_MEMBERS = new Set(["type", "properties", "geometry", "bbox"]);

/**
 * Reads zones, all or none. A step takes about a millisecond, but `JSON.parse`
 * of a feature cannot be divided: 512 KiB take up to 20 ms.
 *
 * @param input the GeoJSON; bytes are UTF-8, with or without a byte order mark,
 * and must not change until the zones are read
 * @param limits the limits to change
 * @returns the zones in the order of the features
 * @throws {ZoneError} if any part of the collection is not valid
 */
export function* readZonesInSteps(
  input: Uint8Array | string,
  limits: Partial<ZoneLimits> = {},
): Work<readonly Zone[]> {
  const all = { ...DEFAULT_ZONE_LIMITS, ...limits };
  // A text has at most as many code units as bytes.
  if (input.length > all.bytes) throw tooLarge(all);
  const bytes = typeof input === "string" ? encodeText(input) : input;
  if (bytes.length > all.bytes) throw tooLarge(all);
  return yield* new CollectionReader(bytes, all).read();
}

class CollectionReader {
  readonly #json: CollectionJson;
  readonly #limits: ZoneLimits;
  readonly #zones: Zone[] = [];
  /** Numbers of the features by the names of their zones. */
  readonly #numbers = new Map<string, number>();
  #positions = 0;

  constructor(bytes: Uint8Array, limits: ZoneLimits) {
    this.#json = new CollectionJson(bytes, limits);
    this.#limits = limits;
  }

  *read(): Work<readonly Zone[]> {
    const features = yield* this.#json.findFeatures();
    let work = 0;
    for (const [index, range] of features.entries()) {
      work += (range[1] - range[0]) / BYTES_PER_STEP;
      const before = this.#positions;
      yield* this.#readFeature(range, index + 1);
      work += (this.#positions - before) / POSITIONS_PER_STEP;
      if (work < 1) continue;
      work = 0;
      yield;
    }
    yield* assertNotDegrees(this.#zones);
    return this.#zones;
  }

  *#readFeature([from, to]: ByteRange, number: number): Work<void> {
    const value = this.#json.parseFeature([from, to], number);
    if (to - from > BYTES_PER_STEP) yield;
    const { properties, geometry, members } = readMembers(value, number);
    const known = readZoneProperties(properties, number);
    const feature = { number, name: known.name };
    this.#addName(known.name, number);
    const polygons = yield* readGeometry(geometry, feature);
    this.#countPositions(polygons, feature);
    const foreign = foreignOf(foreignProperties(properties), members);
    this.#zones.push({
      ...known,
      polygons,
      ...(foreign === undefined ? {} : { foreign }),
    });
  }

  #addName(name: string, number: number): void {
    const other = this.#numbers.get(name);
    if (other !== undefined) {
      throw new ZoneError(
        "duplicate-name",
        `${quoteName(name)} is also the name of feature ${other}`,
        { feature: { number }, hint: "Give each zone another name." },
      );
    }
    this.#numbers.set(name, number);
  }

  #countPositions(polygons: readonly Polygon[], feature: FeatureLabel): void {
    for (const polygon of polygons) {
      for (const ring of polygon) this.#positions += ring.length;
    }
    const max = this.#limits.positions;
    if (this.#positions <= max) return;
    throw new ZoneError(
      "too-many-positions",
      `the zones up to ${labelOf(feature)} have more than ${max} positions`,
      { hint: "Draw the zones with fewer corners." },
    );
  }
}

/** Divides a feature into its properties, its geometry and other members. */
function readMembers(value: unknown, number: number) {
  const fail = (problem: string, hint: string) =>
    new ZoneError("bad-form", problem, {
      hint,
      feature: isJsonObject(value)
        ? labelOfProperties(value.properties, number)
        : { number },
    });
  const hint =
    'A feature is an object {"type":"Feature","properties":{"name":…},"geometry":…}.';
  if (!isJsonObject(value)) {
    throw fail(`it is not an object but ${describeJson(value)}`, hint);
  }
  if (value.type !== "Feature") {
    const type = value.type === undefined
      ? "it has no type"
      : `its type is not "Feature" but ${describeJson(value.type)}`;
    throw fail(type, hint);
  }
  const properties = value.properties ?? {};
  if (!isJsonObject(properties)) {
    const kind = describeJson(properties);
    throw fail(`its properties are not an object but ${kind}`, hint);
  }
  const members = Object.entries(value)
    .filter(([key]) => !KNOWN_MEMBERS.has(key));
  return {
    properties,
    geometry: value.geometry,
    // Defines each, so that `__proto__` is a member as others.
    members: members.length === 0 ? undefined : Object.fromEntries(members),
  };
}

function foreignOf(
  properties: ForeignMembers["properties"] | undefined,
  members: ForeignMembers["members"] | undefined,
): ForeignMembers | undefined {
  if (properties === undefined && members === undefined) return undefined;
  return {
    ...(properties === undefined ? {} : { properties }),
    ...(members === undefined ? {} : { members }),
  };
}

function tooLarge(limits: ZoneLimits): ZoneError {
  return new ZoneError(
    "too-large",
    `the collection has more than ${limits.bytes} bytes`,
    { hint: "Draw the zones with fewer corners, or remove some." },
  );
}
