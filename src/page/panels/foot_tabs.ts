/// <reference lib="dom" />
/**
 * The tabs of the panel below the map: the chart, or the sources.
 *
 * @module
 */

import { byId } from "../elements/dom.ts";

/** The ids of tabs and views: `chart-tab`, `chart-view` and so on. */
const NAMES = ["chart", "sources"] as const;

/** The name of a tab. */
export type FootTab = typeof NAMES[number];

const STEPS: Readonly<Record<string, number>> = {
  ArrowLeft: -1,
  ArrowRight: 1,
  Home: -Infinity,
  End: Infinity,
};

/**
 * The tabs. They are one tab stop; the arrow keys, Home and End select one (ARIA
 * Authoring Practices, Tabs).
 */
export class FootTabs {
  readonly #onSelect: () => void;
  #selected: FootTab = "chart";

  /** @param onSelect called after another tab was selected */
  constructor(onSelect: () => void) {
    this.#onSelect = onSelect;
    for (const name of NAMES) {
      tabOf(name).addEventListener("click", () => this.#select(name));
    }
    byId("div", "foot-tabs").addEventListener("keydown", (event) => {
      const step = STEPS[event.key];
      if (step === undefined || event.ctrlKey || event.metaKey) return;
      const at = NAMES.indexOf(this.#selected) + step;
      const name = NAMES[Math.min(Math.max(at, 0), NAMES.length - 1)]!;
      this.#select(name);
      tabOf(name).focus();
      event.preventDefault();
    });
  }

  /** The tab whose view is shown. */
  get selected(): FootTab {
    return this.#selected;
  }

  #select(selected: FootTab): void {
    if (selected === this.#selected) return;
    this.#selected = selected;
    for (const name of NAMES) {
      const isSelected = name === selected;
      const tab = tabOf(name);
      tab.setAttribute("aria-selected", String(isSelected));
      tab.tabIndex = isSelected ? 0 : -1;
      byId("div", `${name}-head`).hidden = !isSelected;
      byId("div", `${name}-view`).hidden = !isSelected;
    }
    this.#onSelect();
  }
}

function tabOf(name: FootTab): HTMLButtonElement {
  return byId("button", `${name}-tab`);
}
