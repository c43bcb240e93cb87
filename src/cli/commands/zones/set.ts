/**
 * Changes the properties or the cells of one zone, or adds it.
 *
 * @module
 */
import { AppError } from "../../../common/errors.ts";
import { writeDuration } from "../../../common/duration.ts";
import { printable, printableJson } from "../../../common/printable.ts";
import type { Region } from "../../../protocol/region.ts";
import {
  readFeature,
  toFeature,
  type ZoneFeature,
  type ZoneGeometry,
} from "../../../zones/mod.ts";
import { usageError } from "../../errors.ts";
import { info, writeOut } from "../../terminal/output.ts";
import { SET_OPTIONS, type ZonesFlags } from "./options.ts";
import type { ZonesClient } from "./zones_client.ts";

/**
 * Runs `occupancy zones set`.
 *
 * @param open connects to the server
 * @param name of the zone, valid
 * @throws {AppError} if there is no such zone and no `--rect`, if the result is
 * not valid, or if the zone was changed meanwhile
 */
export async function setZone(
  open: () => Promise<ZonesClient>,
  name: string,
  flags: ZonesFlags,
): Promise<void> {
  if (SET_OPTIONS.every((key) => flags[key] === undefined)) {
    throw usageError(
      `Nothing to set for ${printable(name)}`,
      "Give at least one option, such as --capacity 20. See occupancy zones --help.",
    );
  }
  const client = await open();
  const present = await client.find(name);
  if (present === undefined && flags.rect === undefined) {
    throw new AppError("no-zone", `There is no zone ${printable(name)}`, {
      hint: "Add it with its cells, such as --rect 0,0,9,3.",
    });
  }
  const before = present === undefined
    ? undefined
    : toFeature(await readFeature(present.text));
  const feature = JSON.stringify(changed(before, flags));
  const zone = await readFeature(feature, name); // its errors name the property
  const result = await client.set(
    name,
    JSON.stringify(toFeature(zone)),
    present?.etag,
  );
  if (flags.json) writeOut(`${printableJson(result)}\n`);
  else if (result.added > 0) info(flags, `Added ${name}`);
  else if (result.changed > 0) info(flags, `Changed ${name}`);
  else info(flags, `${name} is as it was`);
}

/** Returns the feature with the properties and cells of the flags. */
function changed(before: ZoneFeature | undefined, flags: ZonesFlags) {
  const { layer, title, capacity, occupiedWhen, rect } = flags;
  const { clearAfter, staleAfter } = flags;
  const given = {
    layer,
    title,
    capacity,
    occupiedWhen,
    clearAfter: durationText(clearAfter),
    staleAfter: durationText(staleAfter),
  };
  return {
    ...before,
    type: "Feature",
    properties: {
      ...before?.properties,
      ...Object.fromEntries(
        Object.entries(given).filter(([, value]) => value !== undefined),
      ),
    },
    geometry: rect === undefined ? before?.geometry : rectangle(rect),
  };
}

/** Null, as a property, is a missing one. */
function durationText(ms: number | null | undefined) {
  return typeof ms === "number" ? writeDuration(ms) : ms;
}

/** The cells of a region. */
function rectangle({ x0, y0, x1, y1 }: Region): ZoneGeometry {
  const [right, top] = [x1 + 1, y1 + 1];
  return {
    type: "Polygon",
    coordinates: [[[x0, y0], [right, y0], [right, top], [x0, top], [x0, y0]]],
  };
}
