/**
 * What a zone is: a named area of one layer.
 *
 * @module
 */

/** A point, in cells: cell (x, y) is the square from (x, y) to (x+1, y+1). */
export type Position = readonly [x: number, y: number];

/** A closed ring of at least four positions; the last equals the first. */
export type Ring = readonly Position[];

/** A polygon of GeoJSON: its outer ring, then its holes. */
export type Polygon = readonly Ring[];

/** From when on a zone is occupied. */
export type OccupiedWhen =
  /** At least this number of cells is occupied. */
  | { readonly cells: number }
  /** The sum of the values is at least this. */
  | { readonly count: number }
  /** The percentage is at least this, above 0. */
  | { readonly percent: number };

/** A named area of one layer. */
export interface Zone {
  /** One level of a topic; unique. */
  readonly name: string;
  readonly layer: string;
  /** For people; undefined: the name. */
  readonly title: string | undefined;
  /** How many it is made for, above 0; undefined if that is not known. */
  readonly capacity: number | undefined;
  readonly occupiedWhen: OccupiedWhen;
  /** A zone is free only after this time without occupancy, in ms. */
  readonly clearAfter: number;
  /**
   * A cell without a reading for this time is stale for the zone, in ms;
   * undefined: as the map says.
   */
  readonly staleAfter: number | undefined;
  readonly polygons: readonly Polygon[];
  /** What else the feature of the zone says; without effect on the zone. */
  readonly foreign?: ForeignMembers;
}

/**
 * Members of a feature that do not belong to a zone, such as colours. They are
 * kept, so that a tool finds them in the written collection again.
 */
export interface ForeignMembers {
  /** Other properties, such as `fill` of geojson.io. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** Other members of the feature, such as `id` (RFC 7946, 3.2 and 6.1). */
  readonly members?: Readonly<Record<string, unknown>>;
}
