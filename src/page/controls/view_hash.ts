/// <reference lib="dom" />
/**
 * Stores the view in the part of the address after `#`, so that it can be
 * bookmarked and shared, and a reload restores it.
 *
 * @module
 */

import { isInt32, type Region, regionFrom } from "../../protocol/region.ts";
import type { Camera } from "../map/map_view.ts";
import { isPaletteName, type PaletteName, type Theme } from "../map/palette.ts";

/**
 * The view of the page. The page chooses a default for each undefined field.
 */
export interface ViewState extends Partial<Camera> {
  readonly layer?: string;
  readonly palette?: PaletteName;
  /** Undefined: as the system prefers. */
  readonly theme?: Theme;
  /** The selected cells. */
  readonly box?: Region;
}

/** How long the view must be unchanged before it is written, ms. */
const WRITE_DELAY_MS = 250;

/** Writes the view to the address, and reads it when the user edits it. */
export class ViewHash {
  readonly #current: () => ViewState;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #written = "";

  /**
   * @param current returns the current view
   * @param onEdit called with the view of an edited address
   */
  constructor(current: () => ViewState, onEdit: (view: ViewState) => void) {
    this.#current = current;
    addEventListener("hashchange", () => {
      if (location.hash.slice(1) !== this.#written) {
        onEdit(parseHash(location.hash));
      }
    });
  }

  /** Writes the current view soon. */
  scheduleWrite(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#written = formatHash(this.#current());
      history.replaceState(null, "", `#${this.#written}`);
    }, WRITE_DELAY_MS);
  }
}

const NUMBER = /^-?\d{1,10}(?:\.\d{1,6})?$/;

/**
 * Parses a view. Ignores invalid parts, since users edit addresses.
 *
 * @param hash `layer=hall/l2&at=56.5,177&scale=8&box=0,0,9,9`, `#` before it or
 * not
 */
export function parseHash(hash: string): ViewState {
  const values = new Map<string, string>();
  for (const part of hash.replace(/^#/, "").split("&")) {
    const [key, value = ""] = part.split(/=(.*)/s);
    try {
      values.set(key!, decodeURIComponent(value));
    } catch {
      // An invalid percent-encoding: ignored.
    }
  }
  const layer = values.get("layer");
  const center = parseNumbers(values.get("at"), 2);
  const scale = parseNumbers(values.get("scale"), 1)?.[0];
  const palette = values.get("palette");
  const theme = values.get("theme");
  const box = regionFrom(parseNumbers(values.get("box"), 4));
  return {
    ...(layer ? { layer } : {}),
    ...(center ? { center: [center[0]!, center[1]!] as const } : {}),
    ...(scale !== undefined && scale > 0 ? { scale } : {}),
    ...(isPaletteName(palette) ? { palette } : {}),
    ...(theme === "light" || theme === "dark" ? { theme } : {}),
    ...(box ? { box } : {}),
  };
}

/** Formats a view as the part of an address after `#`. */
export function formatHash(view: ViewState): string {
  const { layer, center, scale, palette, theme, box } = view;
  const parts: string[] = [];
  if (layer !== undefined) {
    parts.push(`layer=${encodeURIComponent(layer).replaceAll("%2F", "/")}`);
  }
  if (center) parts.push(`at=${center.map((at) => round(at, 1)).join()}`);
  if (scale !== undefined) parts.push(`scale=${round(scale, 4)}`);
  if (palette !== undefined) parts.push(`palette=${palette}`);
  if (theme !== undefined) parts.push(`theme=${theme}`);
  if (box) parts.push(`box=${box.x0},${box.y0},${box.x1},${box.y1}`);
  return parts.join("&");
}

/**
 * Parses a typed coordinate: `12,-4`, `12 -4`, `x 12, y -4`.
 *
 * @returns undefined if the text is not a coordinate
 */
export function parseCoordinate(
  text: string,
): readonly [x: number, y: number] | undefined {
  const match =
    /^\s*\(?\s*(?:x\s*[:=]?)?\s*([-−]?\d+)\s*[,;\s]\s*(?:y\s*[:=]?)?\s*([-−]?\d+)\s*\)?\s*$/i
      .exec(text);
  if (match === null) return undefined;
  const [x, y] = match.slice(1).map((part) => Number(part.replace("−", "-")));
  return isInt32(x!) && isInt32(y!) ? [x!, y!] : undefined;
}

function parseNumbers(
  text: string | undefined,
  count: number,
): number[] | undefined {
  const parts = text?.split(",") ?? [];
  return parts.length === count && parts.every((part) => NUMBER.test(part))
    ? parts.map(Number)
    : undefined;
}

function round(number: number, digits: number): string {
  return String(Number(number.toFixed(digits)));
}
