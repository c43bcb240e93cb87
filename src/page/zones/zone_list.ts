/// <reference lib="dom" />
/**
 * The list of zones, the fullest first, with a search and filters. Of thousands
 * of zones only the visible rows are in the page.
 *
 * @module
 */

import type { Unit } from "../../protocol/display.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import { byId, el, setText } from "../elements/dom.ts";
import { formatCount, formatQuantity } from "../elements/format.ts";
import { ZoneFilters } from "./zone_filters.ts";
import { ZoneOrder } from "./zone_order.ts";
import { createZoneRow, type ZoneRow } from "./zone_row.ts";

/** Minimum time between two changes of the order, so that rows can be read. */
const ORDER_INTERVAL_MS = 1000;
/** The same after zones were added or removed: thousands come in parts. */
const CHANGE_INTERVAL_MS = 200;
/** The order stays for this time after the pointer has moved over the list. */
const POINTED_MS = 5000;
/** Rows above and below the visible ones. */
const OVERSCAN = 4;
/** The search is shown if there are more zones than this. */
const MIN_SEARCH_ZONES = 8;
/** In a kiosk, the smallest width of a column, CSS pixels. */
const MIN_COLUMN_PX = 400;

/** Options of {@linkcode ZoneList}. */
export interface ZoneListOptions {
  /** Returns what the values of a layer count; undefined for people. */
  unitOf(layer: string): Unit | undefined;
  titleOfLayer(name: string): string;
  /** Called when the user selects a zone. */
  onSelect(name: string): void;
  /** Whether the list fills the window, without scrolling. */
  readonly kiosk: boolean;
  /** Whether zones of all layers are shown at first. */
  readonly allLayers: boolean;
}

