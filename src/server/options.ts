import type { OccupancyMap } from "../grid/mod.ts";
import type { Link } from "../mqtt/link.ts";
import type { Topics } from "../protocol/mod.ts";
import type { Store } from "../store/store.ts";

/** What a server says to the person who runs it. */
export interface ServerLog {
  info(line: string): void;
  warn(line: string): void;
}

/** What a server is given. */
export interface ServerOptions {
  /** Opened by {@linkcode Server.start}, closed by {@linkcode Server.stop}. */
  readonly link: Link;
  /** Loaded at start, closed at stop. */
  readonly store: Store;
  readonly map: OccupancyMap;
  readonly topics: Topics;
  /** The MQTT client id; told to others in the state topic. */
  readonly name: string;
  readonly version: string;
  readonly log: ServerLog;
  /** ms since 1970. Default `Date.now`. */
  readonly clock?: () => number;
  /** A reading of a layer beyond so many is refused. Default 10,000. */
  readonly maxLayers?: number;
  /** ms between deltas of a layer at the least; 0 for none. Default 100. */
  readonly changesInterval?: number;
}

/** How things stand with the broker. */
export interface LinkState {
  readonly up: boolean;
  /** Since when, ms since 1970. */
  readonly since: number;
  /** Why it is down, for people; undefined while it is up. */
  readonly problem: string | undefined;
}
