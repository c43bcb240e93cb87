/**
 * The message of the live feed with the states of zones. Pure: runs in server
 * and page.
 *
 * @module
 */
import type { ZoneState } from "../zones/zone_state.ts";

/** Maximum number of states and removed names in a message. */
export const MAX_ZONES_PER_MESSAGE = 500;

/**
 * The states of zones, of all layers. The first messages of a connection have
 * all of them, then follow those that have changed.
 */
export interface ZonesMessage {
  readonly type: "zones";
  /** Changes with each change of the definitions, see `ZoneService.version`. */
  readonly version: string;
  /** The file that defines the zones; null: they are edited and stored. */
  readonly file: string | null;
  /** True in the first message of a connection: all states before are void. */
  readonly whole: boolean;
  readonly states: readonly ZoneState[];
  /** The names of zones that no longer exist. */
  readonly removed: readonly string[];
}
