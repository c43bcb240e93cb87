import { DEFAULT_LAYER } from "../../../protocol/mod.ts";
import type { AppError } from "../../../common/errors.ts";
import { usageError } from "../../errors.ts";
import type { RequestFlags } from "./options.ts";

/** How the map is shown. */
export type Form = "table" | "tsv" | "json" | "map";

/** What `occupancy request` does: print one answer, follow the map, or answer with the exit code. */
export type RequestMode =
  | { readonly kind: "once"; readonly form: Form }
  | { readonly kind: "watch"; readonly form: Form }
  | { readonly kind: "test" };

/** What of the place that it runs in matters. */
export interface OutputPlace {
  /** Whether the output goes to a terminal. */
  readonly terminal: boolean;
  /** Whether that can move its cursor; false for TERM=dumb. */
  readonly movable: boolean;
}

/**
 * Says what the flags mean in that place.
 *
 * @throws {AppError} if they contradict each other, with a hint
 */
export function requestMode(
  flags: RequestFlags,
  { terminal, movable }: OutputPlace,
): RequestMode {
  const { watch, map, test, wire } = flags;
  const format = flags.json ? "json" : flags.format;
  const formatFlag = flags.json ? "--json" : `--format ${format}`;
  refuseForeignLayer(flags);
  for (const [given, flag] of limits(flags)) {
    if (given && !watch) {
      throw wrong(`${flag} goes with --watch`, `Add --watch.`);
    }
  }
  if (test) {
    const other = watch ? "--watch" : map ? "--map" : format && formatFlag;
    if (other) {
      throw wrong(
        `--test cannot be used with ${other}`,
        "The exit code of --test is the answer: ask for the rest apart.",
      );
    }
    if (!flags.at && !flags.region) {
      throw wrong(
        "--test needs a place",
        "Name a cell with --at=X,Y, or a rectangle with --region X0,Y0,X1,Y1.",
      );
    }
    return { kind: "test" };
  }
  if (map && format) {
    throw wrong(
      `--map cannot be used with ${formatFlag}`,
      "A map is a form of its own: leave one of them out.",
    );
  }
  if (!watch) {
    const form = map ? "map" : format ?? (terminal ? "table" : "tsv");
    return { kind: "once", form };
  }
  if (wire === "original") {
    throw wrong(
      "The original wire has no changes to watch",
      "Leave out --watch, or --wire original.",
    );
  }
  const live = terminal && movable;
  if (!live && (map || format === "table")) {
    throw wrong(
      `A live ${map ? "map" : "table"} needs a terminal`,
      `Leave out ${
        map ? "--map" : formatFlag
      } for a line a change, or --watch for one answer.`,
    );
  }
  const form = map ? "map" : format ?? (live ? "table" : "tsv");
  return { kind: "watch", form };
}

/** The flags that end a watch, and whether they are given. */
function limits(flags: RequestFlags): [given: boolean, flag: string][] {
  return [
    [flags.count !== undefined, "--count"],
    [flags.for !== undefined, "--for"],
  ];
}

/** The original server knows one layer. */
function refuseForeignLayer({ wire, layer }: RequestFlags): void {
  if (wire !== "original" || layer === DEFAULT_LAYER) return;
  throw wrong(
    "The original wire has no --layer",
    "Leave out --layer, or --wire original.",
  );
}

function wrong(message: string, hint: string): AppError {
  return usageError(message, hint);
}
