/// <reference lib="dom" />
/**
 * The layers: a list with their counts and a search, and the menu in the bar.
 *
 * @module
 */

import { printable } from "../../common/printable.ts";
import { byId, el, setText } from "../elements/dom.ts";
import {
  fold,
  formatCount,
  formatQuantity,
  formatShare,
  formatShortCount,
  SHORT_LIMIT,
} from "../elements/format.ts";
import { RovingFocus } from "../elements/roving_focus.ts";
import type { LayerStatus } from "../../feed/messages.ts";
import { nounOf } from "../../protocol/display.ts";
import type { CountedLayers } from "./counted_layers.ts";

/** The search is shown if there are more layers than this. */
const MIN_SEARCH_LAYERS = 8;
/** `floor2` comes before `floor10`. */
const ORDER = new Intl.Collator(undefined, { numeric: true });

/** Shows the layers; one can be selected in the list and in the menu. */
export class LayerList {
  readonly #list = byId("ul", "layers");
  readonly #menu = byId("select", "layer");
  readonly #search = byId("input", "layer-search");
  readonly #omitted = byId("p", "layers-omitted");
  readonly #focus = new RovingFocus(this.#list);
  readonly #onSelect: (name: string) => void;
  /** Identifies the current rows and options. */
  #rowsKey = "";
  #menuKey = "";
  /** The current layer when it was last scrolled into view. */
  #revealed: string | undefined;
  readonly #rows = new Map<string, Row>();
  #layers: readonly LayerStatus[] = [];
  #current = "";
  #counted: CountedLayers | undefined;

  /** @param onSelect called with the name of the selected layer */
  constructor(onSelect: (name: string) => void) {
    this.#onSelect = onSelect;
    this.#menu.addEventListener("change", () => onSelect(this.#menu.value));
    this.#search.addEventListener("input", () => this.#show());
    this.#search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.#selectFirst();
      else if (event.key === "ArrowDown") {
        this.#list.querySelector("button")?.focus();
      } else return;
      event.preventDefault();
    });
  }

  /**
   * Shows layers and their counts, in the order of their titles.
   *
   * @param current the name of the current layer, which may not exist
   * @param counted the layers whose values count something
   * @param omitted number of further layers, which the server does not list
   */
  update(
    layers: readonly LayerStatus[],
    current: string,
    counted: CountedLayers,
    omitted: number,
  ): void {
    this.#layers = [...layers].sort((a, b) =>
      ORDER.compare(titleOf(a), titleOf(b)) || ORDER.compare(a.name, b.name)
    );
    const names = new Set(layers.map(({ name }) => name));
    for (const name of this.#rows.keys()) {
      if (!names.has(name)) this.#rows.delete(name);
    }
    this.#current = current;
    this.#counted = counted;
    this.#omitted.hidden = omitted === 0;
    setText(
      this.#omitted,
      `${formatQuantity(omitted, "more layer")}: only an address opens them`,
    );
    this.#search.hidden = layers.length <= MIN_SEARCH_LAYERS;
    this.#updateMenu();
    this.#show();
  }

  /** Moves the focus to the menu. */
  focus(): void {
    this.#menu.focus();
  }

  #updateMenu(): void {
    const layers = this.#layers;
    const current = this.#current;
    const key = JSON.stringify(layers.map(({ name, title }) => [name, title]));
    const exists = layers.some(({ name }) => name === current);
    const menuKey = exists ? key : `${key} ${current}`;
    if (menuKey !== this.#menuKey) {
      this.#menuKey = menuKey;
      this.#menu.disabled = layers.length === 0;
      this.#menu.replaceChildren(
        ...(exists ? [] : [createOption(current, `${current} (no data yet)`)]),
        ...layers.map((layer) => createOption(layer.name, titleOf(layer))),
      );
    }
    if (this.#menu.value !== current) this.#menu.value = current;
  }

  /** Shows the rows that match the search. */
  #show(): void {
    const found = this.#found();
    const key = JSON.stringify(found.map(({ name }) => name));
    if (key !== this.#rowsKey) {
      this.#rowsKey = key;
      this.#rebuild(found);
    }
    for (const layer of found) {
      const row = this.#rows.get(layer.name)!;
      row.set(layer, this.#counted?.has(layer.name) ?? false);
      row.setCurrent(layer.name === this.#current);
    }
    if (this.#current !== this.#revealed) this.#reveal();
  }

  #found(): readonly LayerStatus[] {
    const text = this.#search.hidden ? "" : fold(this.#search.value.trim());
    return this.#layers.filter((layer) =>
      fold(`${titleOf(layer)} ${layer.name}`).includes(text)
    );
  }

  #rebuild(layers: readonly LayerStatus[]): void {
    const focused = document.activeElement;
    for (const { name } of layers) {
      if (!this.#rows.has(name)) {
        this.#rows.set(name, createRow(() => this.#onSelect(name)));
      }
    }
    const rows = layers.map(({ name }) => this.#rows.get(name)!);
    const none = this.#layers.length === 0
      ? "No layers yet"
      : "No layer has this name";
    this.#list.replaceChildren(
      ...(rows.length === 0
        ? [el("li", {}, el("p", {}, none))]
        : rows.map(({ item }) => item)),
    );
    if (focused instanceof HTMLElement && this.#list.contains(focused)) {
      focused.focus();
    }
    this.#focus.update(this.#rows.get(this.#current)?.button);
  }

  /** Scrolls the list, and nothing else, to the current layer. */
  #reveal(): void {
    const row = this.#rows.get(this.#current);
    if (!row?.item.isConnected) return;
    this.#revealed = this.#current;
    this.#focus.update(row.button);
    const { offsetTop: top, offsetHeight: height } = row.item;
    const list = this.#list;
    const first = top - list.offsetTop;
    if (first < list.scrollTop) list.scrollTop = first;
    else if (first + height > list.scrollTop + list.clientHeight) {
      list.scrollTop = first + height - list.clientHeight;
    }
  }

  #selectFirst(): void {
    const [first] = this.#found();
    if (first) this.#onSelect(first.name);
  }
}

