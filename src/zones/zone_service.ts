/**
 * The interface to the zones of a running server: their definitions, their
 * states, and edits.
 *
 * @module
 */

import type { UnavailableCode } from "../protocol/submission.ts";
import type { Zone } from "./zone.ts";
import type { ZoneState } from "./zone_state.ts";
import type { ZoneUpdate } from "./zone_tracker.ts";

/** The zones by name, in the order of their collection. */
export type Zones = ReadonlyMap<string, Zone>;

/** A change of the definitions; all of it or nothing. */
export type ZoneEdit =
  /** All zones are replaced. */
  | { readonly kind: "replace"; readonly zones: readonly Zone[] }
  /** A zone is added, or replaces the one of its name. */
  | { readonly kind: "set"; readonly zone: Zone }
  | { readonly kind: "delete"; readonly name: string };

/** Why an edit was not done. */
export type ZoneEditProblem =
  /** The zones are those of a file. */
  | "read-only"
  /** The definitions are not those that were expected. */
  | "changed"
  /** There is no zone to delete. */
  | "no-zone"
  /** There would be more zones, or larger ones, than allowed. */
  | "too-large"
  | UnavailableCode;

/** What an edit has done. Returned after it was committed. */
export interface ZoneEditResult {
  /** See {@linkcode ZoneService.version}. */
  readonly version: string;
  readonly added: number;
  /** Zones that were there and are now different. */
  readonly changed: number;
  readonly deleted: number;
}

/** Receives what changes. The functions must be fast and must not throw. */
export interface ZoneObserver {
  /** Called after the definitions have changed and are committed. */
  onDefinitions?(): void;
  /**
   * Called after states or events have changed, and events are committed. Many
   * changes come in several calls, in turns of the event loop.
   */
  onUpdate?(update: ZoneUpdate): void;
}

/** The zones of a running server. */
export interface ZoneService {
  /** The file with the zones; undefined: they are edited and stored. */
  readonly file: string | undefined;
  /**
   * Changes with each change of the definitions. In a durable store it is the
   * same after a restart. Printable ASCII without quotes.
   */
  readonly version: string;
  /** The zones in force. The map is never changed, but replaced. */
  readonly definitions: Zones;
  /** Returns the last state of a zone. All states are of one moment. */
  state(name: string): ZoneState | undefined;
  /** Returns the last states, in the order of the definitions. */
  states(): Iterable<ZoneState>;
  /**
   * Resolves when the states are of the present map or a later one. Resolves
   * also while the store fails, or if the server stops.
   */
  updated(): Promise<void>;
  /**
   * Resolves when the definitions are those that all servers of a shared store
   * have committed; at once without one, and after some seconds while it fails.
   */
  synchronized(): Promise<void>;
  /**
   * Changes the definitions. Edits are done one after the other.
   *
   * @param edit valid zones, see {@linkcode readZones}
   * @param isExpected called before the edit with the present zones: false for
   * the result "changed". Default: always true
   * @returns resolves after the commit, when the states are those of the new
   * zones; nothing was changed if it is a problem
   */
  edit(
    edit: ZoneEdit,
    isExpected?: (zones: Zones) => boolean,
  ): Promise<ZoneEditResult | ZoneEditProblem>;
  /**
   * Adds an observer.
   *
   * @returns removes it; safe to call twice
   */
  observe(observer: ZoneObserver): () => void;
}
