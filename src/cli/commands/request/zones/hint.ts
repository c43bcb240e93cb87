/**
 * Which zone the user probably meant.
 *
 * @module
 */
import { printable } from "../../../../common/printable.ts";
import type { ZoneState } from "../../../../zones/mod.ts";
import { didYouMean } from "../../../arguments/suggest.ts";

/** Comparing a longer name with thousands of others takes seconds. */
const MAX_COMPARED_LENGTH = 64;

const ALL_HINT = "occupancy request --zones shows all zones.";

/**
 * Returns the hint for a name that no zone has: the zone with this title, or
 * with a similar name.
 *
 * @param zones all zones; undefined if they are not known
 */
export function hintForZone(
  name: string,
  zones: readonly ZoneState[] | undefined,
): string {
  if (zones === undefined) return ALL_HINT;
  if (zones.length === 0) {
    return "The server has no zones: add one with occupancy zones set.";
  }
  const word = name.toLowerCase();
  const titled = zones.find(({ title }) => title.toLowerCase() === word);
  if (titled !== undefined) return `Did you mean ${printable(titled.zone)}?`;
  const names = zones.map(({ zone }) => zone);
  const similar = name.length <= MAX_COMPARED_LENGTH
    ? didYouMean(name, names)
    : "";
  return printable(similar) || ALL_HINT;
}
