/// <reference lib="dom" />
/**
 * What a person does on the map: points at cells, moves a cursor, selects.
 *
 * @module
 */

import type { Region } from "../../grid/mod.ts";
import { announce } from "../elements/announcer.ts";
import { ago, cellWords, some } from "../elements/format.ts";
import type { CellFinder, CellPlace, CellReport } from "../feed/requests.ts";
import type { CellPoint, MapView } from "../map/map_view.ts";
import { Marks } from "../map/marks.ts";
import { between, clamped, clampedRegion, type Point } from "../map/regions.ts";
import { SelectionPanel } from "../panels/selection_panel.ts";
import { Tooltip } from "../panels/tooltip.ts";

/** How often the totals of a selection are counted at most, ms. */
const COUNT_MS = 250;
/** A mark around a cell smaller than this would only hide it, CSS pixels. */
const MARKABLE = 5;

/** What the explorer needs to know of the rest of the page. */
export interface Surroundings {
  readonly map: () => MapView;
  /** The layer that is looked at, and what it is called. */
  readonly layer: () => { readonly name: string; readonly title: string };
  /** Whether all that the server has of a region has come. */
  readonly knows: (region: Region) => boolean;
  /** The server's clock, ms since 1970. */
  readonly now: () => number;
  readonly find: CellFinder;
  /** The selection is another. */
  readonly selected: () => void;
}

