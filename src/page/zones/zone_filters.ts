/// <reference lib="dom" />
/**
 * The buttons above the list of zones: which zones, and of which layers.
 *
 * @module
 */

import { byId, el, setText } from "../elements/dom.ts";
import { formatCount } from "../elements/format.ts";
import { BUSY_PERCENT, type ZoneFilter } from "./zone_text.ts";

const TITLES: Readonly<Record<ZoneFilter, string>> = {
  all: "All",
  busy: `Over ${BUSY_PERCENT}%`,
  stale: "Stale",
  unknown: "Unknown",
};
/** With fewer zones the whole list is seen at a glance. */
const MIN_FILTER_ZONES = 6;

/** The filters. */
export class ZoneFilters {
  readonly #group = byId("div", "zone-filters");
  readonly #buttons = new Map<
    ZoneFilter,
    { readonly button: HTMLButtonElement; readonly count: HTMLElement }
  >();
  readonly #layers = el("button", {
    type: "button",
    class: "filter",
    "aria-pressed": "false",
  }, "All layers");
  readonly #kiosk: boolean;
  readonly #onChange: () => void;
  #filter: ZoneFilter = "all";

  /**
   * @param kiosk whether there is nothing to press
   * @param onChange called when the user has chosen
   */
  constructor(kiosk: boolean, onChange: () => void) {
    this.#kiosk = kiosk;
    this.#onChange = onChange;
    for (const filter of Object.keys(TITLES) as ZoneFilter[]) {
      const count = el("b");
      const button = el(
        "button",
        { type: "button", class: "filter" },
        `${TITLES[filter]} `,
        count,
      );
      button.addEventListener("click", () => this.#choose(filter));
      this.#buttons.set(filter, { button, count });
      this.#group.append(button);
    }
    this.#layers.addEventListener("click", () => {
      this.allLayers = !this.allLayers;
      this.#onChange();
    });
    this.#group.append(this.#layers);
  }

  /** The chosen filter. */
  get filter(): ZoneFilter {
    return this.#filter;
  }

  /** Whether zones of all layers are shown. */
  get allLayers(): boolean {
    return this.#layers.getAttribute("aria-pressed") === "true";
  }

  set allLayers(all: boolean) {
    this.#layers.setAttribute("aria-pressed", String(all));
  }

  /**
   * Shows how many zones each filter has. A filter without zones is hidden,
   * unless it is chosen.
   *
   * @param hasOthers whether there are zones of other layers
   */
  update(
    counts: Readonly<Record<ZoneFilter, number>>,
    hasOthers: boolean,
  ): void {
    for (const [filter, { button, count }] of this.#buttons) {
      setText(count, formatCount(counts[filter]));
      button.setAttribute("aria-pressed", String(filter === this.#filter));
      button.hidden = filter !== this.#filter &&
        (counts[filter] === 0 || counts.all < MIN_FILTER_ZONES);
    }
    this.#buttons.get("all")!.button.hidden = this.#filter === "all" &&
      counts.all < MIN_FILTER_ZONES;
    this.#layers.hidden = !hasOthers && !this.allLayers;
    this.#group.hidden = this.#kiosk ||
      [...this.#group.children].every((child) => (child as HTMLElement).hidden);
  }

  #choose(filter: ZoneFilter): void {
    this.#filter = filter;
    this.#onChange();
  }
}
