/// <reference lib="dom" />
/**
 * Stores the view in the part of the address after `#`, and the selected zone in
 * `?zone=`, so that it can be bookmarked and shared, and a reload restores it.
 *
 * @module
 */

import { isModeName, type ModeName, type ModeParts } from "../modes/mode.ts";
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
  /** Undefined: the live map. */
  readonly mode?: ModeName;
  /** What of the address belongs to the mode. */
  readonly parts?: ModeParts;
  /** The selected zone: in the address before `#`. */
  readonly zone?: string;
}

/** How long the view must be unchanged before it is written, ms. */
const WRITE_DELAY_MS = 250;

/**
 * Writes the view to the address, and reads it when the user edits it or goes
 * back or forward.
 */
export class ViewHash {
  readonly #current: () => ViewState;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #written = location.search + location.hash;

  /**
   * @param current returns the current view
   * @param onNavigate called with the view of another address
   */
  constructor(current: () => ViewState, onNavigate: (view: ViewState) => void) {
    this.#current = current;
    // Where only the zone differs, there is no hashchange.
    addEventListener("popstate", () => this.#onNavigate(onNavigate));
    addEventListener("hashchange", () => this.#onNavigate(onNavigate));
  }

  /** Writes the current view soon, to the present entry of the history. */
  scheduleWrite(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#replace(), WRITE_DELAY_MS);
  }

  /**
   * Makes a change of the view a new entry of the history: Back returns to the
   * view before it.
   *
   * @param apply changes the view; the camera may move later
   */
  change(apply: () => void): void {
    this.#replace();
    apply();
    clearTimeout(this.#timer);
    this.#written = this.#format();
    history.pushState(null, "", this.#url());
  }

  #onNavigate(onNavigate: (view: ViewState) => void): void {
    const address = location.search + location.hash;
    if (address === this.#written) return;
    const view = parseAddress(location);
    if (Object.keys(parseHash(location.hash)).length === 0) {
      // A link within the page, such as "Skip to the map".
      history.replaceState(null, "", this.#url());
      return;
    }
    // The pending view is not that of this entry of the history.
    clearTimeout(this.#timer);
    this.#written = address;
    onNavigate(view);
  }

  #replace(): void {
    clearTimeout(this.#timer);
    const address = this.#format();
    if (address === this.#written) return;
    this.#written = address;
    history.replaceState(null, "", this.#url());
  }

  #format(): string {
    const view = this.#current();
    return `${formatSearch(location.search, view)}#${formatHash(view)}`;
  }

  /** Without a query an address that starts with `#` would keep the old one. */
  #url(): string {
    return location.pathname + this.#written;
  }
}

/** Parses the view of an address. Ignores invalid parts. */
export function parseAddress(
  { search, hash }: { readonly search: string; readonly hash: string },
): ViewState {
  const zone = new URLSearchParams(search).get("zone");
  return { ...parseHash(hash), ...(zone && { zone }) };
}

/**
 * Returns a query with the selected zone. Other parameters stay as they are.
 *
 * @param search the query so far: `?kiosk=1`, or empty
 */
export function formatSearch(search: string, { zone }: ViewState): string {
  const values = new URLSearchParams(search);
  if ((values.get("zone") || undefined) === zone) return search;
  if (zone === undefined) values.delete("zone");
  else values.set("zone", zone);
  const text = values.toString();
  return text === "" ? "" : `?${text}`;
}

/** The parameters after `#` that belong to no mode. */
const VIEW_NAMES = ["layer", "at", "scale", "palette", "theme", "box", "mode"];

const NUMBER = /^-?\d{1,10}(?:\.\d{1,6})?$/;

/**
 * Parses a view. Ignores invalid parts, since users edit addresses.
 *
 * @param hash `layer=hall/l2&at=56.5,177&scale=8&box=0,0,9,9`, `#` before it or
 * not
 */
export function parseHash(hash: string): ViewState {
  const values = new URLSearchParams(hash.replace(/^#/, ""));
  const layer = values.get("layer");
  const center = parseNumbers(values.get("at"), 2);
  const scale = parseNumbers(values.get("scale"), 1)?.[0];
  const palette = values.get("palette") ?? undefined;
  const theme = values.get("theme");
  const box = regionFrom(parseNumbers(values.get("box"), 4));
  const mode = values.get("mode");
  const parts = [...values].filter(([name]) => !VIEW_NAMES.includes(name));
  return {
    ...(layer && !isMalformed(layer, hash) ? { layer } : {}),
    ...(center ? { center: [center[0]!, center[1]!] as const } : {}),
    ...(scale !== undefined && scale > 0 ? { scale } : {}),
    ...(isPaletteName(palette) ? { palette } : {}),
    ...(theme === "light" || theme === "dark" ? { theme } : {}),
    ...(box ? { box } : {}),
    ...(isModeName(mode) ? { mode, parts: Object.fromEntries(parts) } : {}),
  };
}

/** Whether the decoded value has U+FFFD for bytes that are not UTF-8. */
function isMalformed(value: string, hash: string): boolean {
  return value.includes("\uFFFD") && !/\uFFFD|%EF%BF%BD/i.test(hash);
}

/** Formats a view as the part of an address after `#`. */
export function formatHash(view: ViewState): string {
  const { layer, center, scale, palette, theme, box, mode } = view;
  const values = new URLSearchParams();
  if (layer !== undefined) values.set("layer", layer);
  if (center) values.set("at", center.map((at) => round(at, 1)).join());
  if (scale !== undefined) values.set("scale", round(scale, 4));
  if (palette !== undefined) values.set("palette", palette);
  if (theme !== undefined) values.set("theme", theme);
  if (box) values.set("box", [box.x0, box.y0, box.x1, box.y1].join());
  if (mode !== undefined) {
    values.set("mode", mode);
    for (const [name, part] of Object.entries(view.parts ?? {})) {
      values.set(name, part);
    }
  }
  // A fragment may contain these (RFC 3986, 3.5), and people read it.
  return values.toString().replaceAll("+", "%20").replaceAll("%2F", "/")
    .replaceAll("%2C", ",").replaceAll("%3A", ":");
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
  text: string | null,
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
