import { Topics } from "../../../protocol/mod.ts";
import { type MapView, Requester } from "../../../request/mod.ts";
import { colorDepth } from "../../terminal/color.ts";
import { connect, leave, uniqueClientId } from "../../connect.ts";
import { Ending } from "../../terminal/ending.ts";
import { Exit } from "../../exit.ts";
import type {
  CommonFlags,
  FormatFlags,
} from "../../arguments/common_options.ts";
import type { RequestFlags } from "./options.ts";
import {
  type ColorDepth,
  CountedCells,
  encodeLines,
  renderMap,
} from "../../terminal/map/mod.ts";
import { pictureSize, printError, writeOut } from "../../terminal/output.ts";
import { renderJson, renderTable, renderTsv } from "../../terminal/render.ts";
import { type Form, requestMode } from "./mode.ts";
import { exitCodeOf, verdictOf } from "./test_result.ts";

/** The least columns for a picture, be the terminal what it may. */
const LEAST_WIDTH = 20;

/** `occupancy request`: a question and its answer, or what changes. */
export async function request(flags: RequestFlags): Promise<number> {
  const mode = requestMode(flags, {
    terminal: Deno.stdout.isTerminal(),
    movable: env("TERM") !== "dumb",
  });
  if (mode.kind === "watch") {
    const { watch } = await import("./watch.ts");
    return await watch(flags, mode.form);
  }
  const view = await ask(flags);
  if (mode.kind === "test") {
    const verdict = verdictOf(view);
    if (!flags.quiet) writeOut(verdict + "\n");
    return exitCodeOf(verdict);
  }
  printAs(mode.form, view, flags);
  if (view.cells.length === 0 && !flags.quiet) printError(nothingThere(flags));
  return Exit.ok;
}

/** Why an answer is empty: a name may be mistyped, or a part be elsewhere. */
function nothingThere({ layer, at, region }: RequestFlags): string {
  if (at !== undefined) {
    return `${at.x0},${at.y0} was never reported in the layer ${layer}`;
  }
  return region === undefined
    ? `No reading has come to the layer ${layer} yet`
    : `No cell of this part of the layer ${layer} was ever reported`;
}

/** Prints a map as the flags say, else as suits where it goes. */
export function print(
  view: MapView,
  flags: FormatFlags & Pick<CommonFlags, "color">,
): void {
  const suits = Deno.stdout.isTerminal() ? "table" : "tsv";
  const form = flags.json ? "json" : flags.format ?? suits;
  printAs(form, view, flags);
}

/** One question, one answer. */
async function ask(flags: RequestFlags): Promise<MapView> {
  const { layer, timeout, wire } = flags;
  const topics = new Topics(flags.prefix);
  const requester = new Requester({
    topics,
    name: uniqueClientId("request"),
    wire,
  });
  using ending = new Ending();
  const { signal } = ending;
  const link = await connect(flags, requester, { signal });
  try {
    const region = flags.at ?? flags.region;
    const question = { layer, timeout, signal, ...(region && { region }) };
    return await requester.request(link, question);
  } finally {
    await leave(link);
  }
}

/** What matters of the flags for printing. */
type LookFlags = Pick<RequestFlags, "color"> & Partial<RequestFlags>;

function printAs(form: Form, view: MapView, flags: LookFlags): void {
  const depth = colorDepth(flags.color, env, Deno.stdout.isTerminal());
  switch (form) {
    case "json":
      return writeOut(renderJson(view));
    case "tsv":
      return writeOut(renderTsv(view));
    case "table":
      return writeOut(renderTable(view, depth !== "none"));
    case "map":
      return writeOut(mapOf(view, flags, depth));
  }
}

/** The map as a picture that fits where it goes. */
function mapOf(view: MapView, flags: LookFlags, depth: ColorDepth): string {
  const { layer, staleAfter } = view;
  const { width, height } = pictureSize();
  const region = flags.at ?? flags.region;
  const cells = new CountedCells();
  cells.add(view);
  const { canvas } = renderMap({
    layer,
    cells,
    depth,
    width: Math.max(LEAST_WIDTH, width),
    height,
    ...(region && { region }),
    ...(staleAfter !== undefined && { staleAfter }),
  });
  return encodeLines(canvas, depth);
}

function env(name: string): string | undefined {
  return Deno.env.get(name);
}
