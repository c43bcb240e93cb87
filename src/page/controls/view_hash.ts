/**
 * The view as the part of the address after `#`, so that it can be bookmarked,
 * shared, and is there again after a reload.
 *
 * @module
 */

import { isInt32, type Region, regionFrom } from "../../protocol/region.ts";
import { type PaletteName, PALETTES, type Theme } from "../map/palette.ts";

/** What is looked at, and how; what is not given is as the page thinks best. */
export interface ViewState {
  readonly layer?: string;
  /** The coordinate in the middle. */
  readonly center?: readonly [x: number, y: number];
  /** How large a cell is, CSS pixels. */
  readonly scale?: number;
  readonly palette?: PaletteName;
  /** Not given: what the system prefers. */
  readonly theme?: Theme;
  /** The cells that are selected. */
  readonly box?: Region;
}

const NUMBERS = /^-?\d{1,10}(?:\.\d{1,6})?$/;

/**
 * Reads the view from an address. What is not understood is left out: an address
 * that someone typed must not break the page.
 *
 * @param hash With or without `#`: `#layer=hall/l2&at=56.5,177&scale=8&box=0,0,9,9`
 */
export function parseHash(hash: string): ViewState {
  const values = new Map<string, string>();
  for (const part of hash.replace(/^#/, "").split("&")) {
    const [key, value = ""] = part.split(/=(.*)/s);
    try {
      values.set(key!, decodeURIComponent(value));
    } catch {
      // A stray percent sign: the part is not one of ours.
    }
  }
  const layer = values.get("layer");
  const center = numbers(values.get("at"), 2);
  const scale = numbers(values.get("scale"), 1)?.[0];
  const palette = values.get("palette");
  const theme = values.get("theme");
  const box = regionFrom(numbers(values.get("box"), 4));
  return {
    ...(layer ? { layer } : {}),
    ...(center ? { center: [center[0]!, center[1]!] as const } : {}),
    ...(scale !== undefined && scale > 0 ? { scale } : {}),
    ...(isPalette(palette) ? { palette } : {}),
    ...(theme === "light" || theme === "dark" ? { theme } : {}),
    ...(box ? { box } : {}),
  };
}

/** The view as the part of an address after `#`, without it. */
export function formatHash(view: ViewState): string {
  const { layer, center, scale, palette, theme, box } = view;
  const parts: string[] = [];
  if (layer !== undefined) {
    parts.push(`layer=${encodeURIComponent(layer).replaceAll("%2F", "/")}`);
  }
  if (center) parts.push(`at=${center.map((one) => rounded(one, 1)).join()}`);
  if (scale !== undefined) parts.push(`scale=${rounded(scale, 4)}`);
  if (palette !== undefined) parts.push(`palette=${palette}`);
  if (theme !== undefined) parts.push(`theme=${theme}`);
  if (box) parts.push(`box=${box.x0},${box.y0},${box.x1},${box.y1}`);
  return parts.join("&");
}

/**
 * Reads a coordinate that a person typed: `12,-4`, `12 -4`, `x 12, y -4`.
 *
 * @returns undefined if it is none
 */
export function parseCoordinate(
  text: string,
): readonly [x: number, y: number] | undefined {
  const match =
    /^\s*\(?\s*(?:x\s*[:=]?)?\s*([-−]?\d+)\s*[,;\s]\s*(?:y\s*[:=]?)?\s*([-−]?\d+)\s*\)?\s*$/i
      .exec(text);
  if (match === null) return undefined;
  const [x, y] = match.slice(1).map((one) => Number(one.replace("−", "-")));
  return isInt32(x!) && isInt32(y!) ? [x!, y!] : undefined;
}

function numbers(text: string | undefined, many: number): number[] | undefined {
  const parts = text?.split(",") ?? [];
  return parts.length === many && parts.every((part) => NUMBERS.test(part))
    ? parts.map(Number)
    : undefined;
}

function isPalette(name: string | undefined): name is PaletteName {
  return name !== undefined && Object.hasOwn(PALETTES, name);
}

function rounded(number: number, digits: number): string {
  return String(Number(number.toFixed(digits)));
}
