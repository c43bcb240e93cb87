/// <reference lib="dom" />
/**
 * The use of a place by day as small bars; days that are not known are hatched.
 *
 * @module
 */

import { el } from "../elements/dom.ts";
import type { ByDay } from "./day_loader.ts";
import { MIN_KNOWN } from "./usage.ts";
import { percent, type UsageDates } from "./usage_text.ts";

/** Size, CSS pixels. */
const WIDTH_PX = 84;
const HEIGHT_PX = 18;
const GAP_PX = 1;
/** A day with any use is visible. */
const MIN_BAR_PX = 1.5;

/** A day of the bars. */
export interface DayBar {
  readonly start: number;
  /** 0 to 1; NaN: unknown. */
  readonly share: number;
}

/**
 * Returns the days of a place.
 *
 * @param seconds that count on a whole day
 */
export function dayBarsOf(
  { start, occupied, known, cells }: ByDay,
  seconds: number,
): DayBar[] {
  return start.map((ms, day) => {
    const part = cells > 0 ? known[day]! / (cells * seconds) : 0;
    const isKnown = known[day]! > 0 && part >= MIN_KNOWN;
    return { start: ms, share: isKnown ? occupied[day]! / known[day]! : NaN };
  });
}

/** Describes the days for a screen reader. */
export function describeDayBars(
  bars: readonly DayBar[],
  dates: UsageDates,
): string {
  const known = bars.filter(({ share }) => !Number.isNaN(share));
  const used = known.filter(({ share }) => share > 0);
  const unknown = bars.length - known.length;
  const most = used.reduce<DayBar | undefined>(
    (a, b) => a === undefined || b.share > a.share ? b : a,
    undefined,
  );
  return [
    `Used on ${used.length} of ${known.length} known days`,
    ...(most
      ? [`most on ${dates.weekday(most.start)}, ${percent(most.share)}`]
      : []),
    ...(unknown > 0 ? [`${unknown} days unknown`] : []),
  ].join(", ");
}

/** The colours of the bars. */
export interface BarColors {
  readonly bar: string;
  readonly line: string;
  readonly hatch: string;
}

/** Draws bars; the highest is as high as the canvas. */
export function drawDayBars(
  bars: readonly DayBar[],
  colors: BarColors,
): HTMLCanvasElement {
  const ratio = devicePixelRatio;
  const canvas = el("canvas", {
    width: Math.round(WIDTH_PX * ratio),
    height: Math.round(HEIGHT_PX * ratio),
  });
  canvas.style.width = `${WIDTH_PX}px`;
  canvas.style.height = `${HEIGHT_PX}px`;
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  const step = WIDTH_PX / Math.max(bars.length, 7);
  const width = Math.max(0.5, step - GAP_PX);
  const most = Math.max(0.1, ...bars.map(({ share }) => share || 0));
  context.strokeStyle = colors.hatch;
  for (const [index, { share }] of bars.entries()) {
    const left = index * step;
    if (Number.isNaN(share)) {
      drawHatched(context, left, step);
      continue;
    }
    context.fillStyle = colors.line;
    context.fillRect(left, HEIGHT_PX - 1, width, 1);
    if (share === 0) continue;
    const height = Math.max(MIN_BAR_PX, share / most * HEIGHT_PX);
    context.fillStyle = colors.bar;
    context.fillRect(left, HEIGHT_PX - height, width, height);
  }
  return canvas;
}

function drawHatched(
  context: CanvasRenderingContext2D,
  left: number,
  width: number,
): void {
  const top = HEIGHT_PX / 3;
  context.save();
  context.beginPath();
  context.rect(left, top, width, HEIGHT_PX - top);
  context.clip();
  context.lineWidth = 1;
  context.beginPath();
  // The same lines in all days, so that they go through.
  const first = Math.floor((left - HEIGHT_PX) / 4) * 4;
  for (let x = first; x < left + width; x += 4) {
    context.moveTo(x, HEIGHT_PX);
    context.lineTo(x + HEIGHT_PX, 0);
  }
  context.stroke();
  context.restore();
}
