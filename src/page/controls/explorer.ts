/// <reference lib="dom" />
/**
 * Handles pointer, cursor and selection on the map, and shows their marks,
 * tooltip and announcements.
 *
 * @module
 */

import type { Unit } from "../../protocol/display.ts";
import type { Region } from "../../protocol/region.ts";
import type { Access } from "../elements/commands.ts";
import { announce, byId, el } from "../elements/dom.ts";
import {
  describeCell,
  formatAge,
  formatDuration,
  formatQuantity,
} from "../elements/format.ts";
import type { CellLocation, Observation } from "../feed/requests.ts";
import type { LayerCells } from "../map/layer_cells.ts";
import type { MapView, Rect } from "../map/map_view.ts";
import {
  clampPoint,
  clampRegion,
  type Point,
  regionBetween,
  regionOf,
} from "../map/regions.ts";
import type { CellText } from "../modes/mode.ts";
import { SelectionPanel } from "../panels/selection_panel.ts";
import { Tooltip } from "../panels/tooltip.ts";

/** Minimum time between two counts of the selection, ms. */
const MIN_COUNT_MS = 250;
/**
 * Minimum size of a cell for a mark, which would hide a smaller one, CSS
 * pixels.
 */
const MIN_HOVER_SCALE = 5;
/** Minimum width and height of a mark, CSS pixels. */
const MIN_MARK_PX = 6;
/**
 * Marks are cut to this size, because browsers do not draw larger elements, CSS
 * pixels.
 */
const MAX_MARK_PX = 10_000;

/** Dependencies and callbacks of {@linkcode Explorer}. */
export interface ExplorerOptions {
  readonly map: MapView;
  /** Returns the current layer. */
  layer(): {
    readonly name: string;
    readonly title: string;
    readonly unit: Unit | undefined;
    /** Undefined before the server said how clients reach the broker. */
    readonly access: Access | undefined;
  };
  /** Whether the cells of a region are loaded. */
  hasLoaded(region: Region): boolean;
  /** Returns the time of the cells that are shown, ms since 1970. */
  now(): number;
  /** Whether the cells are shown as they were at that time. */
  isPast(): boolean;
  /** Returns what to say of a cell instead of its value. */
  textOf(cell: Point): CellText | undefined;
  /** Returns the zones of a cell in words, one a line. */
  zonesAt(cell: Point): readonly string[];
  /** Clears the selected zone; returns false if there is none. */
  clearZone(): boolean;
  /** Called when the selection changes. */
  onSelect(): void;
  /** Makes a change of the selection by the user an entry of the history. */
  change(apply: () => void): void;
}

/**
 * Tracks the cell under the pointer, a clicked cell, the cursor and the
 * selection.
 */
