/**
 * The error of zones that cannot be used.
 *
 * @module
 */

import { AppError, type AppErrorOptions } from "../common/errors.ts";
import { quoteName } from "../common/printable.ts";

/** What is wrong with a collection of zones. */
export type ZoneErrorCode =
  /** Over the bytes of a collection or of one feature. */
  | "too-large"
  | "too-many-zones"
  | "too-many-positions"
  | "bad-utf8"
  /** The JSON ends too early. */
  | "cut-off"
  | "bad-json"
  /** Not a FeatureCollection, or a feature that is none. */
  | "bad-form"
  | "bad-name"
  | "duplicate-name"
  | "bad-layer"
  | "bad-title"
  | "bad-capacity"
  | "bad-occupied-when"
  | "bad-duration"
  /** Neither a Polygon nor a MultiPolygon. */
  | "bad-geometry"
  | "bad-position"
  | "short-ring"
  | "open-ring"
  | "empty-ring"
  | "self-crossing"
  /** Coordinates in degrees, not in cells. */
  | "degrees";

/** Options of {@linkcode ZoneError}. */
export interface ZoneErrorOptions extends AppErrorOptions {
  readonly feature?: FeatureLabel | undefined;
}

/** How an error names a feature. */
export interface FeatureLabel {
  /** Its number in the collection, from 1. */
  readonly number: number;
  /** The name of its zone, if it has one. */
  readonly name?: string | undefined;
}

/** A collection of zones that cannot be used, and why. */
export class ZoneError extends AppError {
  override readonly name: string = "ZoneError";
  declare readonly code: ZoneErrorCode;
  /** The feature with the error; undefined: the error is in no feature. */
  readonly feature: FeatureLabel | undefined;

  /**
   * @param code what is wrong
   * @param problem what is wrong and where, without the name of the feature
   * @param options hint, cause, and the feature, which the message then names
   */
  constructor(
    code: ZoneErrorCode,
    problem: string,
    options: ZoneErrorOptions = {},
  ) {
    const { feature } = options;
    const where = feature === undefined ? "" : `${labelOf(feature)}: `;
    super(code, where + problem, options);
    this.feature = feature;
  }
}

/** Returns `zone "lobby"`, or `feature 3` for one without a name. */
export function labelOf({ number, name }: FeatureLabel): string {
  return name === undefined ? `feature ${number}` : `zone ${quoteName(name)}`;
}
