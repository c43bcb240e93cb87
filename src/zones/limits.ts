/**
 * Limits of a collection of zones.
 *
 * @module
 */

/** Limits of a collection; one over a limit is refused as a whole. */
export interface ZoneLimits {
  /** Bytes of the collection (UTF-8). Default 16 MiB. */
  readonly bytes: number;
  /**
   * Bytes of one feature, and of all that is not a feature. Default 512 KiB:
   * `JSON.parse` of this cannot be divided, and takes up to 20 ms.
   */
  readonly featureBytes: number;
  /** Number of zones. Default 10,000. */
  readonly zones: number;
  /** Positions of all zones. Default 500,000. */
  readonly positions: number;
}

/** The limits without options. */
export const DEFAULT_ZONE_LIMITS: ZoneLimits = {
  bytes: 16 * 1024 * 1024,
  featureBytes: 512 * 1024,
  zones: 10_000,
  positions: 500_000,
};
