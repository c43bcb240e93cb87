/**
 * The colours of cells, for each palette, in light and in dark.
 *
 * @module
 */

import { Level, LEVELS, MAX_DRAWN_VALUE } from "../../grid/status.ts";

/** A palette that one can choose. */
export type PaletteName = "safe" | "traffic" | "rviz";

/** What the palettes are called, in the order of the menu. */
export const PALETTES: Readonly<Record<PaletteName, string>> = {
  safe: "Colour-blind safe",
  traffic: "Green and red",
  rviz: "RViz",
};

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** The colours of one palette in one theme. */
export interface Colors {
  readonly free: Rgb;
  /** Occupied, from one person to ten and more. */
  readonly ramp: readonly Rgb[];
  /** The lines of the hatching of unknown, and what is between them. */
  readonly hatch: readonly [Rgb, Rgb];
  /** What is behind the cells: stale fades to it. */
  readonly back: Rgb;
}

/** How far stale is from the background, 0 to 1. */
const FADED = 0.5;
/** The same between its dots. */
const FAINT = 0.22;
/** How opaque free is over a floor plan. */
export const VEIL = 0.55;

const BACK: Record<Theme, Rgb> = { light: [255, 255, 255], dark: [19, 25, 34] };

/** Light or dark. */
export type Theme = "light" | "dark";

/** Free, occupied from few to many (spread over the ramp), and the hatching. */
const CHOICES: Record<
  PaletteName,
  Record<Theme, readonly [Rgb, readonly Rgb[], readonly [Rgb, Rgb]]>
> = {
  // Blue and orange: all kinds of colour vision tell them apart, and lightness does too.
  safe: {
    light: [
      [214, 228, 242],
      [[245, 155, 52], [217, 95, 14], [150, 50, 8], [84, 25, 5]],
      [[142, 152, 168], [203, 209, 219]],
    ],
    dark: [
      [36, 58, 80],
      [[224, 122, 26], [245, 158, 66], [252, 196, 132], [255, 239, 218]],
      [[112, 122, 138], [62, 70, 84]],
    ],
  },
  traffic: {
    light: [
      [206, 234, 210],
      [[240, 128, 118], [214, 60, 52], [158, 24, 28], [92, 8, 18]],
      [[142, 152, 168], [203, 209, 219]],
    ],
    dark: [
      [28, 72, 52],
      [[226, 84, 74], [244, 122, 108], [252, 172, 158], [255, 228, 222]],
      [[112, 122, 138], [62, 70, 84]],
    ],
  },
  // The map display of RViz: free is white, occupied black, unknown a grey green.
  rviz: {
    light: [
      [232, 234, 236],
      [[112, 112, 116], [76, 76, 80], [40, 40, 44], [0, 0, 0]],
      [[112, 137, 134], [170, 188, 185]],
    ],
    dark: [
      [222, 224, 228],
      [[112, 112, 116], [78, 78, 82], [46, 46, 50], [0, 0, 0]],
      [[112, 137, 134], [70, 92, 90]],
    ],
  },
};

/** The colours of a palette in a theme. */
export function colorsOf(palette: PaletteName, theme: Theme): Colors {
  const [free, stops, hatch] = CHOICES[palette][theme];
  return { free, ramp: spread(stops), hatch, back: BACK[theme] };
}

/** A colour as CSS has it. */
export function css(color: Rgb, alpha = 1): string {
  return alpha === 1
    ? `rgb(${color.join(" ")})`
    : `rgb(${color.join(" ")} / ${alpha})`;
}

const DARK_INK: Rgb = [22, 16, 8];
const LIGHT_INK: Rgb = [255, 255, 255];

/** Dark or white, whichever is easier to read on a colour (WCAG 2, 1.4.3). */
export function inkOn(color: Rgb): Rgb {
  return contrast(color, DARK_INK) > contrast(color, LIGHT_INK)
    ? DARK_INK
    : LIGHT_INK;
}

/** How well two colours stand out against each other, 1 to 21 (WCAG 2). */
export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** The colour of a level, without texture; undefined where there is nothing. */
export function colorOfLevel(level: number, colors: Colors): Rgb | undefined {
  switch (level) {
    case Level.None:
      return undefined;
    case Level.Free:
      return colors.free;
    case Level.StaleFree:
      return mix(colors.back, staleInk(Level.Free, colors), FADED);
    case Level.Unknown:
      return colors.hatch[0];
    case Level.StaleOccupied:
      return mix(colors.back, staleInk(Level.Occupied, colors), FADED);
    default:
      return colors.ramp[level - Level.Occupied];
  }
}

/** The colour of the outline of a stale cell. */
export function staleInk(level: number, { free, ramp, back }: Colors): Rgb {
  const dark = luminance(back) < 0.5;
  if (level !== Level.Free) return ramp[2]!;
  // Free is close to the background: its outline must be seen all the same.
  return mix(free, dark ? [255, 255, 255] : [40, 62, 92], 0.45);
}

/** How many pixels of a texture there are: x + y modulo this chooses one. */
export const TEXTURE = 4;

/**
 * Pixels for ImageData: four for each level, so that what is not sure has a
 * texture even where a cell is a single pixel. Stale is dotted, unknown is
 * hatched along the diagonal.
 *
 * @param veiled Whether free lets a floor plan under it show through
 */
export function pixelsOf(colors: Colors, veiled: boolean): Uint32Array {
  const pixels = new Uint32Array(LEVELS * TEXTURE);
  // By bytes, so that it is right whatever the order of bytes is.
  const bytes = new Uint8ClampedArray(pixels.buffer);
  for (let level = 1; level < LEVELS; level++) {
    for (let place = 0; place < TEXTURE; place++) {
      const alpha = veiled && level <= Level.StaleFree ? VEIL : 1;
      bytes.set(
        [...textured(level, place, colors), Math.round(255 * alpha)],
        4 * (level * TEXTURE + place),
      );
    }
  }
  return pixels;
}

function textured(level: number, place: number, colors: Colors): Rgb {
  const odd = place % 2 === 1;
  switch (level) {
    case Level.Unknown:
      return colors.hatch[place < TEXTURE / 2 ? 0 : 1];
    case Level.StaleFree:
    case Level.StaleOccupied: {
      const fresh = level === Level.StaleFree ? Level.Free : Level.Occupied;
      const strength = odd ? FADED : FAINT;
      return mix(colors.back, staleInk(fresh, colors), strength);
    }
    default:
      return colorOfLevel(level, colors)!;
  }
}

function mix(from: Rgb, to: Rgb, part: number): Rgb {
  const at = (one: 0 | 1 | 2) =>
    Math.round(from[one] + (to[one] - from[one]) * part);
  return [at(0), at(1), at(2)];
}

/** As many colours as there are levels of occupied, evenly between the stops. */
function spread(stops: readonly Rgb[]): Rgb[] {
  return Array.from({ length: MAX_DRAWN_VALUE }, (_, index) => {
    const place = index / (MAX_DRAWN_VALUE - 1) * (stops.length - 1);
    const stop = Math.min(Math.floor(place), stops.length - 2);
    return mix(stops[stop]!, stops[stop + 1]!, place - stop);
  });
}

/** Relative luminance, 0 to 1 (WCAG 2). */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((part) => {
    const linear = part / 255;
    return linear <= 0.04045
      ? linear / 12.92
      : ((linear + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
