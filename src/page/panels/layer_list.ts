/// <reference lib="dom" />
/**
 * The layers: a list with their counts, and the menu in the bar.
 *
 * @module
 */

import { byId, el, setText } from "../elements/dom.ts";
import { formatCount, formatQuantity } from "../elements/format.ts";
import type { LayerStatus } from "../../feed/messages.ts";

/** Maximum rows of the list. The menu has all layers. */
const MAX_ROWS = 60;

/** Shows the layers; one can be selected in the list and in the menu. */
export class LayerList {
  readonly #list = byId("ul", "layers");
  readonly #menu = byId("select", "layer");
  readonly #onSelect: (name: string) => void;
  /** Identifies the layers of the current rows and options. */
  #key = "";
  #rows: Row[] = [];

  /** @param onSelect called with the name of the selected layer */
  constructor(onSelect: (name: string) => void) {
    this.#onSelect = onSelect;
    this.#menu.addEventListener("change", () => onSelect(this.#menu.value));
  }

  /** Shows layers and their counts. */
  update(layers: readonly LayerStatus[], current: string): void {
    const key = JSON.stringify([
      current,
      layers.map(({ name, title }) => [name, title]),
    ]);
    if (key !== this.#key) {
      this.#key = key;
      this.#rebuild(layers, current);
    }
    const mostPeople = Math.max(1, ...layers.map(({ people }) => people));
    this.#rows.forEach((row, index) => row.set(layers[index]!, mostPeople));
  }

  /** Moves the focus to the menu. */
  focus(): void {
    this.#menu.focus();
  }

  #rebuild(layers: readonly LayerStatus[], current: string): void {
    const exists = layers.some(({ name }) => name === current);
    this.#menu.disabled = layers.length === 0;
    this.#menu.replaceChildren(
      ...(exists ? [] : [createOption(current, `${current} (no data yet)`)]),
      ...layers.map((layer) => createOption(layer.name, titleOf(layer))),
    );
    this.#menu.value = current;
    const focused = this.#rows.findIndex(({ button }) =>
      button === document.activeElement
    );
    this.#rows = layers.slice(0, MAX_ROWS).map(({ name }) =>
      createRow(name === current, () => this.#onSelect(name))
    );
    this.#list.replaceChildren(
      ...(layers.length === 0
        ? [el("li", {}, el("p", {}, "No layers yet"))]
        : this.#rows.map(({ item }) => item)),
    );
    this.#rows[focused]?.button.focus();
  }
}

/** Returns the title of a layer, or its name if it has none. */
export function titleOf({ name, title }: LayerStatus): string {
  return title || name;
}

interface Row {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  /** @param mostPeople the highest count of a layer: a bar of full width */
  set(layer: LayerStatus, mostPeople: number): void;
}

function createRow(current: boolean, onClick: () => void): Row {
  const name = el("b");
  const number = el("strong");
  const unit = el("span");
  const bar = el("i");
  const button = el(
    "button",
    { type: "button", "aria-current": current ? "true" : undefined },
    name,
    el("em", {}, number, " ", unit),
    el("div", { class: "meter", "aria-hidden": "true" }, bar),
  );
  button.addEventListener("click", onClick);
  return {
    item: el("li", {}, button),
    button,
    set(layer, mostPeople) {
      const { people, cells } = layer;
      setText(name, titleOf(layer));
      setText(number, formatCount(people));
      setText(unit, people === 1 ? "person" : "people");
      button.title = `${layer.name} · ${formatQuantity(cells, "cell")}`;
      bar.style.width = `${100 * people / mostPeople}%`;
    },
  };
}

function createOption(value: string, text: string): HTMLOptionElement {
  return el("option", { value }, text);
}
