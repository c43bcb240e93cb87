/// <reference lib="dom" />
/**
 * What a mode of the page is, and what it gets of the page. The page is live,
 * or shows the past: the history, or how much cells were used.
 *
 * @module
 */

import type { LayerStatus } from "../../feed/messages.ts";
import type { Unit } from "../../protocol/display.ts";
import type { LayerCells } from "../map/layer_cells.ts";
import type { MapPlace, MapView } from "../map/map_view.ts";
import type { Colors } from "../map/palette.ts";
import type { Point } from "../map/regions.ts";
import type { ZonesView } from "../zones/zones_view.ts";

/** The modes besides `live`, in the order of the switch. */
export const MODE_NAMES = ["history", "utilisation"] as const;

/** The name of a mode, as in the address. */
export type ModeName = typeof MODE_NAMES[number];

/** Whether a text is the name of a mode. */
export function isModeName(text: string | null): text is ModeName {
  return MODE_NAMES.some((name) => name === text);
}

/** What of the address belongs to a mode: parameters after `#` by name. */
export type ModeParts = Readonly<Record<string, string>>;

/** The layer that the page shows. */
export interface ModeLayer {
  readonly name: string;
  /** Safe to show. */
  readonly title: string;
  /** What its values count; undefined if they are only 0 and 1. */
  readonly unit: Unit | undefined;
  /** What the server says of it now; undefined if it has no cells. */
  readonly own: LayerStatus | undefined;
}

/**
 * Empty elements for a mode. They are emptied when the mode is left. What only
 * belongs to the live map is hidden (class `live-only`).
 */
export interface ModeSlots {
  /** In the bar, after the switch. */
  readonly bar: HTMLElement;
  /** In the place of the cards. */
  readonly cards: HTMLElement;
  /** On the map, at the upper right. */
  readonly map: HTMLElement;
  /** On the map, at its upper edge, over its whole width. */
  readonly head: HTMLElement;
  /** On the map or below it, in the place of the legend. */
  readonly legend: HTMLElement;
  /** On the map, not for screen readers. */
  readonly marks: HTMLElement;
  /** Beside the map, above the list of zones. */
  readonly side: HTMLElement;
  /** Beside the map, below the list of zones. */
  readonly sideEnd: HTMLElement;
  /** Below the map. */
  readonly foot: HTMLElement;
}

/** What a mode says of a cell. */
export interface CellText {
  readonly title: string;
  readonly lines: readonly string[];
  /** For a screen reader, in one sentence. */
  readonly spoken: string;
}

/** What a mode gets of the page. */
export interface ModeHost {
  readonly slots: ModeSlots;
  readonly map: MapView;
  readonly zones: ZonesView;
  /** The cells that the map shows instead of the live ones. */
  pastCells: LayerCells | undefined;
  /**
   * The time of those cells, for their ages, ms since 1970; undefined: the
   * present.
   */
  pastTime: number | undefined;
  /**
   * What tooltip and cursor say of a cell instead of its value; undefined: its
   * value.
   */
  cellText: ((cell: Point) => CellText | undefined) | undefined;
  layer(): ModeLayer;
  /** Returns the server's clock, ms since 1970. */
  now(): number;
  colors(): Colors;
  /** Updates what the page says of the cells, after they have changed. */
  refresh(): void;
  /** Writes {@linkcode PageMode.parts} to the address soon. */
  write(): void;
  /** Makes a change of the parts an entry of the browser's history. */
  change(apply: () => void): void;
  /** Returns to the live map. */
  goLive(): void;
  /** Switches to another mode, at its parts of the address. */
  switchTo(name: ModeName, parts: ModeParts): void;
}

/** A mode, from when it is opened until it is closed. */
export interface PageMode {
  /** Its parts of the address now. */
  readonly parts: ModeParts;
  /** Shows other parts, as after Back. */
  apply(parts: ModeParts): void;
  /** Called after the page shows another layer. */
  onLayer(): void;
  /** Called after another zone was selected; undefined: none. */
  onZone(name: string | undefined): void;
  /** Called every second, and after the server has sent its status. */
  onTick(): void;
  /** Called after theme or palette have changed. */
  recolor(): void;
  /**
   * Called when the map is clicked.
   *
   * @returns whether the click was for the cell: then it selects no zone
   */
  onClick?(at: MapPlace): boolean;
  /** @returns whether the key has an action in the mode */
  onKey(event: KeyboardEvent): boolean;
  /** Removes all that it has shown. The slots are emptied after it. */
  close(): void;
}

/**
 * Opens a mode.
 *
 * @throws {Error} if the server has no history: the message says why, and what
 * to do
 */
export type OpenMode = (host: ModeHost, parts: ModeParts) => Promise<PageMode>;
