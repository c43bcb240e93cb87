/// <reference lib="dom" />
/**
 * The legend of the map: what the colours and shapes mean, and the scale.
 *
 * @module
 */

import { byId, el, setText } from "../elements/dom.ts";
import {
  formatCount,
  formatDuration,
  formatQuantity,
} from "../elements/format.ts";
import { Level } from "../../grid/status.ts";
import { nounOf, type Unit } from "../../protocol/display.ts";
import { type Colors, css, type Rgb } from "../map/palette.ts";
import { drawSprite } from "../map/sprite.ts";

/** Lengths of the scale bar: one of these times a power of ten. */
const ROUND_LENGTHS = [1, 2, 5];
const MIN_SCALE_PX = 60;
const SAMPLE_PX = 15;
const RAMP_PX = 72;

/** The meanings that differ from layer to layer and from server to server. */
export interface Meanings {
  /** In ms, or null for never. */
  readonly staleAfter: number | null;
  /** What the values count; undefined if they are only 0 and 1. */
  readonly unit: Unit | undefined;
  /** Whether the layer has zones. */
  readonly zones: boolean;
  /** The colours of zones from empty to full; undefined if not filled. */
  readonly fills: readonly Rgb[] | undefined;
}

/** Identifies the legend on the page. */
let shownLegend = "";

/** Shows the legend, if it has changed. */
export function showLegend(
  colors: Colors,
  { staleAfter, unit, zones, fills }: Meanings,
): void {
  const sample = (level: number) => {
    const side = Math.round(SAMPLE_PX * devicePixelRatio);
    const canvas = drawSprite(
      { level, text: "", width: side, height: side },
      colors,
    );
    canvas.style.width = `${SAMPLE_PX}px`;
    return canvas;
  };
  const key = JSON.stringify([
    colors,
    staleAfter,
    unit,
    zones,
    fills,
    devicePixelRatio,
  ]);
  if (key === shownLegend) return;
  shownLegend = key;
  byId("div", "legend").replaceChildren(
    ...(zones
      ? [el("span", {}, el("i", { class: "zone-sample" }), "Zone")]
      : []),
    ...(fills ? [el("span", {}, drawRamp(fills), "0 → 100% full")] : []),
    el("span", {}, sample(Level.Free), "Free"),
    unit === undefined
      ? el("span", {}, sample(Level.Occupied), "Occupied")
      : el("span", {}, drawRamp(colors.ramp), `1 → 10+ ${nounOf(10, unit)}`),
    el(
      "span",
      {},
      sample(Level.StaleFree),
      sample(Level.StaleOccupied),
      "Stale ",
      staleAfter === null
        ? undefined
        : el("em", {}, `> ${formatDuration(staleAfter)}`),
    ),
    el("span", {}, sample(Level.Unknown), "Unknown"),
    el("span", { class: "density" }, "fainter: fewer of a pixel's cells"),
  );
}

/**
 * Shows the scale bar, in metres or in cells.
 *
 * @param scale CSS pixels per cell
 * @param metresPerCell from the floor plan, if known
 */
export function showScale(
  scale: number,
  metresPerCell: number | undefined,
): void {
  // At this scale a pixel of the screen stands for several cells.
  byId("div", "legend").classList.toggle(
    "reduced",
    scale * devicePixelRatio < 1,
  );
  const bar = byId("div", "scale");
  const { length, px } = scaleBar(
    scale / (metresPerCell ?? 1),
    metresPerCell === undefined,
  );
  bar.style.width = `${Math.round(px)}px`;
  setText(
    bar,
    metresPerCell === undefined
      ? formatQuantity(length, "cell")
      : formatMetres(length),
  );
}

/**
 * Returns the shortest round length that is long enough on the screen.
 *
 * @param pxPerUnit CSS pixels per cell or per metre
 * @param whole whether the length must be an integer
 * @returns the length in cells or metres, and in CSS pixels
 */
export function scaleBar(
  pxPerUnit: number,
  whole: boolean,
): { length: number; px: number } {
  const power = Math.floor(Math.log10(MIN_SCALE_PX / pxPerUnit));
  for (let exponent = power;; exponent++) {
    for (const factor of ROUND_LENGTHS) {
      const length = Number((factor * 10 ** exponent).toPrecision(1));
      const px = length * pxPerUnit;
      if (px >= MIN_SCALE_PX && (!whole || length >= 1)) return { length, px };
    }
  }
}

function formatMetres(length: number): string {
  if (length >= 1000) return `${formatCount(length / 1000)} km`;
  return length >= 1
    ? `${formatCount(length)} m`
    : `${Number((100 * length).toFixed(3))} cm`;
}

function drawRamp(ramp: readonly Rgb[]): HTMLCanvasElement {
  const canvas = el("canvas", { width: RAMP_PX, height: 1 });
  canvas.style.width = `${RAMP_PX}px`;
  const context = canvas.getContext("2d")!;
  const gradient = context.createLinearGradient(0, 0, RAMP_PX, 0);
  ramp.forEach((color, index) =>
    gradient.addColorStop(index / (ramp.length - 1), css(color))
  );
  context.fillStyle = gradient;
  context.fillRect(0, 0, RAMP_PX, 1);
  return canvas;
}
