/**
 * The colours of cells, for each palette, in light and dark.
 *
 * @module
 */

import { Level, LEVELS, MAX_DRAWN_VALUE } from "../../grid/status.ts";

/** The name of a palette, as in the address of the page. */
export type PaletteName = "safe" | "traffic" | "rviz";

/** The titles of the palettes, in the order of the menu. */
export const PALETTES: Readonly<Record<PaletteName, string>> = {
  safe: "Colour-blind safe",
  traffic: "Green and red",
  rviz: "RViz",
};

/** Whether a text is the name of a palette. */
export function isPaletteName(name: string | undefined): name is PaletteName {
  return name !== undefined && Object.hasOwn(PALETTES, name);
}

/** The colour scheme of the page. */
export type Theme = "light" | "dark";

/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** The colours of one palette in one theme. */
export interface Colors {
  readonly free: Rgb;
  /** Occupied with value 1, 2, … up to {@linkcode MAX_DRAWN_VALUE} or more. */
  readonly ramp: readonly Rgb[];
  /** The lines of the hatching of unknown cells, and the space between them. */
  readonly hatch: readonly [lines: Rgb, space: Rgb];
  readonly background: Rgb;
}

/**
 * Strength of the colour of stale cells: 0 is the background, 1 the colour of a
 * fresh cell.
 */
const STALE_STRENGTH = 0.5;
/** The same for the space between the dots of a stale cell. */
const STALE_SPACE_STRENGTH = 0.22;
/** Opacity of free cells over a floor plan. */
export const FREE_OPACITY = 0.55;

const BACKGROUND: Record<Theme, Rgb> = {
  light: [255, 255, 255],
  dark: [19, 25, 34],
};

/** Free, occupied from few to many people, and the hatching of unknown. */
const PALETTE_COLORS: Record<
  PaletteName,
  Record<Theme, readonly [Rgb, readonly Rgb[], readonly [Rgb, Rgb]]>
> = {
  // Blue and orange differ for every kind of colour vision, and in lightness.
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
  // The map display of RViz: free white, occupied black, unknown grey green. In
  // dark inverted, as the floor plan: black on black would be invisible.
  rviz: {
    light: [
      [232, 234, 236],
      [[112, 112, 116], [76, 76, 80], [40, 40, 44], [0, 0, 0]],
      [[112, 137, 134], [170, 188, 185]],
    ],
    dark: [
      [52, 57, 64],
      [[148, 152, 158], [184, 187, 192], [220, 222, 226], [255, 255, 255]],
      [[96, 126, 122], [48, 74, 72]],
    ],
  },
};

/** Returns the colours of a palette in a theme. */
export function colorsOf(palette: PaletteName, theme: Theme): Colors {
  const [free, stops, hatch] = PALETTE_COLORS[palette][theme];
  return {
    free,
    ramp: interpolate(stops, MAX_DRAWN_VALUE),
    hatch,
    background: BACKGROUND[theme],
  };
}

/** Formats a colour for CSS. */
export function css(color: Rgb, alpha = 1): string {
  return alpha === 1
    ? `rgb(${color.join(" ")})`
    : `rgb(${color.join(" ")} / ${alpha})`;
}

const DARK_TEXT: Rgb = [22, 16, 8];
const LIGHT_TEXT: Rgb = [255, 255, 255];

/** The text colour with the higher contrast to a background (WCAG 2, 1.4.3). */
export function textColorOn(background: Rgb): Rgb {
  return contrast(background, DARK_TEXT) > contrast(background, LIGHT_TEXT)
    ? DARK_TEXT
    : LIGHT_TEXT;
}