/**
 * Returns the title of a layer, or its name if it has none. Any client can
 * choose the name: it is made safe to show.
 */
export function titleOf(
  { name, title }: Pick<LayerStatus, "name" | "title">,
): string {
  return printable(title || name);
}

interface Row {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  /** @param counted whether the values count something */
  set(layer: LayerStatus, counted: boolean): void;
  setCurrent(current: boolean): void;
}

function createRow(onClick: () => void): Row {
  const name = el("b");
  const number = el("strong");
  const unit = el("span");
  const bar = el("i");
  const button = el(
    "button",
    { type: "button" },
    name,
    el("em", {}, number, " ", unit),
    el("div", { class: "meter", "aria-hidden": "true" }, bar),
  );
  button.addEventListener("click", onClick);
  return {
    item: el("li", {}, button),
    button,
    set(layer, counted) {
      const { people, occupied, free, cells, display } = layer;
      const count = counted ? people : occupied;
      const noun = counted ? nounOf(people, display?.unit) : "occupied";
      setText(name, titleOf(layer));
      setText(number, formatShortCount(count, SHORT_LIMIT));
      setText(unit, noun);
      const known = occupied + free;
      button.title = `${printable(layer.name)} · ${
        formatCount(count)
      } ${noun} · ${formatShare(occupied, known)} of ${
        formatQuantity(known, "known cell")
      } occupied · ${formatQuantity(cells, "cell")}`;
      // Of its own cells: beside a huge layer all other bars would be empty.
      bar.style.width = `${known > 0 ? 100 * occupied / known : 0}%`;
    },
    setCurrent(current) {
      if (current) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    },
  };
}

function createOption(value: string, text: string): HTMLOptionElement {
  return el("option", { value }, text);
}
