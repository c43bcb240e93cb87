/// <reference lib="dom" />
/**
 * The layers: a list with their totals, and the chooser in the bar.
 *
 * @module
 */

import { byId, el, setText } from "../elements/dom.ts";
import { count, some } from "../elements/format.ts";
import type { LayerStatus } from "../../feed/messages.ts";

/** Rows of the list; with more layers the chooser has them all. */
const MOST = 60;

/** Shows the layers and lets one be chosen. */
export class LayersPanel {
  readonly #list = byId("ul", "layers");
  readonly #select = byId("select", "layer");
  readonly #chosen: (name: string) => void;
  /** What the rows and the options are for. */
  #shown = "";
  #rows: Row[] = [];

  /** @param chosen Called with the name of the layer that a person wants to see */
  constructor(chosen: (name: string) => void) {
    this.#chosen = chosen;
    this.#select.addEventListener("change", () => chosen(this.#select.value));
  }

  /** Shows other layers, or other numbers. @param current The one that is looked at */
  update(layers: readonly LayerStatus[], current: string): void {
    const key = JSON.stringify([
      current,
      layers.map(({ name, title }) => [name, title]),
    ]);
    if (key !== this.#shown) {
      this.#shown = key;
      this.#rebuild(layers, current);
    }
    const most = Math.max(1, ...layers.map(({ people }) => people));
    this.#rows.forEach((row, index) => row.set(layers[index]!, most));
  }

  /** Puts the focus where a layer is chosen. */
  focus(): void {
    this.#select.focus();
  }

  #rebuild(layers: readonly LayerStatus[], current: string): void {
    const known = layers.some(({ name }) => name === current);
    this.#select.disabled = layers.length === 0;
    this.#select.replaceChildren(
      ...(known ? [] : [option(current, `${current} (nothing yet)`)]),
      ...layers.map((layer) => option(layer.name, titleOf(layer))),
    );
    this.#select.value = current;
    const focused = this.#rows.findIndex(({ button }) =>
      button === document.activeElement
    );
    this.#rows = layers.slice(0, MOST).map(({ name }) =>
      rowOf(name === current, () => this.#chosen(name))
    );
    this.#list.replaceChildren(
      ...(layers.length === 0
        ? [el("li", {}, el("p", {}, "None yet"))]
        : this.#rows.map(({ item }) => item)),
    );
    this.#rows[focused]?.button.focus();
  }
}

/** What a layer is called for people. */
export function titleOf({ name, title }: LayerStatus): string {
  return title || name;
}

interface Row {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  set(layer: LayerStatus, most: number): void;
}

function rowOf(current: boolean, choose: () => void): Row {
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
  button.addEventListener("click", choose);
  return {
    item: el("li", {}, button),
    button,
    set(layer, most) {
      const { people, cells } = layer;
      setText(name, titleOf(layer));
      setText(number, count(people));
      setText(unit, people === 1 ? "person" : "people");
      button.title = `${layer.name} · ${some(cells, "cell")}`;
      bar.style.width = `${100 * people / most}%`;
    },
  };
}

function option(value: string, text: string): HTMLOptionElement {
  return el("option", { value }, text);
}
