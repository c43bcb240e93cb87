import { AppError } from "../../../common/errors.ts";
import { plural } from "../../../common/plural.ts";
import { printable, printableJson } from "../../../common/printable.ts";
import { keyOf } from "../../arguments/spec.ts";
import { parseZone } from "../../arguments/name_values.ts";
import { env } from "../../env.ts";
import { usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { HttpApi } from "../../http_api.ts";
import { colorDepth, outputSize } from "../../terminal/capabilities.ts";
import { assertCanAsk, confirm, listOfNames } from "../../terminal/confirm.ts";
import { info, writeOut } from "../../terminal/output.ts";
import { printPaged } from "../../terminal/pager.ts";
import {
  fullestFirst,
  renderZoneJson,
  renderZoneLines,
  renderZoneTable,
} from "../../terminal/zone_table.ts";
import { exportZones, importZones } from "./files.ts";
import {
  IMPORT_OPTIONS,
  SET_OPTIONS,
  ZONES,
  type ZonesFlags,
} from "./options.ts";
import { setZone } from "./set.ts";
import { ZonesClient } from "./zones_client.ts";

/**
 * Runs `occupancy zones`.
 *
 * @param flags its flags
 * @param operands the action, then a file or names of zones
 */
export async function zones(
  flags: ZonesFlags,
  [action = "", ...words]: readonly string[],
): Promise<number> {
  checkOptions(flags, action);
  const open = async () => new ZonesClient(await HttpApi.open(flags));
  switch (action) {
    case "import":
      await importZones(open, oneWord(words, action, "file"), flags);
      break;
    case "export":
      await exportZones(await open(), atMostOne(words, action) ?? "-", flags);
      break;
    case "set":
      await setZone(open, parseZone(oneWord(words, action, "zone")), flags);
      break;
    case "delete":
      await deleteZones(open, words, flags);
      break;
    default:
      if (words.length > 0) {
        throw unexpected(words[0]!, "occupancy zones list shows all zones.");
      }
      await list(await open(), flags);
  }
  return Exit.ok;
}

/** @throws {AppError} (usage) if an option is for another action */
function checkOptions(flags: ZonesFlags, action: string): void {
  for (
    const [owner, options] of [
      ["import", IMPORT_OPTIONS],
      ["set", SET_OPTIONS],
    ] as const
  ) {
    if (action === owner) continue;
    for (const key of options) {
      if (flags[key] === undefined) continue;
      const { name } = ZONES.options.find((option) => keyOf(option) === key)!;
      throw usageError(
        `Cannot use --${name} with zones ${action}`,
        `It is an option of occupancy zones ${owner}.`,
      );
    }
  }
}

async function list(client: ZonesClient, flags: ZonesFlags): Promise<void> {
  const { time, zones } = await client.states();
  const isTerminal = Deno.stdout.isTerminal();
  const states = fullestFirst(zones);
  const text = flags.json
    ? renderZoneJson(states)
    : isTerminal
    ? renderZoneTable(states, {
      time,
      width: outputSize().width,
      depth: colorDepth(flags.color, env, isTerminal),
    })
    : renderZoneLines(states);
  await printPaged(text, { ...flags, headerLines: 1 });
  if (states.length === 0) {
    info(flags, "There are no zones: add one with occupancy zones set.");
  }
}

/** @throws {AppError} if a zone does not exist: then none is deleted */
async function deleteZones(
  open: () => Promise<ZonesClient>,
  words: readonly string[],
  flags: ZonesFlags,
): Promise<void> {
  if (words.length === 0) {
    throw usageError(
      "Missing zone after occupancy zones delete",
      "Name the zones to delete; occupancy zones list shows all.",
    );
  }
  assertCanAsk(flags);
  const client = await open();
  const existing = new Set(
    (await client.states()).zones.map(({ zone }) => zone),
  );
  const names = [...new Set(words.map(parseZone))];
  for (const name of names) {
    if (existing.has(name)) continue;
    throw new AppError("no-zone", `There is no zone ${printable(name)}`, {
      hint: "Nothing was deleted. occupancy zones list shows all zones.",
    });
  }
  const shown = listOfNames(
    names.map(printable),
    (count) => plural(count, "more zone"),
  );
  if (!flags.yes && !confirm(`Delete ${shown}? [y/N] `)) {
    info(flags, "Nothing was deleted");
    return;
  }
  for (const name of names) {
    const result = await client.delete(name);
    if (flags.json) writeOut(`${printableJson(result)}\n`);
    else info(flags, `Deleted ${name}`);
  }
}

function oneWord(
  words: readonly string[],
  action: string,
  what: string,
): string {
  const word = atMostOne(words, action);
  if (word !== undefined) return word;
  throw usageError(
    `Missing ${what} after occupancy zones ${action}`,
    what === "file"
      ? "Name a file with GeoJSON, or - for stdin."
      : "Name the zone; occupancy zones list shows all.",
  );
}

function atMostOne(
  [word, extra]: readonly string[],
  action: string,
): string | undefined {
  if (extra === undefined) return word;
  throw unexpected(extra, `occupancy zones ${action} takes one.`);
}

function unexpected(word: string, hint: string): AppError {
  return usageError(`Unexpected argument: ${word}`, hint);
}
