/**
 * Imports zones from a file, and exports them to one.
 *
 * @module
 */
import { plural } from "../../../common/plural.ts";
import {
  printable,
  printableJson,
  printableJsonText,
} from "../../../common/printable.ts";
import {
  DEFAULT_ZONE_LIMITS,
  readZones,
  writeZones,
  type Zone,
  type ZoneEditResult,
  ZoneError,
} from "../../../zones/mod.ts";
import { readInput, replaceFile } from "../../files.ts";
import { assertCanAsk, confirm, listOfNames } from "../../terminal/confirm.ts";
import { drainOut, info, writeOut } from "../../terminal/output.ts";
import type { ZonesFlags } from "./options.ts";
import type { ZonesClient } from "./zones_client.ts";

/**
 * Runs `occupancy zones import`.
 *
 * @param open connects to the server; not called with `--dry-run`
 * @param path of the file; `-`: stdin
 * @throws {AppError} if the file is not valid: then nothing was imported
 */
export async function importZones(
  open: () => Promise<ZonesClient>,
  path: string,
  flags: ZonesFlags,
): Promise<void> {
  const name = path === "-" ? "stdin" : path;
  const given = await read(
    await readInput(path, DEFAULT_ZONE_LIMITS.bytes),
    name,
  );
  if (flags.dryRun) {
    info(flags, `${name} has ${plural(given.length, "zone")}, all valid`);
    return;
  }
  const client = await open();
  const { text, etag } = await client.all();
  const present = await read(text, "the answer of the server");
  if (!flags.merge && !mayDelete(present, given, flags)) {
    info(flags, "Nothing was imported");
    return;
  }
  const zones = flags.merge ? merged(present, given) : given;
  const result = await client.replaceAll([...writeZones(zones)].join(""), etag);
  if (flags.json) writeOut(`${printableJson(result)}\n`);
  else {info(
      flags,
      `Imported ${plural(given.length, "zone")}: ${counts(result)}`,
    );}
}

/**
 * Runs `occupancy zones export`.
 *
 * @param path of the file; `-`: stdout
 */
export async function exportZones(
  client: ZonesClient,
  path: string,
  flags: ZonesFlags,
): Promise<void> {
  const { text } = await client.all();
  if (path === "-") {
    // Control characters in the properties of other tools.
    const isTerminal = Deno.stdout.isTerminal();
    return await drainOut(
      isTerminal ? text.split("\n").map(printableJsonText).join("\n") : text,
    );
  }
  const zones = await read(text, "the answer of the server");
  await replaceFile(path, text);
  info(flags, `Exported ${plural(zones.length, "zone")} to ${path}`);
}

/** Reads zones; an error names where they are from. */
async function read(
  input: Uint8Array | string,
  name: string,
): Promise<readonly Zone[]> {
  try {
    return await readZones(input);
  } catch (error) {
    if (!(error instanceof ZoneError)) throw error;
    const { code, message, hint } = error;
    throw new ZoneError(code, `${name}: ${message}`, { hint, cause: error });
  }
}

/**
 * Asks if zones would be deleted.
 *
 * @returns false if they must not be
 */
function mayDelete(
  present: readonly Zone[],
  given: readonly Zone[],
  flags: ZonesFlags,
): boolean {
  const kept = new Set(given.map(({ name }) => name));
  const lost = present.filter(({ name }) => !kept.has(name));
  if (lost.length === 0 || flags.yes) return true;
  assertCanAsk(
    flags,
    `the deletion of ${
      plural(lost.length, "zone")
    } that the file does not have`,
  );
  const names = listOfNames(
    lost.map(({ name }) => printable(name)),
    (count) => plural(count, "more zone"),
  );
  return confirm(`Import, and delete ${names}? [y/N] `);
}

/** The present zones, with the given ones in place of those of their names. */
function merged(present: readonly Zone[], given: readonly Zone[]): Zone[] {
  const zones = new Map(present.map((zone) => [zone.name, zone]));
  for (const zone of given) zones.set(zone.name, zone);
  return [...zones.values()];
}

/** Such as `2 added, 1 changed, 0 deleted`. */
function counts({ added, changed, deleted }: ZoneEditResult): string {
  return `${added} added, ${changed} changed, ${deleted} deleted`;
}