/** The list. */
export class ZoneList {
  readonly #options: ZoneListOptions;
  readonly #list = byId("ul", "zones");
  readonly #scroller = byId("div", "zones-scroll");
  readonly #search = byId("input", "zone-search");
  readonly #note = byId("p", "zones-note");
  /** As high as a row. */
  readonly #probe = el("div", { class: "row-probe", "aria-hidden": "true" });
  readonly #filters: ZoneFilters;
  readonly #order = new ZoneOrder();
  readonly #rows = new Map<string, ZoneRow>();
  /** The zones in the order in which they are shown. */
  #shown: readonly ZoneState[] = [];
  #states: ReadonlyMap<string, ZoneState> = new Map();
  #layer = "";
  #selected: string | undefined;
  /** The zone whose row is the tab stop. */
  #stop: string | undefined;
  /** Identifies the rows in the page. */
  #rowsKey = "";
  /** When the pointer last moved over the list, as `performance.now()`. */
  #pointedAt = -Infinity;
  #orderedAt = -Infinity;
  /** Whether zones were added or removed since. */
  #isChanged = false;
  /** When the timer fires, as `performance.now()`; Infinity if none runs. */
  #sortAt = Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ZoneListOptions) {
    this.#options = options;
    this.#scroller.prepend(this.#probe);
    this.#filters = new ZoneFilters(options.kiosk, () => this.#sort());
    this.#filters.allLayers = options.allLayers;
    this.#search.addEventListener("input", () => {
      this.#scroller.scrollTop = 0;
      this.#sort();
    });
    this.#search.addEventListener("keydown", (event) => {
      const [first] = this.#shown;
      if (event.key === "Enter" && first) options.onSelect(first.zone);
      else if (event.key === "ArrowDown") this.#focusRow(0);
      else return;
      event.preventDefault();
    });
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("pointermove", () => {
      this.#pointedAt = performance.now();
    });
    this.#list.addEventListener("pointerleave", () => {
      this.#pointedAt = -Infinity;
      this.#scheduleSort();
    });
    this.#scroller.addEventListener("scroll", () => this.#render());
    new ResizeObserver(() => this.#render()).observe(this.#scroller);
  }

  /** The number of zones, of all layers. */
  get size(): number {
    return this.#order.size;
  }

  /** The layer whose zones are shown, unless those of all layers are. */
  set layer(layer: string) {
    if (layer === this.#layer) return;
    this.#layer = layer;
    this.#sort();
  }

  /** The zone that is selected. */
  set selected(name: string | undefined) {
    if (name === this.#selected) return;
    this.#selected = name;
    if (name !== undefined) this.#stop = name;
    this.#render();
    this.#reveal(this.#shown.findIndex(({ zone }) => zone === name));
  }

  /**
   * Shows changed states. Counts change at once, the order at most once a
   * second.
   *
   * @param names that have changed; undefined: all
   */
  update(
    states: ReadonlyMap<string, ZoneState>,
    names: ReadonlySet<string> | undefined,
  ): void {
    this.#states = states;
    const hasOthers = this.#order.update(states, names);
    for (const name of names ?? []) this.#showState(name);
    this.#isChanged ||= hasOthers;
    this.#scheduleSort();
  }

  /** Makes the rows for the present size of the list. */
  resize(): void {
    this.#render();
  }

  /** Moves the focus to the search, or to the list if there is none. */
  focus(): void {
    if (!this.#search.hidden) this.#search.focus();
    else this.focusStop();
  }

  /** Moves the focus to the row that is the tab stop. */
  focusStop(): void {
    const index = this.#shown.findIndex(({ zone }) => zone === this.#stop);
    this.#focusRow(Math.max(0, index));
  }

  #scheduleSort(): void {
    const due = this.#isChanged
      ? this.#orderedAt + CHANGE_INTERVAL_MS
      : Math.max(
        this.#orderedAt + ORDER_INTERVAL_MS,
        // Rows must not move away under the pointer.
        this.#pointedAt + POINTED_MS,
      );
    if (due >= this.#sortAt) return;
    clearTimeout(this.#timer);
    this.#sortAt = due;
    this.#timer = setTimeout(() => {
      this.#sortAt = Infinity;
      const isPointed = performance.now() < this.#pointedAt + POINTED_MS;
      if (isPointed && !this.#isChanged) this.#scheduleSort();
      else this.#sort();
    }, Math.max(0, due - performance.now()));
  }

  #sort(): void {
    clearTimeout(this.#timer);
    this.#sortAt = Infinity;
    this.#isChanged = false;
    this.#orderedAt = performance.now();
    const { filter, allLayers } = this.#filters;
    const { states, counts, hasOthers } = this.#order.find({
      layer: allLayers ? undefined : this.#layer,
      filter,
      search: this.#search.hidden ? "" : this.#search.value,
    });
    this.#shown = states;
    const { kiosk } = this.#options;
    this.#search.hidden = kiosk || counts.all <= MIN_SEARCH_ZONES;
    this.#search.placeholder = `Search ${formatQuantity(counts.all, "zone")}`;
    this.#filters.update(counts, hasOthers);
    this.#render();
  }

  /** CSS pixels, as in the style sheet. */
  get #rowHeight(): number {
    return this.#probe.clientHeight || 44;
  }

  /** Shows the rows that are visible. */
  #render(): void {
    const { kiosk } = this.#options;
    const rowHeight = this.#rowHeight;
    const { clientHeight, clientWidth, scrollTop } = this.#scroller;
    const total = this.#shown.length;
    const fittingLines = Math.floor(clientHeight / rowHeight);
    const columns = kiosk
      ? Math.max(
        1,
        Math.min(
          Math.floor(clientWidth / MIN_COLUMN_PX),
          Math.ceil(total / Math.max(1, fittingLines)),
        ),
      )
      : 1;
    const fitting = fittingLines * columns;
    const first = kiosk
      ? 0
      : Math.max(0, Math.floor(scrollTop / rowHeight) - OVERSCAN);
    const end = kiosk
      ? Math.min(total, fitting)
      : Math.min(total, first + fitting + 2 * OVERSCAN + 1);
    const lines = Math.ceil((kiosk ? end : total) / columns);
    const height = `${lines * rowHeight}px`;
    if (this.#list.style.height !== height) {
      this.#list.style.height = height;
      this.#scroller.style.setProperty("--rows", String(lines));
    }
    const indexes = Array.from({ length: end - first }, (_, i) => first + i);
    this.#keepFocused(indexes);
    this.#replaceRows(indexes);
    for (const index of indexes) {
      const { zone } = this.#shown[index]!;
      this.#showState(zone);
      // In columns the order is downwards.
      const column = kiosk ? Math.floor(index / lines) : 0;
      const line = kiosk ? index % lines : index;
      this.#rows.get(zone)!.place(
        index,
        total,
        `${100 * column / columns}%`,
        `${line * rowHeight}px`,
      );
    }
    this.#list.style.setProperty("--columns", String(columns));
    this.#showNote(total, end);
    this.#setStop();
  }

  /** A row that has the focus stays in the page, wherever the list is. */
  #keepFocused(indexes: number[]): void {
    const focused = [...this.#rows].find(([, { button }]) =>
      button === document.activeElement
    )?.[0];
    if (focused === undefined) return;
    const index = this.#shown.findIndex(({ zone }) => zone === focused);
    if (index < 0 || indexes.includes(index)) return;
    if (index < (indexes[0] ?? 0)) indexes.unshift(index);
    else indexes.push(index);
  }

  #replaceRows(indexes: readonly number[]): void {
    const names = indexes.map((index) => this.#shown[index]!.zone);
    const key = JSON.stringify(names);
    if (key === this.#rowsKey) return;
    this.#rowsKey = key;
    const focused = document.activeElement;
    const wanted = new Set(names);
    for (const [name, { item }] of this.#rows) {
      if (wanted.has(name)) continue;
      item.remove();
      this.#rows.delete(name);
    }
    for (const name of names) {
      if (!this.#rows.has(name)) {
        this.#rows.set(
          name,
          createZoneRow(() => this.#options.onSelect(name)),
        );
      }
    }
    this.#placeItems(names.map((name) => this.#rows.get(name)!.item));
    if (focused instanceof HTMLElement && this.#list.contains(focused)) {
      focused.focus({ preventScroll: true });
    }
  }

  /** A row that stays in its place is not touched: it may be pressed. */
  #placeItems(items: readonly HTMLElement[]): void {
    let next = this.#list.firstElementChild;
    for (const item of items) {
      if (item === next) next = next.nextElementSibling;
      else this.#list.insertBefore(item, next);
    }
  }

  #showState(name: string): void {
    const state = this.#states.get(name);
    if (state === undefined) return;
    const { unitOf, titleOfLayer } = this.#options;
    this.#rows.get(name)?.set(state, {
      unit: unitOf(state.layer),
      selected: name === this.#selected,
      layerTitle: this.#filters.allLayers
        ? titleOfLayer(state.layer)
        : undefined,
    });
  }

  #showNote(total: number, end: number): void {
    const { kiosk } = this.#options;
    const text = total === 0
      ? this.#order.size === 0 ? "No zones yet" : "No zone is like this"
      : kiosk && end < total
      ? `and ${formatCount(total - end)} more`
      : "";
    this.#note.hidden = text === "";
    setText(this.#note, text);
  }

  /** Makes one row the tab stop of the list. */
  #setStop(): void {
    const stop = this.#rows.get(this.#stop ?? "") ??
      this.#rows.get(this.#shown[0]?.zone ?? "") ??
      this.#rows.values().next().value;
    for (const row of this.#rows.values()) {
      row.button.tabIndex = row === stop ? 0 : -1;
    }
  }

  #onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const index = this.#shown.findIndex(({ zone }) =>
      this.#rows.get(zone)?.button === document.activeElement
    );
    const last = this.#shown.length - 1;
    const page = Math.max(1, Math.floor(this.#rows.size / 2));
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: index - 1,
      ArrowDown: index + 1,
      PageUp: index - page,
      PageDown: index + page,
      Home: 0,
      End: last,
    };
    const to = steps[event.key];
    if (to === undefined || last < 0) return;
    this.#focusRow(Math.min(Math.max(to, 0), last));
    event.preventDefault();
  }

  #focusRow(index: number): void {
    const zone = this.#shown[index]?.zone;
    if (zone === undefined) return;
    this.#stop = zone;
    this.#reveal(index);
    this.#render();
    this.#rows.get(zone)?.button.focus({ preventScroll: true });
    this.#setStop();
  }

  /** Scrolls the list, and nothing else, to a row. */
  #reveal(index: number): void {
    if (index < 0 || this.#options.kiosk) return;
    const rowHeight = this.#rowHeight;
    const top = index * rowHeight;
    const scroller = this.#scroller;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + rowHeight > scroller.scrollTop + scroller.clientHeight) {
      scroller.scrollTop = top + rowHeight - scroller.clientHeight;
    }
  }
}