/** The contrast ratio of two colours, 1 to 21 (WCAG 2). */
export function contrast(one: Rgb, other: Rgb): number {
  const [a, b] = [luminance(one), luminance(other)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

/** The plain colour of a level; undefined for {@linkcode Level.None}. */
export function colorOfLevel(level: number, colors: Colors): Rgb | undefined {
  switch (level) {
    case Level.None:
      return undefined;
    case Level.Free:
      return colors.free;
    case Level.StaleFree:
      return staleColor(Level.Free, STALE_STRENGTH, colors);
    case Level.Unknown:
      return colors.hatch[0];
    case Level.StaleOccupied:
      return staleColor(Level.Occupied, STALE_STRENGTH, colors);
    default:
      return colors.ramp[level - Level.Occupied];
  }
}

/**
 * The colour of the outline of a stale cell.
 *
 * @param its level when it was last observed, {@linkcode Level.Free} or
 * {@linkcode Level.Occupied}
 */
export function staleOutline(
  level: number,
  { free, ramp, background }: Colors,
): Rgb {
  if (level !== Level.Free) return ramp[2]!;
  // Free is similar to the background, so its outline needs more contrast.
  const isDark = luminance(background) < 0.5;
  return mix(free, isDark ? [255, 255, 255] : [40, 62, 92], 0.45);
}

/**
 * Pixels per texture. The pixel at x, y has index (x + y) % TEXTURE_PIXELS.
 */
export const TEXTURE_PIXELS = 4;

/**
 * Returns the textures of all levels, {@linkcode TEXTURE_PIXELS} pixels each,
 * for ImageData. Stale is dotted and unknown hatched, even where a cell is a
 * single pixel.
 *
 * @param overPlan whether a floor plan must be visible through free cells
 */
export function texturesOf(colors: Colors, overPlan: boolean): Uint32Array {
  const pixels = new Uint32Array(LEVELS * TEXTURE_PIXELS);
  // Written as bytes, which does not depend on the byte order.
  const bytes = new Uint8ClampedArray(pixels.buffer);
  for (let level = 1; level < LEVELS; level++) {
    for (let index = 0; index < TEXTURE_PIXELS; index++) {
      const alpha = overPlan && level <= Level.StaleFree ? FREE_OPACITY : 1;
      bytes.set(
        [...textureColor(level, index, colors), Math.round(255 * alpha)],
        4 * (level * TEXTURE_PIXELS + index),
      );
    }
  }
  return pixels;
}

/** @param index of the pixel in the texture */
function textureColor(level: number, index: number, colors: Colors): Rgb {
  switch (level) {
    case Level.Unknown:
      return colors.hatch[index < TEXTURE_PIXELS / 2 ? 0 : 1];
    case Level.StaleFree:
    case Level.StaleOccupied: {
      const fresh = level === Level.StaleFree ? Level.Free : Level.Occupied;
      const isDot = index % 2 === 1;
      return staleColor(
        fresh,
        isDot ? STALE_STRENGTH : STALE_SPACE_STRENGTH,
        colors,
      );
    }
    default:
      return colorOfLevel(level, colors)!;
  }
}

function staleColor(level: number, strength: number, colors: Colors): Rgb {
  return mix(colors.background, staleOutline(level, colors), strength);
}

/** Mixes two colours. @param part 0 for `from`, 1 for `to` */
export function mix(from: Rgb, to: Rgb, part: number): Rgb {
  const channel = (index: 0 | 1 | 2) =>
    Math.round(from[index] + (to[index] - from[index]) * part);
  return [channel(0), channel(1), channel(2)];
}

/** Returns colours that are evenly spread over the stops. */
function interpolate(stops: readonly Rgb[], count: number): Rgb[] {
  return Array.from({ length: count }, (_, index) => {
    const position = index / (count - 1) * (stops.length - 1);
    const stop = Math.min(Math.floor(position), stops.length - 2);
    return mix(stops[stop]!, stops[stop + 1]!, position - stop);
  });
}

/** The relative luminance of a colour, 0 to 1 (WCAG 2). */
function luminance(color: Rgb): number {
  const [red, green, blue] = color.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;
}
