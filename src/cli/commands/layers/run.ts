import { AppError } from "../../../common/errors.ts";
import { plural } from "../../../common/plural.ts";
import { printable, printableJson } from "../../../common/printable.ts";
import { env } from "../../env.ts";
import { usageError } from "../../errors.ts";
import { Exit } from "../../exit_codes.ts";
import { HttpApi } from "../../http_api.ts";
import { colorDepth, outputSize } from "../../terminal/capabilities.ts";
import { assertCanAsk, confirm, listOfNames } from "../../terminal/confirm.ts";
import { info, writeOut } from "../../terminal/output.ts";
import { printPaged } from "../../terminal/pager.ts";
import { formatAge } from "../../terminal/render.ts";
import { renderTable, type Table } from "../../terminal/table.ts";
import {
  type LayerInfo,
  type LayerList,
  LayersClient,
} from "./layers_client.ts";
import type { LayersFlags } from "./options.ts";

/**
 * Runs `occupancy layers`.
 *
 * @param flags its flags
 * @param operands the action, then names of layers
 */
export async function layers(
  flags: LayersFlags,
  [action, ...names]: readonly string[],
): Promise<number> {
  if (action === "list" && names.length > 0) {
    throw usageError(
      `Unexpected argument: ${names[0]}`,
      "occupancy layers list shows all layers.",
    );
  }
  const client = new LayersClient(await HttpApi.open(flags));
  if (action === "list") await list(client, flags);
  else await deleteAll(client, names, flags);
  return Exit.ok;
}

async function list(client: LayersClient, flags: LayersFlags): Promise<void> {
  const all = await client.list();
  const isTerminal = Deno.stdout.isTerminal();
  const text = flags.json
    ? all.layers.map((layer) => `${printableJson(layer)}\n`).join("")
    : isTerminal
    ? renderTable(
      tableOf(all),
      outputSize().width,
      colorDepth(flags.color, env, isTerminal) !== "none",
    )
    : renderTsv(all);
  await printPaged(text, { ...flags, headerLines: 1 });
}

/** @throws {AppError} if a layer does not exist: then none is deleted */
async function deleteAll(
  client: LayersClient,
  names: readonly string[],
  flags: LayersFlags,
): Promise<void> {
  if (names.length === 0) {
    throw usageError(
      "Missing layer after occupancy layers delete",
      "Name the layers to delete; occupancy layers list shows all.",
    );
  }
  assertCanAsk(flags);
  const { layers } = await client.list();
  const chosen = [...new Set(names)].map((name) => find(layers, name));
  if (!flags.yes && !confirm(questionOf(chosen))) {
    info(flags, "Nothing was deleted");
    return;
  }
  for (const { name } of chosen) {
    const deleted = await client.delete(name);
    if (flags.json) writeOut(`${printableJson(deleted)}\n`);
    else info(flags, `Deleted ${name} with ${plural(deleted.cells, "cell")}`);
  }
}

/** @throws {AppError} if there is no such layer */
function find(layers: readonly LayerInfo[], name: string): LayerInfo {
  const layer = layers.find((one) => one.name === name);
  if (layer !== undefined) return layer;
  throw new AppError("no-layer", `There is no layer ${printable(name)}`, {
    hint: "Nothing was deleted. occupancy layers list shows all layers.",
  });
}

/** Such as `Delete floor3 (12 cells) and hall (1 cell)? [y/N] `. */
function questionOf(layers: readonly LayerInfo[]): string {
  const list = listOfNames(
    layers.map(({ name, cells }) =>
      `${printable(name)} (${plural(cells, "cell")})`
    ),
    (count) => plural(count, "more layer"),
  );
  const cells = layers.reduce((sum, layer) => sum + layer.cells, 0);
  const sum = layers.length === 1 ? "" : `, ${plural(cells, "cell")} in all`;
  return `Delete ${list}${sum}? [y/N] `;
}

/** Columns with numbers. */
const COUNTS = ["cells", "occupied", "free", "stale", "unknown"];
const TIMES = ["last reading", "age"];

/** The layers in columns, for people. */
function tableOf({ layers, time }: LayerList): Table {
  return {
    head: ["layer", ...COUNTS, ...TIMES],
    rows: layers.map((layer) => [
      printable(layer.name),
      ...countsOf(layer),
      timeOf(layer),
      formatAge(time - layer.lastReading),
    ]),
    optional: ["last reading", "unknown", "stale", "free", "occupied"],
    alignedRight: [...COUNTS, ...TIMES],
  };
}

/** A line for each layer, separated by tabs, for pipes. */
function renderTsv({ layers }: LayerList): string {
  return layers.map((layer) =>
    [layer.name, ...countsOf(layer), timeOf(layer)].join("\t") + "\n"
  ).join("");
}

function countsOf(layer: LayerInfo): string[] {
  const { cells, occupied, free, stale, unknown } = layer;
  return [cells, occupied, free, stale, unknown].map(String);
}

function timeOf({ lastReading }: LayerInfo): string {
  return new Date(lastReading).toISOString();
}