export class Explorer {
  readonly #options: ExplorerOptions;
  readonly #map: MapView;
  readonly #marks = new Marks();
  readonly #tooltip: Tooltip;
  readonly #panel: SelectionPanel;
  #hovered: Point | undefined;
  /** The clicked cell, whose tooltip stays. */
  #pinned: Point | undefined;
  #cursor: Point | undefined;
  /** Where a selection with the cursor began. */
  #anchor: Point | undefined;
  #selection: Region | undefined;
  /** The state of the cell that was announced last. */
  #announced = "";
  #lastCount = 0;
  #countTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ExplorerOptions) {
    this.#options = options;
    this.#map = options.map;
    this.#tooltip = new Tooltip((cell, observation) =>
      this.#applyNewer(cell, observation)
    );
    this.#panel = new SelectionPanel(() => this.#selectByUser(undefined));
  }

  /** The selected cells. */
  get selection(): Region | undefined {
    return this.#selection;
  }

  /** Whether the cursor is on. */
  get hasCursor(): boolean {
    return this.#cursor !== undefined;
  }

  /** Handles the pointer over a cell, or outside the map. */
  hover(cell: Point | undefined): void {
    this.#hovered = cell && clampPoint(cell);
    this.#update();
  }

  /** Handles a click: the tooltip stays until the cell is clicked again. */
  click(cell: Point): void {
    const at = clampPoint(cell);
    const again = this.#pinned?.x === at.x && this.#pinned.y === at.y;
    this.#pinned = again ? undefined : at;
    if (again) this.#hovered = undefined;
    if (this.#cursor) this.#cursor = at;
    this.#update();
  }

  /** Shows the tooltip of a cell, as after a click. */
  pin(cell: Point): void {
    this.#pinned = cell;
    this.#hovered = undefined;
    this.#update();
    announce(this.#describe(cell));
  }

  /** Turns the cursor on in the centre of the map, or off. */
  toggleCursor(): void {
    if (this.#cursor) {
      this.#cursor = this.#anchor = undefined;
      announce("Cursor off");
    } else {
      const [x, y] = this.#map.camera.center;
      this.#cursor = clampPoint({ x: Math.floor(x), y: Math.floor(y) });
      this.#announceCursor();
    }
    this.#update();
  }

  /**
   * Moves the cursor by cells.
   *
   * @param selecting whether to select the cells between start and end
   */
  moveCursor(right: number, down: number, selecting: boolean): void {
    const from = this.#cursor;
    if (from === undefined) return;
    this.#hovered = this.#pinned = undefined;
    const up = this.#map.yUp ? -down : down;
    this.#cursor = clampPoint({ x: from.x + right, y: from.y + up });
    if (selecting) {
      this.#anchor ??= from;
      const region = regionBetween(this.#anchor, this.#cursor);
      // One entry of the history for all steps of the cursor.
      if (this.#selection) this.select(region);
      else this.#selectByUser(region);
    } else this.#anchor = undefined;
    this.#map.moves.reveal(this.#cursor);
    this.#announceCursor();
    this.#update();
  }

  /** Selects cells; undefined clears the selection. */
  select(region: Region | undefined): void {
    this.#selection = region && clampRegion(region);
    if (region === undefined) this.#anchor = undefined;
    this.#count();
    this.#placeMarks();
    this.#options.onSelect();
  }

  /**
   * Closes the tooltip of a click, else clears the selection, else that of a
   * zone, else turns the cursor off.
   *
   * @returns false if there was nothing to close, clear or turn off
   */
  escape(): boolean {
    if (this.#pinned) this.#pinned = undefined;
    else if (this.#selection) this.#selectByUser(undefined);
    else if (this.#options.clearZone()) return true;
    else if (this.#cursor) this.toggleCursor();
    else return false;
    this.#update();
    return true;
  }

  /** Removes what belongs to the previous layer. */
  reset(): void {
    this.#hovered = this.#pinned = undefined;
    this.#showTooltip();
    if (this.#selection) this.#count();
  }

  /**
   * Updates tooltip, announcement and counts after cells or their ages changed.
   */
  refresh(): void {
    if (this.#hovered || this.#pinned || this.#cursor) this.#showTooltip();
    if (this.#cursor) this.#announceCursor({ onlyChanges: true });
    if (this.#selection && this.#countTimer === undefined) {
      const delay = this.#lastCount + MIN_COUNT_MS - performance.now();
      this.#countTimer = setTimeout(() => this.#count(), Math.max(0, delay));
    }
  }

  /** Moves marks and tooltip with the map. */
  followMap(): void {
    this.#placeMarks();
    if (this.#pinned || this.#cursor) this.#showTooltip();
  }

  #selectByUser(region: Region | undefined): void {
    this.#options.change(() => this.select(region));
  }

  get #cells(): LayerCells {
    return this.#map.cellLayer.cells;
  }

  #update(): void {
    this.#showTooltip();
    this.#placeMarks();
  }

  #placeMarks(): void {
    const map = this.#map;
    const rectOf = (cell: Point | undefined) =>
      cell && map.rectOf(regionOf(cell));
    this.#marks.place("box", this.#selection && map.rectOf(this.#selection));
    this.#marks.place("cursor", rectOf(this.#cursor));
    const hides = this.#hovered !== undefined && map.scale < MIN_HOVER_SCALE;
    const marked = hides ? undefined : this.#hovered ?? this.#pinned;
    this.#marks.place("hover", rectOf(marked));
  }

  #showTooltip(): void {
    const cell = this.#hovered ?? this.#pinned ?? this.#cursor;
    const rect = cell && this.#map.rectOf(regionOf(cell));
    // Before the cells are loaded, "no data" could be wrong.
    if (!cell || !rect || !this.#options.hasLoaded(regionOf(cell))) {
      return this.#tooltip.hide();
    }
    const text = this.#options.textOf(cell);
    if (text) return this.#tooltip.showText(text.title, text.lines, rect);
    const { name: layer, title, unit } = this.#options.layer();
    const zones = this.#options.zonesAt(cell);
    const past = this.#options.isPast();
    this.#tooltip.show(
      { ...cell, layer, title, unit, rect, zones, past },
      this.#cells,
      this.#options.now(),
    );
  }

  /**
   * Applies an observation that repeats the value: the feed omits those.
   */
  #applyNewer({ layer, x, y }: CellLocation, observation: Observation): void {
    if (layer !== this.#options.layer().name || this.#options.isPast()) return;
    const row = this.#cells.table.find(x, y);
    const { value, time, stale } = observation;
    if (row < 0 || time <= this.#cells.table.time[row]!) return;
    this.#cells.set(x, y, value, time, stale);
    this.#map.redraw();
    this.#showTooltip();
  }

  #count(): void {
    clearTimeout(this.#countTimer);
    this.#countTimer = undefined;
    this.#lastCount = performance.now();
    const region = this.#selection;
    const { name: layer, unit, access } = this.#options.layer();
    this.#panel.update(
      region && {
        layer,
        unit,
        access,
        region,
        counts: this.#cells.countsIn(region),
        complete: this.#options.hasLoaded(region),
      },
    );
  }

  /** @param onlyChanges whether to announce the cell only if it has changed */
  #announceCursor({ onlyChanges = false } = {}): void {
    const cursor = this.#cursor!;
    const { table } = this.#cells;
    const row = table.find(cursor.x, cursor.y);
    const state = [
      cursor.x,
      cursor.y,
      ...(row < 0 ? [] : [table.value[row], table.stale[row]]),
    ].join();
    if (onlyChanges && state === this.#announced) return;
    this.#announced = state;
    const region = this.#selection;
    const selected = this.#anchor && region
      ? `, ${
        formatQuantity(
          (region.x1 - region.x0 + 1) * (region.y1 - region.y0 + 1),
          "coordinate",
        )
      } selected`
      : "";
    announce(this.#describe(cursor) + selected);
  }

  /**
   * Describes a cell for a screen reader: `5, 4: occupied, 2 people, observed 3
   * s ago`.
   */
  #describe(cell: Point): string {
    const { x, y } = cell;
    const text = this.#options.textOf(cell);
    if (text) return text.spoken;
    if (!this.#options.hasLoaded(regionOf(cell))) {
      return `${x}, ${y}: not loaded yet`;
    }
    const { table } = this.#cells;
    const row = table.find(x, y);
    if (row < 0) return `${x}, ${y}: no data`;
    const { title, detail } = describeCell(
      table.value[row],
      table.stale[row] === 1,
      this.#options.layer().unit,
    );
    const state = detail
      ? `${title.toLowerCase()}, ${detail}`
      : title.toLowerCase();
    const time = table.time[row]!;
    const age = this.#options.now() - time;
    if (!this.#options.isPast()) {
      return `${x}, ${y}: ${state}, observed ${formatAge(age)}`;
    }
    return Number.isNaN(time)
      ? `${x}, ${y}: ${state}`
      : `${x}, ${y}: ${state} for ${formatDuration(age)}`;
  }
}

type MarkName = "box" | "hover" | "cursor";

/**
 * The frames around the selection, the cell under the pointer, and the cursor.
 */
class Marks {
  readonly #elements = new Map<MarkName, HTMLElement>();

  constructor() {
    for (const name of ["box", "hover", "cursor"] as const) {
      const element = el("div", { class: `mark ${name}`, hidden: true });
      this.#elements.set(name, element);
      byId("div", "marks").append(element);
    }
  }

  /** Places a mark around a rectangle; undefined hides it. */
  place(name: MarkName, rect: Rect | undefined): void {
    const element = this.#elements.get(name)!;
    element.hidden = rect === undefined;
    if (rect === undefined) return;
    const [left, width] = markExtent(rect.left, rect.width);
    const [top, height] = markExtent(rect.top, rect.height);
    element.style.transform = `translate(${left}px, ${top}px)`;
    element.style.width = `${width}px`;
    element.style.height = `${height}px`;
  }
}

/** Returns start and length, enlarged to the minimum and cut to the maximum. */
function markExtent(start: number, length: number): [number, number] {
  const margin = Math.max(0, MIN_MARK_PX - length) / 2;
  const from = Math.max(start - margin, -MAX_MARK_PX);
  const to = Math.min(start + length + margin, MAX_MARK_PX);
  return [from, Math.max(0, to - from)];
}
