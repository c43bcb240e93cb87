/// <reference lib="dom" />
/**
 * The list of the zones that are edited.
 *
 * @module
 */

import { el, setText } from "../../elements/dom.ts";
import { RovingFocus } from "../../elements/roving_focus.ts";
import type { ZoneState } from "../../../zones/zone_state.ts";
import { fullnessOf, numbersOf } from "../zone_text.ts";
import { titleOf, type ZoneDraft } from "./draft.ts";
import { EDITOR_ICONS } from "./editor_icons.ts";
import { createButton } from "./fields.ts";

/** Zones in the list; a search finds the others. */
const MAX_ITEMS = 200;
/** From this number of zones on there is a search. */
const MIN_SEARCHED = 8;

/** A zone in the list. */
export interface PickerItem {
  readonly zone: ZoneDraft;
  readonly isUnsaved: boolean;
  readonly hasProblem: boolean;
  /** Undefined for a zone that is new. */
  readonly state: ZoneState | undefined;
}

/** What the list shows. */
export interface PickerState {
  /** The zones of the layer. */
  readonly items: readonly PickerItem[];
  readonly selected: string | undefined;
  readonly isReadOnly: boolean;
}

/** `Room 2` comes before `Room 10`. */
const ORDER = new Intl.Collator(undefined, { numeric: true });

/** The list. */
export class ZonePicker {
  readonly element: HTMLElement;
  readonly #search = el("input", {
    type: "search",
    class: "zone-search",
    "aria-label": "Search zones",
    autocomplete: "off",
    spellcheck: "false",
  });
  readonly #list = el("ul", { class: "zone-picker-list" });
  readonly #more = el("p", { class: "omitted" });
  readonly #new: HTMLButtonElement;
  readonly #focus = new RovingFocus(this.#list);
  readonly #onSelect: (key: string) => void;
  readonly #rows = new Map<string, Row>();
  #state: PickerState | undefined;

  /**
   * @param onSelect called when a zone is chosen
   * @param onNew called when a new zone is wanted
   */
  constructor(onSelect: (key: string) => void, onNew: () => void) {
    this.#onSelect = onSelect;
    this.#new = createButton("New", EDITOR_ICONS.add(), onNew, {
      title: "Draw a new zone",
    });
    this.#search.addEventListener("input", () => this.#show());
    this.element = el(
      "section",
      { class: "panel zone-picker", "aria-labelledby": "zone-picker-title" },
      el(
        "header",
        {},
        el("h2", { id: "zone-picker-title" }, "Zones"),
        this.#new,
      ),
      this.#search,
      this.#list,
      this.#more,
    );
  }

  /** Shows zones. */
  update(state: PickerState): void {
    this.#state = state;
    this.#show();
  }

  #show(): void {
    if (this.#state === undefined) return;
    const { items, selected, isReadOnly } = this.#state;
    this.#new.disabled = isReadOnly;
    this.#search.hidden = items.length < MIN_SEARCHED;
    this.#search.placeholder = `Search ${items.length} zones`;
    const text = this.#search.hidden
      ? ""
      : this.#search.value.trim().toLowerCase();
    const found = items
      .filter(({ zone }) =>
        text === "" || zone.key === selected ||
        titleOf(zone).toLowerCase().includes(text) ||
        zone.fields.name.toLowerCase().includes(text)
      )
      .sort((a, b) => ORDER.compare(titleOf(a.zone), titleOf(b.zone)));
    const shown = found.slice(0, MAX_ITEMS);
    const keys = new Set(shown.map(({ zone }) => zone.key));
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    shown.forEach((item, index) => {
      const row = this.#rowOf(item.zone.key);
      row.update(item, item.zone.key === selected);
      if (this.#list.children[index] !== row.element) {
        this.#list.insertBefore(
          row.element,
          this.#list.children[index] ?? null,
        );
      }
    });
    const omitted = found.length - shown.length;
    setText(
      this.#more,
      items.length === 0
        ? "This layer has no zones yet. Draw a rectangle or a polygon, or import a GeoJSON file."
        : found.length === 0
        ? "No zone matches."
        : omitted > 0
        ? `${omitted} more: search by title or name.`
        : "",
    );
    this.#more.hidden = this.#more.textContent === "";
    this.#focus.update(selected ? this.#rows.get(selected)?.button : undefined);
  }

  #rowOf(key: string): Row {
    let row = this.#rows.get(key);
    if (row === undefined) {
      row = new Row(() => this.#onSelect(key));
      this.#rows.set(key, row);
    }
    return row;
  }
}

/** A zone of the list. */
class Row {
  readonly element = el("li");
  readonly button = el("button", { type: "button" });
  readonly #title = el("b");
  readonly #note = el("em");
  readonly #bar = el("i");

  constructor(onSelect: () => void) {
    this.button.append(
      this.#title,
      this.#note,
      el("div", { class: "meter", "aria-hidden": "true" }, this.#bar),
    );
    this.button.addEventListener("click", onSelect);
    this.element.append(this.button);
  }

  update(item: PickerItem, isSelected: boolean): void {
    const { zone, isUnsaved, hasProblem, state } = item;
    const { count, of } = numbersOf(state);
    setText(this.#title, titleOf(zone));
    setText(
      this.#note,
      hasProblem ? "not valid" : isUnsaved ? "unsaved" : count + of,
    );
    const width = `${fullnessOf(state)}%`;
    if (this.#bar.style.width !== width) this.#bar.style.width = width;
    this.button.classList.toggle("bad", hasProblem);
    this.button.classList.toggle("changed", isUnsaved && !hasProblem);
    this.button.setAttribute("aria-current", String(isSelected));
  }
}