/** The tooltip, the cursor and the selection. */
export class Explorer {
  readonly #around: Surroundings;
  readonly #marks = new Marks();
  readonly #tooltip: Tooltip;
  readonly #panel: SelectionPanel;
  #hovered: Point | undefined;
  #pinned: Point | undefined;
  #cursor: Point | undefined;
  #anchor: Point | undefined;
  #selection: Region | undefined;
  #spoken = "";
  #counted = 0;
  #recount: ReturnType<typeof setTimeout> | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
    this.#tooltip = new Tooltip(
      around.find,
      (place, report) => this.#renew(place, report),
    );
    this.#panel = new SelectionPanel(() => this.select(undefined), announce);
  }

  /** The cells that are selected. */
  get selection(): Region | undefined {
    return this.#selection;
  }

  /** Whether the cursor is on the map. */
  get hasCursor(): boolean {
    return this.#cursor !== undefined;
  }

  /** The pointer is over a cell, or over none. */
  hover(cell: CellPoint | undefined): void {
    this.#hovered = cell && clamped(cell);
    this.#showTip();
    this.place();
  }

  /** A cell was clicked: its words stay until it is clicked again. */
  click(cell: CellPoint): void {
    const at = clamped(cell);
    const again = this.#pinned?.x === at.x && this.#pinned.y === at.y;
    this.#pinned = again ? undefined : at;
    if (again) this.#hovered = undefined;
    if (this.#cursor) this.#cursor = at;
    this.#showTip();
    this.place();
  }

  /** Shows a cell as if it had been clicked. */
  pin(x: number, y: number): void {
    this.#pinned = { x, y };
    this.#hovered = undefined;
    this.#showTip();
    this.place();
    announce(this.#words(this.#pinned));
  }

  /** Puts the cursor into the middle of the map, or takes it away. */
  toggleCursor(): void {
    if (this.#cursor) {
      this.#cursor = this.#anchor = undefined;
      announce("Cursor off");
    } else {
      const [x, y] = this.#around.map().center;
      this.#cursor = clamped({ x: Math.floor(x), y: Math.floor(y) });
      this.#speak();
    }
    this.#showTip();
    this.place();
  }

  /** Moves the cursor. @param selecting Whether the selection grows with it */
  moveCursor(right: number, down: number, selecting: boolean): void {
    const from = this.#cursor;
    if (from === undefined) return;
    this.#hovered = this.#pinned = undefined;
    this.#cursor = clamped({ x: from.x + right, y: from.y + down });
    if (selecting) {
      this.#anchor ??= from;
      this.select(between(this.#anchor, this.#cursor));
    } else this.#anchor = undefined;
    this.#around.map().reveal(this.#cursor.x, this.#cursor.y);
    this.#speak();
    this.#showTip();
    this.place();
  }

  /** Selects cells, or none. */
  select(region: Region | undefined): void {
    this.#selection = region && clampedRegion(region);
    if (region === undefined) this.#anchor = undefined;
    this.#count();
    this.place();
    this.#around.selected();
  }

  /** Takes the last thing away that was put on the map. @returns whether there was any */
  escape(): boolean {
    if (this.#pinned) this.#pinned = undefined;
    else if (this.#selection) this.select(undefined);
    else if (this.#cursor) this.toggleCursor();
    else return false;
    this.#showTip();
    this.place();
    return true;
  }

  /** Another layer is looked at: nothing of the last one stays. */
  reset(): void {
    this.#hovered = this.#pinned = undefined;
    this.#showTip();
    if (this.#selection) this.#count();
  }

  /** Cells have changed, or time has passed. */
  refresh(): void {
    if (this.#hovered || this.#pinned || this.#cursor) this.#showTip();
    if (this.#cursor) this.#speak(true);
    if (this.#selection === undefined || this.#recount !== undefined) return;
    const wait = this.#counted + COUNT_MS - performance.now();
    this.#recount = setTimeout(() => this.#count(), Math.max(0, wait));
  }

  /** The map has moved: marks follow their cells. */
  place(): void {
    const map = this.#around.map();
    const markable = map.scale >= MARKABLE;
    const rect = (at: Point | undefined) =>
      at && map.rectOf({ x0: at.x, y0: at.y, x1: at.x, y1: at.y });
    this.#marks.place("box", this.#selection && map.rectOf(this.#selection));
    this.#marks.place("cursor", rect(this.#cursor));
    const pointed = this.#hovered ?? this.#pinned;
    const shown = markable || this.#hovered === undefined;
    this.#marks.place("hover", shown ? rect(pointed) : undefined);
  }

  /** The map has moved: the words follow too. */
  follow(): void {
    this.place();
    if (this.#pinned || this.#cursor) this.#showTip();
  }

  #showTip(): void {
    const at = this.#hovered ?? this.#pinned ?? this.#cursor;
    const map = this.#around.map();
    const region = at && { x0: at.x, y0: at.y, x1: at.x, y1: at.y };
    const rect = region && map.rectOf(region);
    // Before the cells have come, nobody can say that there is no data.
    if (!at || !rect || !this.#around.knows(region)) {
      return this.#tooltip.hide();
    }
    const { name, title } = this.#around.layer();
    const { world } = map.cells;
    const target = { ...at, rect, layer: name, title };
    this.#tooltip.show(target, world, this.#around.now());
  }

  /** The server knows a newer report of a cell than the feed has told. */
  #renew({ layer, x, y }: CellPlace, report: CellReport): void {
    if (layer !== this.#around.layer().name) return;
    const map = this.#around.map();
    const { world } = map.cells;
    const row = world.table.find(x, y);
    const { value, time, stale } = report;
    if (row < 0 || time <= world.table.time[row]!) return;
    world.set(x, y, value, time, stale);
    map.changed();
    this.#showTip();
  }

  #count(): void {
    clearTimeout(this.#recount);
    this.#recount = undefined;
    this.#counted = performance.now();
    const region = this.#selection;
    const { name: layer } = this.#around.layer();
    this.#panel.update(
      region && {
        layer,
        region,
        totals: this.#around.map().cells.world.totals(region),
        whole: this.#around.knows(region),
      },
    );
  }

  /** @param news Whether only a change of the cell is worth a word */
  #speak(news = false): void {
    const { x, y } = this.#cursor!;
    const { table } = this.#around.map().cells.world;
    const row = table.find(x, y);
    const state = `${x},${y}: ${row < 0 ? "" : table.value[row]} ${
      row < 0 ? "" : table.stale[row]
    }`;
    if (news && state === this.#spoken) return;
    this.#spoken = state;
    const region = this.#selection;
    const selected = this.#anchor && region
      ? `, ${
        some((region.x1 - region.x0 + 1) * (region.y1 - region.y0 + 1), "place")
      } selected`
      : "";
    announce(this.#words(this.#cursor!) + selected);
  }

  #words({ x, y }: Point): string {
    if (!this.#around.knows({ x0: x, y0: y, x1: x, y1: y })) {
      return `${x}, ${y}: not loaded yet`;
    }
    const { table } = this.#around.map().cells.world;
    const row = table.find(x, y);
    if (row < 0) return `${x}, ${y}: no data`;
    const { title, detail } = cellWords(
      table.value[row],
      table.stale[row] === 1,
    );
    const age = ago(this.#around.now() - table.time[row]!);
    return `${x}, ${y}: ${
      [title.toLowerCase(), detail].filter((one) => one).join(", ")
    }, observed ${age}`;
  }
}
