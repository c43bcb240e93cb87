/** The history of the map: options of `occupancy server`. */
import { parseDuration, writeDuration } from "../../../common/duration.ts";
import { memoryLimit } from "../../../common/memory.ts";
import { plural } from "../../../common/plural.ts";
import { timeZoneOf } from "../../../history/time_zone.ts";
import type { ServerOptions } from "../../../server/mod.ts";
import { parseTimeZone } from "../../arguments/name_values.ts";
import { parseStorage } from "../../arguments/number_values.ts";
import type { FlagsOf, OptionSpec } from "../../arguments/spec.ts";
import { usageError } from "../../errors.ts";

const HISTORY = "History";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const YEAR_MS = 365 * DAY_MS;
const DEFAULT_KEEP_MS = 30 * DAY_MS;
const DEFAULT_KEEP_ROLLUPS_MS = 2 * YEAR_MS;
/** The longest time that is kept; {@linkcode parseDuration} has the same. */
const MAX_YEARS = 100;
/** In memory, the history takes at most this, or a part of the memory. */
const MAX_MEMORY_BYTES = 48 * 2 ** 20;
const MEMORY_SHARE = 1 / 8;
/** A step is a part of an hour, at most as long as that of a rollup. */
const MAX_RESOLUTION_SECONDS = 900;
const HOUR_SECONDS = 3600;

/** Options of `occupancy server`. */
export const HISTORY_OPTIONS = [
  {
    name: "history",
    value: "duration",
    summary:
      "how long the changes of cells are kept: the map at any time, and replay",
    unset: "30d",
    parse: parseKeep,
    group: HISTORY,
  },
  {
    name: "no-history",
    summary: "record no history; what was recorded before is kept",
    conflictsWith: ["history"],
    conflictHint: "--no-history records none: use one of them.",
    group: HISTORY,
  },
  {
    name: "history-size",
    value: "size",
    summary: "maximum size of the history; above it the oldest is deleted",
    unset: "4GiB; in Redis 256MiB; in memory 48MiB, or an eighth of the memory",
    parse: parseStorage,
    group: HISTORY,
  },
  {
    name: "history-resolution",
    value: "duration",
    summary:
      "changes of a cell within this time count as one: whole seconds, a part of an hour, at most 15m",
    default: "1s",
    parse: parseResolution,
    group: HISTORY,
  },
  {
    name: "history-rollups",
    value: "duration",
    summary:
      "how long rollups are kept: zones by quarters of an hour, the use of cells by hours",
    unset: "2y, or as long as --history",
    parse: parseKeep,
    group: HISTORY,
  },
  {
    name: "history-cells",
    value: "on|off",
    summary:
      "off: of cells only rollups are kept, once their day (UTC) has ended; then there is no map at a time before",
    choices: ["on", "off"],
    default: "on",
    group: HISTORY,
  },
  {
    name: "timezone",
    value: "name",
    summary:
      "time zone of days and weeks in answers about the past, such as Europe/Berlin",
    unset: "that of the machine",
    parse: parseTimeZone,
    group: HISTORY,
  },
] as const satisfies readonly OptionSpec[];

/** The flags of these options. */
export type HistoryFlags = FlagsOf<typeof HISTORY_OPTIONS>;

/** How the history is recorded, and a line for the log. */
export interface HistoryUse {
  /** Undefined: it is not recorded. */
  readonly options: ServerOptions["history"];
  readonly description: string;
}

/**
 * Returns how the history is recorded.
 *
 * @param address of the store
 * @throws {AppError} (usage) if rollups would be deleted before the changes of
 * cells
 */
export function historyUseOf(
  flags: HistoryFlags,
  address: string,
): HistoryUse {
  const { history, historyRollups, historyResolution, historySize } = flags;
  if (flags.noHistory) {
    return { options: undefined, description: "not recorded (--no-history)" };
  }
  const keep = history ?? DEFAULT_KEEP_MS;
  const keepRollups = historyRollups ?? Math.max(keep, DEFAULT_KEEP_ROLLUPS_MS);
  if (keepRollups < keep) {
    throw usageError(
      `Cannot use --history-rollups ${
        writeKeep(keepRollups)
      }, which is shorter than the time of --history, ${writeKeep(keep)}`,
      "Use a longer --history-rollups, or a shorter --history.",
    );
  }
  const cells = flags.historyCells === "on";
  const kept = writeKeep(keep);
  const rollups = writeKeep(keepRollups);
  return {
    options: {
      stepSeconds: historyResolution,
      keepSeconds: keep / 1000,
      keepRollupsSeconds: keepRollups / 1000,
      maxBytes: historySize ?? (isMemory(address) ? memoryBytes() : undefined),
      cells,
      timezone: flags.timezone ?? machineTimeZone(),
    },
    description: cells
      ? `the last ${kept}, with rollups of ${rollups}`
      : `rollups only, of the last ${rollups}`,
  };
}

/** Returns the time zone of the machine; UTC if `Intl` has no such zone. */
export function machineTimeZone(): string {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  try {
    return timeZoneOf(timeZone).name;
  } catch {
    return "UTC";
  }
}

/**
 * Parses how long something is kept: `12h`, `30d` or `2y`, at least an hour.
 *
 * @returns ms
 * @throws {RangeError} if the text is not such a duration
 */
function parseKeep(text: string): number {
  const [, years] = /^(\d{1,3})\s*y$/.exec(text.trim()) ?? [];
  const ms = years === undefined ? durationOf(text) : Number(years) * YEAR_MS;
  if (ms >= HOUR_MS && ms <= MAX_YEARS * YEAR_MS) {
    return Math.ceil(ms / 1000) * 1000;
  }
  throw new RangeError(
    ms < HOUR_MS
      ? "Use at least 1h, or --no-history."
      : `Use at most ${MAX_YEARS}y.`,
  );
}

function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new RangeError("Use 12h, 30d or 2y.");
  }
}

/** @returns seconds */
function parseResolution(text: string): number {
  const seconds = parseDuration(text) / 1000;
  if (
    Number.isInteger(seconds) && seconds >= 1 &&
    seconds <= MAX_RESOLUTION_SECONDS && HOUR_SECONDS % seconds === 0
  ) return seconds;
  throw new RangeError("Use a part of an hour, such as 1s, 10s, 1m or 15m.");
}

/** As people write it: `30 days`, `2 years`, `36h`. */
function writeKeep(ms: number): string {
  if (ms % YEAR_MS === 0) return plural(ms / YEAR_MS, "year");
  if (ms % DAY_MS === 0) return plural(ms / DAY_MS, "day");
  return writeDuration(ms);
}

function isMemory(address: string): boolean {
  return address.startsWith("memory:");
}

function memoryBytes(): number {
  const share = Math.floor(memoryLimit().bytes * MEMORY_SHARE);
  return Math.min(MAX_MEMORY_BYTES, share);
}
