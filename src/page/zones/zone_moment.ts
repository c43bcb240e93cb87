/**
 * The states of the zones at a moment: those of the past, and the search for
 * one.
 *
 * @module
 */

import type { ZoneState } from "../../zones/zone_state.ts";
import { fold } from "../elements/format.ts";
import type { Rgb } from "../map/palette.ts";
import type { ZoneFigures } from "./zone_text.ts";

/** The zones as they were. */
export interface PastZones {
  /** By name, of the layer that is shown. */
  readonly states: ReadonlyMap<string, ZoneState>;
  /** When, for the title of the list: `at 10:00:00`. */
  readonly when: string;
  /** What the map shows of a zone instead of its state. */
  figures?(name: string): ZoneFigures;
  /** Colours from 0 to 100% that the map has instead of its own. */
  readonly fills?: readonly Rgb[];
  /** Whether zones are filled; undefined: as the user has chosen. */
  readonly filled?: boolean;
}

/**
 * Returns the zone with a name or a title, or else the first whose title starts
 * with a text.
 */
export function findZone(
  states: ReadonlyMap<string, ZoneState>,
  text: string,
): string | undefined {
  if (states.has(text)) return text;
  const wanted = fold(text.trim());
  if (wanted === "") return undefined;
  let found: string | undefined;
  for (const { zone, title } of states.values()) {
    if (fold(title) === wanted || fold(zone) === wanted) return zone;
    if (found === undefined && fold(title).startsWith(wanted)) found = zone;
  }
  return found;
}
