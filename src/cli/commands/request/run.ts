/**
 * Runs `occupancy request`.
 *
 * @module
 */
import { env } from "../../env.ts";
import { printable } from "../../../common/printable.ts";
import type { Region } from "../../../grid/mod.ts";
import type { CellStatus } from "../../../grid/status.ts";
import type { MapView } from "../../../request/mod.ts";
import type {
  CommonFlags,
  FormatFlags,
} from "../../arguments/common_options.ts";
import { Exit } from "../../exit_codes.ts";
import { colorDepth, outputSize } from "../../terminal/capabilities.ts";
import {
  type ColorDepth,
  CountedCells,
  encodeLines,
  renderMap,
} from "../../terminal/map/mod.ts";
import { printError, writeOut } from "../../terminal/output.ts";
import { canPage, printPaged } from "../../terminal/pager.ts";
import {
  renderJson,
  renderTable,
  renderTsv,
  statusAt,
} from "../../terminal/render.ts";
import { askServer } from "./ask.ts";
import {
  hasZones,
  type OutputForm,
  type RequestMode,
  requestMode,
  type ZonesForm,
} from "./mode.ts";
import type { RequestFlags } from "./options.ts";

const ORIGINAL_HINT = "Add --wire original.";
/** Maximum rows of a table in a pager. */
const MAX_PAGED_ROWS = 100_000;
/** Minimum width of a map, also on a narrower terminal, in columns. */
const MIN_MAP_WIDTH = 20;

/** Runs `occupancy request`: prints one reply, or the changes too. */
export async function request(flags: RequestFlags): Promise<number> {
  const mode = requestMode(flags, {
    terminal: Deno.stdout.isTerminal(),
    cursor: env("TERM") !== "dumb",
  });
  if (flags.sources && mode.kind === "once") {
    const { printSources } = await import("./sources/run.ts");
    return await printSources(flags, mode.form as ZonesForm);
  }
  if (hasZones(flags)) return await requestOfZones(flags, mode);
  if (mode.kind === "watch") {
    const { watch } = await import("./watch.ts");
    return await watch(flags, mode.form);
  }
  const view = await requestMap(flags);
  if (mode.kind === "test") {
    const status = combinedStatus(view);
    if (!flags.quiet) writeOut(status + "\n");
    return exitCodeOf(status);
  }
  await printAs(mode.form, view, flags);
  // A map of no region says itself that it is empty.
  const isExplained = mode.form === "map" && regionOf(flags) === undefined;
  if (view.cells.length === 0 && !flags.quiet && !isExplained) {
    printError(whyEmpty(flags));
  }
  return Exit.ok;
}

/** Loads and runs what `--zone` and `--zones` need. */
async function requestOfZones(
  flags: RequestFlags,
  mode: RequestMode,
): Promise<number> {
  if (mode.kind === "watch") {
    const { watchZones } = await import("./zones/watch.ts");
    return await watchZones(flags, mode.form as ZonesForm);
  }
  const { printZones, testZones } = await import("./zones/run.ts");
  return mode.kind === "test"
    ? await testZones(flags)
    : await printZones(flags, mode.form as ZonesForm);
}

function regionOf({ at, region }: Partial<RequestFlags>): Region | undefined {
  return at ?? region;
}

/** Explains an empty reply: the layer or the region may be mistyped. */
function whyEmpty({ layer, at, region }: RequestFlags): string {
  if (at !== undefined) {
    return `The cell ${at.x0},${at.y0} of layer ${layer} was never reported`;
  }
  return region === undefined
    ? `Layer ${layer} has no readings yet`
    : `No cell of this region of layer ${layer} was ever reported`;
}

/**
 * Prints a map in the format of the flags, in a terminal in a pager if it is
 * long. The default depends on the output.
 */
export async function print(
  view: MapView,
  flags: FormatFlags & Pick<CommonFlags, "color">,
): Promise<void> {
  const suitable = Deno.stdout.isTerminal() ? "table" : "tsv";
  const form = flags.json ? "json" : flags.format ?? suitable;
  await printAs(form, view, flags);
}

function requestMap(flags: RequestFlags): Promise<MapView> {
  const { layer, timeout } = flags;
  const region = regionOf(flags);
  const query = { layer, timeout, ...(region && { region }) };
  return askServer(
    flags,
    ORIGINAL_HINT,
    (requester, link, signal) => requester.request(link, { ...query, signal }),
  );
}

/**
 * Returns the combined status of the cells of a view: occupied if one cell is,
 * free if all are, else unknown or stale. Coordinates that were never reported
 * do not count, except if there is no cell at all.
 */
export function combinedStatus(view: MapView): CellStatus {
  const found = new Set<CellStatus>();
  for (let i = 0; i < view.cells.length; i++) found.add(statusAt(view, i));
  const order: readonly CellStatus[] = ["occupied", "unknown", "stale", "free"];
  return order.find((status) => found.has(status)) ?? "unknown";
}

/** Returns the exit code of `--test`. */
export function exitCodeOf(status: CellStatus): number {
  if (status === "occupied") return Exit.ok;
  return status === "free" ? Exit.free : Exit.unknown;
}

/** The flags for printing. */
type PrintFlags = Pick<RequestFlags, "color" | "pager"> & Partial<RequestFlags>;

async function printAs(
  form: OutputForm,
  view: MapView,
  flags: PrintFlags,
): Promise<void> {
  const depth = colorDepth(flags.color, env, Deno.stdout.isTerminal());
  switch (form) {
    case "json":
      return await printPaged(renderJson(view, flags.times), flags);
    case "tsv":
      return await printPaged(renderTsv(shown(view), flags.times), flags);
    case "table": {
      const maxRows = canPage(flags) ? MAX_PAGED_ROWS : undefined;
      const table = renderTable(view, depth !== "none", maxRows);
      return await printPaged(table, { ...flags, headerLines: 2 });
    }
    case "map":
      return writeOut(mapText(view, flags, depth));
  }
}

/** In a terminal without characters that control it. A pipe gets the name. */
function shown(view: MapView): MapView {
  return Deno.stdout.isTerminal()
    ? { ...view, layer: printable(view.layer) }
    : view;
}

/** Returns a map of the size of the output. */
function mapText(view: MapView, flags: PrintFlags, depth: ColorDepth): string {
  const { layer, staleAfter, display } = view;
  const { width, height } = outputSize();
  const region = regionOf(flags);
  const cells = new CountedCells();
  cells.add(view);
  const { canvas } = renderMap({
    layer,
    cells,
    display,
    depth,
    width: Math.max(MIN_MAP_WIDTH, width),
    height,
    ...(region && { region }),
    ...(staleAfter !== undefined && { staleAfter }),
  });
  return encodeLines(canvas, depth);
}
