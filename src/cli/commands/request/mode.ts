/**
 * Decides from the flags and the output what `occupancy request` does.
 *
 * @module
 */
import { DEFAULT_LAYER } from "../../../protocol/mod.ts";
import { usageError } from "../../errors.ts";
import type { RequestFlags } from "./options.ts";

/** The output format of a map. */
export type OutputForm = "table" | "tsv" | "json" | "map";

/** The output format of zones and sources: `--map` conflicts with them. */
export type ZonesForm = Exclude<OutputForm, "map">;

/**
 * What `occupancy request` does: print one reply, print the changes too, or set
 * the exit code.
 */
export type RequestMode =
  | { readonly kind: "once"; readonly form: OutputForm }
  | { readonly kind: "watch"; readonly form: OutputForm }
  | { readonly kind: "test" };

/** Properties of the output. */
export interface OutputKind {
  /** True for a terminal. */
  readonly terminal: boolean;
  /** True if the cursor can be moved: not with TERM=dumb. */
  readonly cursor: boolean;
}

/**
 * Returns the mode for the flags and the output.
 *
 * @throws {AppError} with a hint, if flags contradict each other or the output
 */
export function requestMode(
  flags: RequestFlags,
  { terminal, cursor }: OutputKind,
): RequestMode {
  const { watch, map, test } = flags;
  const isOfZones = hasZones(flags);
  const format = flags.json ? "json" : flags.format;
  const formatFlag = flags.json ? "--json" : `--format ${format}`;
  checkWire(flags);
  if (!watch) {
    for (const name of ["count", "for"] as const) {
      if (flags[name] === undefined) continue;
      throw usageError(
        `Cannot use --${name} without --watch`,
        `Add --watch, or remove --${name}.`,
      );
    }
  }
  if (test) {
    const other = watch ? "--watch" : map ? "--map" : format && formatFlag;
    if (other) {
      throw usageError(
        `Cannot use --test with ${other}`,
        "--test prints one word and returns an exit code. Run another request for more output.",
      );
    }
    if (!flags.at && !flags.region && !isOfZones) {
      throw usageError(
        "Cannot use --test without --at, --region or --zone",
        "Name a cell with --at=X,Y, a rectangle with --region X0,Y0,X1,Y1, or a zone with --zone NAME.",
      );
    }
    return { kind: "test" };
  }
  if (map && format) {
    throw usageError(
      `Cannot use --map with ${formatFlag}`,
      "Use one of them: each is an output format.",
    );
  }
  if (!watch) {
    const form = map ? "map" : format ?? (terminal ? "table" : "tsv");
    return { kind: "once", form };
  }
  const isLive = terminal && cursor;
  if (!isLive && (map || format === "table")) {
    const flag = map ? "--map" : formatFlag;
    throw usageError(
      `Cannot use ${flag} with --watch: a live ${
        map ? "map" : "table"
      } needs a terminal`,
      `Remove ${flag} for one line per change, or --watch for one reply.`,
    );
  }
  const form = map ? "map" : format ?? (isLive ? "table" : "tsv");
  return { kind: "watch", form };
}

/** Returns true if zones are requested instead of cells. */
export function hasZones(
  { zone, zones }: Pick<RequestFlags, "zone" | "zones">,
): boolean {
  return zone !== undefined || zones === true;
}

/** The original protocol has one layer, no zones, sources and deltas. */
function checkWire(
  { wire, layer, watch, zone, zones, sources }: RequestFlags,
): void {
  if (wire !== "original") return;
  const unsupported = sources
    ? "--sources"
    : zone !== undefined
    ? "--zone"
    : zones
    ? "--zones"
    : layer !== DEFAULT_LAYER
    ? "--layer"
    : watch
    ? "--watch"
    : undefined;
  if (unsupported === undefined) return;
  throw usageError(
    `Cannot use ${unsupported} with --wire original`,
    `Remove ${unsupported}, or --wire original.`,
  );
}
