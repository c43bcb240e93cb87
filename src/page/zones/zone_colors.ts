/**
 * The colours of zones on the map. Their states differ not only in colour: full
 * has a thick line, a lower bound is dashed, unknown is hatched.
 *
 * @module
 */

import { createHatch } from "../map/hatch.ts";
import { type Colors, css, mix, type Rgb, type Theme } from "../map/palette.ts";

/** The colours of outlines and labels in one theme and palette. */
export interface ZoneColors {
  readonly line: Rgb;
  /** Selected, or under the pointer. */
  readonly accent: Rgb;
  /** Of the line of a zone that is full, and of its label. */
  readonly full: Rgb;
  /** Of the line and the count of a lower bound. */
  readonly bound: Rgb;
  readonly text: Rgb;
  readonly muted: Rgb;
  readonly label: Rgb;
  readonly labelLine: Rgb;
  /** How full, from 0 to 100%, in equal steps. */
  readonly fills: readonly Rgb[];
  readonly hatch: Colors["hatch"];
}

const THEME_COLORS: Record<
  Theme,
  Pick<
    ZoneColors,
    "line" | "accent" | "bound" | "text" | "muted" | "label" | "labelLine"
  >
> = {
  light: {
    line: [47, 99, 173],
    accent: [26, 102, 214],
    bound: [171, 66, 11],
    text: [17, 26, 43],
    muted: [86, 98, 122],
    label: [255, 255, 255],
    labelLine: [198, 207, 219],
  },
  dark: {
    line: [106, 156, 222],
    accent: [106, 169, 255],
    bound: [255, 176, 98],
    text: [238, 242, 248],
    muted: [151, 163, 182],
    label: [26, 34, 45],
    labelLine: [57, 70, 90],
  },
};

/** Number of {@linkcode ZoneColors.fills}. */
const FILL_STEPS = 11;

/** Returns the colours of zones. */
export function zoneColorsOf(colors: Colors, theme: Theme): ZoneColors {
  // Not to the end of the ramp, which leaves no contrast to a text.
  const from = mix(colors.background, colors.ramp[0]!, 0.12);
  const to = colors.ramp[theme === "dark" ? 2 : 1]!;
  return {
    ...THEME_COLORS[theme],
    full: colors.ramp[theme === "dark" ? 3 : 4]!,
    fills: Array.from(
      { length: FILL_STEPS },
      (_, step) => mix(from, to, step / (FILL_STEPS - 1)),
    ),
    hatch: colors.hatch,
  };
}

/** Returns the fill of a zone. @param percent 0 to 100 */
export function fillOf({ fills }: ZoneColors, percent: number): Rgb {
  return fills[Math.round(percent / 100 * (fills.length - 1))]!;
}

/** Width and height of the pattern of unknown zones, CSS pixels. */
const HATCH_PX = 8;

/** Draws the pattern of unknown zones. */
export function createZoneHatch(
  { hatch: [line] }: ZoneColors,
  pixelRatio: number,
): HTMLCanvasElement {
  return createHatch({ lines: css(line, 0.75) }, HATCH_PX, pixelRatio);
}
