/**
 * Runs `occupancy request --zone` and `--zones`: prints the states of zones.
 *
 * @module
 */
import { AppError } from "../../../../common/errors.ts";
import { printable } from "../../../../common/printable.ts";
import { RefusedError, type ZonesView } from "../../../../request/mod.ts";
import type { ZoneState } from "../../../../zones/mod.ts";
import { env } from "../../../env.ts";
import { Exit } from "../../../exit_codes.ts";
import { colorDepth, outputSize } from "../../../terminal/capabilities.ts";
import { info, writeOut } from "../../../terminal/output.ts";
import { printPaged } from "../../../terminal/pager.ts";
import { zoneDetails } from "../../../terminal/zone_details.ts";
import {
  encodeRows,
  fullestFirst,
  printableZone,
  renderZoneJson,
  renderZoneLines,
  renderZoneTable,
} from "../../../terminal/zone_table.ts";
import { askServer } from "../ask.ts";
import type { ZonesForm } from "../mode.ts";
import type { RequestFlags } from "../options.ts";
import { hintForZone } from "./hint.ts";

/** The hint if only a server of the original protocol answers. */
export const ORIGINAL_HINT = "That server has no zones.";

/**
 * Prints the states of zones.
 *
 * @throws {AppError} "no-zone" if there is no zone of the name
 */
export async function printZones(
  flags: RequestFlags,
  form: ZonesForm,
): Promise<number> {
  const view = await requestZones(flags);
  await printPaged(rendered(view, flags, form), {
    ...flags,
    headerLines: form === "table" && flags.zone === undefined ? 1 : 0,
  });
  if (view.zones.length === 0) {
    info(flags, "There are no zones: add one with occupancy zones set.");
  }
  return Exit.ok;
}

/**
 * Prints whether a zone, or one of all zones, is occupied.
 *
 * @returns the exit code: occupied, free or unknown
 */
export async function testZones(flags: RequestFlags): Promise<number> {
  const { zones } = await requestZones(flags);
  const occupied = combined(zones);
  const word = occupied === null ? "unknown" : occupied ? "occupied" : "free";
  if (!flags.quiet) writeOut(`${word}\n`);
  if (occupied === null) return Exit.unknown;
  return occupied ? Exit.ok : Exit.free;
}

/**
 * Returns true if one zone is occupied, false if all are free, else null: as
 * for the cells of a region.
 */
export function combined(zones: readonly ZoneState[]): boolean | null {
  if (zones.some(({ occupied }) => occupied === true)) return true;
  const isFree = zones.length > 0 &&
    zones.every(({ occupied }) => occupied === false);
  return isFree ? false : null;
}

async function requestZones(flags: RequestFlags): Promise<ZonesView> {
  const { zone } = flags;
  const names = zone === undefined ? undefined : [zone];
  return await explainUnknownZone(flags, () => requestNamed(flags, names));
}

/** @param names undefined: all zones */
function requestNamed(
  flags: RequestFlags,
  names: readonly string[] | undefined,
): Promise<ZonesView> {
  const query = { timeout: flags.timeout, ...(names && { names }) };
  return askServer(
    flags,
    ORIGINAL_HINT,
    (requester, link, signal) =>
      requester.requestZones(link, { ...query, signal }),
  );
}

/**
 * Does work that names a zone. If there is no such zone, the error has a hint
 * that names a similar one.
 */
export async function explainUnknownZone<Result>(
  flags: RequestFlags,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    const isUnknown = error instanceof RefusedError &&
      error.code === "no-zone";
    if (!isUnknown || flags.zone === undefined) throw error;
    const name = printable(flags.zone);
    throw new AppError("no-zone", `There is no zone ${name}`, {
      hint: hintForZone(flags.zone, await zonesForHint(flags)),
    });
  }
}

/** Returns all zones; undefined if the server does not send them. */
async function zonesForHint(
  flags: RequestFlags,
): Promise<readonly ZoneState[] | undefined> {
  try {
    return (await requestNamed(flags, undefined)).zones;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

function rendered(
  { time, zones }: ZonesView,
  flags: RequestFlags,
  form: ZonesForm,
): string {
  const states = fullestFirst(zones);
  if (form === "json") return renderZoneJson(states, flags.times);
  const isTerminal = Deno.stdout.isTerminal();
  if (form === "tsv") {
    // A pipe gets names as they are.
    const shown = isTerminal ? states.map(printableZone) : states;
    return renderZoneLines(shown, flags.times);
  }
  const depth = colorDepth(flags.color, env, isTerminal);
  const { width } = outputSize();
  const [only] = flags.zone === undefined ? [] : states;
  return only === undefined
    ? renderZoneTable(states, { time, width, depth })
    : encodeRows(zoneDetails(only, { time, width }), width, depth);
}
