/// <reference lib="dom" />
/**
 * Saves the utilisation: the list as CSV, the map as a picture.
 *
 * @module
 */

import { el } from "../elements/dom.ts";
import { pictureOf } from "../elements/save_file.ts";
import { drawMapPicture } from "../map/map_picture.ts";
import { css, type Rgb } from "../map/palette.ts";
import { drawHatch, type HeatColors } from "./heat_layer.ts";
import type { Place } from "./places.ts";
import { changesPerDay } from "./usage.ts";

/** Spreadsheets run a text that starts with one of these as a formula. */
const FORMULA_START = /^[=+\-@\t\r]/;

/** Formats places as CSV (RFC 4180): shares from 0 to 1, times in RFC 3339. */
export function placesCsv(places: Iterable<Place>): string {
  const lines = [
    "name,zone,x,y,cells,occupied_share,known_share,occupied_seconds,known_seconds,changes,changes_per_day,last_used",
  ];
  for (const { name, zone, zoneName, row, region, use } of places) {
    const isCell = row !== undefined;
    lines.push([
      csvField(isCell ? name : zoneName ?? name),
      csvField(isCell ? zone ?? "" : name),
      isCell ? region!.x0 : "",
      isCell ? region!.y0 : "",
      use.cells,
      number(use.share),
      number(use.knownShare),
      use.occupied,
      use.known,
      use.changes,
      number(changesPerDay(use)),
      Number.isNaN(use.last) ? "" : new Date(use.last).toISOString(),
    ].join());
  }
  return lines.join("\r\n") + "\r\n";
}

/** Quotes a text where needed; foreign text must not become a formula. */
export function csvField(text: string): string {
  const safe = FORMULA_START.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function number(value: number): string {
  return Number.isNaN(value) ? "" : String(Number(value.toFixed(4)));
}

/** What a picture of the map says. */
export interface Picture {
  /** The element with the canvases and images of the map. */
  readonly map: HTMLElement;
  readonly title: string;
  readonly subtitle: string;
  /** Below the scale. */
  readonly legend: string;
  readonly ticks: readonly string[];
  /** Empty: nothing is hatched. */
  readonly unknown: string;
  readonly colors: HeatColors;
  readonly background: Rgb;
  readonly text: Rgb;
  readonly muted: Rgb;
  readonly font: string;
}

const MARGIN_PX = 20;
const HEAD_PX = 64;
const FOOT_PX = 70;
const SCALE_PX = 240;

/** Draws the map with its title and legend. */
export async function drawPicture(picture: Picture): Promise<Blob> {
  const { map, title, subtitle, background, text, muted, font } = picture;
  const box = map.getBoundingClientRect();
  const ratio = Math.max(2, devicePixelRatio);
  const width = box.width + 2 * MARGIN_PX;
  const height = box.height + HEAD_PX + FOOT_PX;
  const canvas = el("canvas", {
    width: Math.round(width * ratio),
    height: Math.round(height * ratio),
  });
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  context.fillStyle = css(background);
  context.fillRect(0, 0, width, height);
  context.fillStyle = css(text);
  context.font = `650 17px ${font}`;
  context.fillText(title, MARGIN_PX, 28, width - 2 * MARGIN_PX);
  context.fillStyle = css(muted);
  context.font = `400 13px ${font}`;
  context.fillText(subtitle, MARGIN_PX, 49, width - 2 * MARGIN_PX);
  context.save();
  context.translate(MARGIN_PX, HEAD_PX);
  context.imageSmoothingEnabled = false;
  drawMapPicture(context, map);
  context.restore();
  drawLegend(context, picture, box.height + HEAD_PX + 18);
  return await pictureOf(canvas);
}

function drawLegend(
  context: CanvasRenderingContext2D,
  { colors, ticks, legend, unknown, text, muted, font }: Picture,
  top: number,
): void {
  const { steps, hatch } = colors;
  const step = SCALE_PX / steps.length;
  for (const [index, color] of steps.entries()) {
    context.fillStyle = css(color);
    context.fillRect(MARGIN_PX + index * step, top, step + 0.5, 12);
  }
  context.font = `400 12px ${font}`;
  context.fillStyle = css(muted);
  for (const [index, tick] of ticks.entries()) {
    const part = index / (ticks.length - 1);
    context.textAlign = part === 0 ? "left" : part === 1 ? "right" : "center";
    context.fillText(tick, MARGIN_PX + part * SCALE_PX, top + 28);
  }
  context.textAlign = "left";
  const left = MARGIN_PX + SCALE_PX + 24;
  context.fillStyle = css(text);
  context.fillText(legend, left, top + 11);
  if (unknown === "") return;
  context.fillStyle = context.createPattern(drawHatch(hatch, 1), "repeat")!;
  context.fillRect(left, top + 18, 14, 14);
  context.fillStyle = css(muted);
  context.fillText(`Unknown: ${unknown}`, left + 22, top + 29);
}
