/// <reference lib="dom" />
/**
 * The colours of the charts, as the style sheet has them, and the hatching of
 * times without data.
 *
 * @module
 */

import { el } from "../elements/dom.ts";

const NAMES = [
  ...["occupied", "people", "line", "line-strong", "muted", "text"] as const,
  ...["panel", "amber", "amber-line"] as const,
] as const;
/** Distance of the lines of a hatching, CSS pixels. */
const HATCH_PX = 6;

/** The name of a colour in the style sheet. */
export type ColorName = typeof NAMES[number];

/** Colours by their name in the style sheet, and the font. */
export interface ChartColors {
  readonly font: string;
  /** @param opacity 0 to 1 */
  of(name: ColorName, opacity?: number): string;
}

/** Reads the colours of the present theme. */
export function readChartColors(): ChartColors {
  // A canvas cannot parse light-dark(), so an element resolves the colours.
  const probe = el("i", { hidden: true });
  document.body.append(probe);
  const colors = new Map(NAMES.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  }));
  probe.remove();
  const family = getComputedStyle(document.documentElement)
    .getPropertyValue("--font");
  return {
    font: family,
    of(name, opacity = 1) {
      const color = colors.get(name) ?? "rgb(128, 128, 128)";
      return opacity === 1
        ? color
        : color.replace(/^rgb\((.*)\)$/, `rgb($1, ${opacity})`)
          .replace(/^rgb\(/, "rgba(");
    },
  };
}

/** Fills a rectangle with the hatching of what is not known. */
export function hatch(
  context: CanvasRenderingContext2D,
  [left, top, width, height]: readonly [number, number, number, number],
  colors: ChartColors,
  ratio = 1,
): void {
  if (width <= 0 || height <= 0) return;
  context.save();
  context.beginPath();
  context.rect(left, top, width, height);
  context.clip();
  context.fillStyle = colors.of("line", 0.55);
  context.fillRect(left, top, width, height);
  context.strokeStyle = colors.of("muted", 0.75);
  context.lineWidth = 1.3 * ratio;
  context.beginPath();
  const step = HATCH_PX * ratio;
  // Aligned to the canvas, so that neighbours have one pattern.
  const first = Math.floor((left - height) / step) * step;
  for (let x = first; x < left + width; x += step) {
    context.moveTo(x, top + height);
    context.lineTo(x + height, top);
  }
  context.stroke();
  context.restore();
}
