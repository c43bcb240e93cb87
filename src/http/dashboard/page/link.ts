/**
 * What the page is told, and what it asks for.
 *
 * @module
 */

import type { Region } from "../../../grid/mod.ts";
import type { LatestChange } from "./latest_panel.ts";
import type { Frame, Hello, Status } from "./told.ts";

/** A connection to the server that is made again whenever it is lost. */
export interface Link {
  /** Asks for a layer, or a part of it; what was asked for before comes no more. */
  view(layer: string, region: Region | null): void;
}

/** What comes over a {@linkcode Link}. */
export interface LinkEvents {
  /** There is a connection, the first or a new one. */
  hello(hello: Hello): void;
  status(status: Status): void;
  latest(changes: readonly LatestChange[]): void;
  history(points: readonly (readonly [number, number, number])[]): void;
  frame(frame: Frame): void;
  /** How far the page is behind, ms. */
  lag(ms: number): void;
  /** The connection is gone; another one is being tried for. */
  lost(): void;
  /** The server does not want this page, and says why. */
  refused(reason: string): void;
}
