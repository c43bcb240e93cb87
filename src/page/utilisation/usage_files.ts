/// <reference lib="dom" />
/**
 * The files that the mode saves.
 *
 * @module
 */

import { saveFile } from "../elements/save_file.ts";
import { drawPicture, type Picture, placesCsv } from "./exports.ts";
import type { UsageSettings } from "./settings.ts";
import { listedOf, type LoadedUsage } from "./usage_data.ts";

/** Saves all places of the list, in its order. */
export function saveList(
  loaded: LoadedUsage,
  settings: UsageSettings,
  layer: string,
  zoneName: string | undefined,
): void {
  const { usage, zones, places } = loaded;
  const { sort, descending } = settings;
  const list = listedOf(loaded, settings);
  const zone = zones.find(({ definition }) => definition.name === zoneName);
  const rows = list === "cells" ? zone?.rows : undefined;
  const all = places.list(list, rows, sort, descending, Infinity);
  const csv = new Blob([placesCsv(all)], { type: "text/csv;charset=utf-8" });
  saveFile(`${fileName(layer, usage.answer)}.csv`, csv);
}

/** Saves the map. */
export async function savePicture(
  picture: Picture,
  layer: string,
): Promise<void> {
  saveFile(`${fileName(layer)}.png`, await drawPicture(picture));
}

/** A name without characters that a file system forbids. */
function fileName(
  layer: string,
  range?: { readonly from: number; readonly to: number },
): string {
  const dates = range
    ? [range.from, range.to - 1].map((ms) =>
      new Date(ms).toISOString().slice(0, 10)
    )
    : [];
  return ["utilisation", layer, ...dates].join("-")
    .replace(/[^\p{L}\p{N}.-]+/gu, "-");
}
