/// <reference lib="dom" />
/**
 * What the colours and shapes mean, and how large a cell is.
 *
 * @module
 */

import { byId, el, setText } from "../elements/dom.ts";
import { span } from "../elements/format.ts";
import { Level } from "../../grid/status.ts";
import { drawSprite } from "../map/sprite.ts";
import type { Colors } from "../map/palette.ts";
import { css } from "../map/palette.ts";

/** Lengths of the scale: these, times a power of ten. */
const NICE = [1, 2, 5];
const SHORTEST_PX = 60;
const SAMPLE_PX = 15;
const RAMP_PX = 72;

/** Shows the legend. @param staleAfter ms, or null for never */
export function showLegend(colors: Colors, staleAfter: number | null): void {
  const sample = (level: number) => {
    const side = Math.round(SAMPLE_PX * devicePixelRatio);
    const canvas = drawSprite(
      { level, text: "", width: side, height: side },
      colors,
    );
    canvas.style.width = `${SAMPLE_PX}px`;
    return canvas;
  };
  byId("div", "legend").replaceChildren(
    el("span", {}, sample(Level.Free), "Free"),
    el("span", {}, ramp(colors), "1 → 10+ people"),
    el(
      "span",
      {},
      sample(Level.StaleFree),
      sample(Level.StaleOccupied),
      "Stale ",
      staleAfter === null ? undefined : el("em", {}, `> ${span(staleAfter)}`),
    ),
    el("span", {}, sample(Level.Unknown), "Unknown"),
  );
}

/**
 * Shows the scale: a length that is easy to read, in cells or in metres.
 *
 * @param scale CSS pixels a cell
 * @param metres Metres a cell, if a floor plan tells
 */
export function showScale(scale: number, metres: number | undefined): void {
  const bar = byId("div", "scale");
  const { length, px } = niceLength(
    scale / (metres ?? 1),
    metres === undefined,
  );
  bar.style.width = `${Math.round(px)}px`;
  setText(bar, lengthWords(length, metres !== undefined));
}

/**
 * The shortest nice length that is long enough on the screen.
 *
 * @param perUnit CSS pixels a unit
 * @param whole Whether there are no parts of a unit
 */
export function niceLength(
  perUnit: number,
  whole: boolean,
): { length: number; px: number } {
  const power = Math.floor(Math.log10(SHORTEST_PX / perUnit));
  for (let exponent = power;; exponent++) {
    for (const one of NICE) {
      const length = Number((one * 10 ** exponent).toPrecision(1));
      if (whole && length < 1) continue;
      if (length * perUnit >= SHORTEST_PX) {
        return { length, px: length * perUnit };
      }
    }
  }
}

function lengthWords(length: number, metres: boolean): string {
  if (!metres) {
    return `${length.toLocaleString("en")} ${length === 1 ? "cell" : "cells"}`;
  }
  if (length >= 1000) return `${(length / 1000).toLocaleString("en")} km`;
  return length >= 1
    ? `${length} m`
    : `${Number((100 * length).toFixed(3))} cm`;
}

function ramp({ ramp: colors }: Colors): HTMLCanvasElement {
  const canvas = el("canvas", { width: RAMP_PX, height: 1 });
  canvas.style.width = `${RAMP_PX}px`;
  const context = canvas.getContext("2d")!;
  const gradient = context.createLinearGradient(0, 0, RAMP_PX, 0);
  colors.forEach((color, index) =>
    gradient.addColorStop(index / (colors.length - 1), css(color))
  );
  context.fillStyle = gradient;
  context.fillRect(0, 0, RAMP_PX, 1);
  return canvas;
}
