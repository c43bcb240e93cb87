/// <reference lib="dom" />
/**
 * The row of cards with the counts of a layer.
 *
 * @module
 */

import { byId, el, setText } from "../elements/dom.ts";
import {
  formatByteRate,
  formatCount,
  formatDuration,
  formatShare,
} from "../elements/format.ts";
import type { LayerStatus, LiveRates } from "../../feed/messages.ts";
import type { RegionTuple } from "../../protocol/region.ts";
import type { Trend } from "./history.ts";

/** The data of {@linkcode Cards}. */
export interface CardData {
  /** Undefined if the layer has no cells. */
  readonly layer: LayerStatus | undefined;
  readonly rates: LiveRates | undefined;
  /** ms, or null for never. */
  readonly staleAfter: number | null;
  readonly trend: Trend | undefined;
}

/** The cards: people, occupied, free, stale, unknown, changes. */
export class Cards {
  readonly #people = createCard("People");
  readonly #occupied = createCard("Cells occupied");
  readonly #free = createCard("Free");
  readonly #stale = createCard("Stale");
  readonly #unknown = createCard("Unknown");
  readonly #changes = createCard("Changes");
  readonly #meter = el("i");

  constructor() {
    this.#occupied.element.append(
      el("div", { class: "meter", "aria-hidden": "true" }, this.#meter),
    );
    byId("section", "cards").append(
      ...[...this.#layerCards, this.#changes].map(({ element }) => element),
    );
  }

  /** Shows new data. */
  update({ layer, rates, staleAfter, trend }: CardData): void {
    if (layer === undefined) {
      for (const card of this.#layerCards) card.set("–", "");
      this.#meter.style.width = "0";
    } else {
      const { people, occupied, free, stale, unknown, cells, bounds } = layer;
      const known = occupied + free;
      this.#people.set(formatCount(people), trend ? formatTrend(trend) : "");
      this.#occupied.set(
        formatCount(occupied),
        known > 0
          ? `${formatShare(occupied, known)} of ${formatCount(known)}`
          : "",
      );
      this.#meter.style.width = `${known > 0 ? 100 * occupied / known : 0}%`;
      this.#free.set(
        formatCount(free),
        known > 0 ? formatShare(free, known) : "",
      );
      this.#stale.set(
        formatCount(stale),
        staleAfter === null
          ? "no limit set"
          : `older than ${formatDuration(staleAfter)}`,
      );
      this.#unknown.set(formatCount(unknown), formatNoData(bounds, cells));
      this.#stale.warn(stale > 0);
      this.#unknown.warn(unknown > 0);
    }
    this.#changes.set(
      rates ? formatCount(Math.round(rates.changes)) : "–",
      rates ? `per s · ${formatByteRate(rates.bytes)}` : "",
    );
  }

  get #layerCards(): readonly Card[] {
    return [
      this.#people,
      this.#occupied,
      this.#free,
      this.#stale,
      this.#unknown,
    ];
  }
}

/**
 * Formats the number of coordinates within the bounds that were never reported.
 */
function formatNoData(bounds: RegionTuple | null, cells: number): string {
  if (bounds === null) return "";
  const [x0, y0, x1, y1] = bounds;
  const missing = (x1 - x0 + 1) * (y1 - y0 + 1) - cells;
  return missing > 0 ? `+ ${formatCount(missing)} no data` : "";
}

function formatTrend({ change, minutes }: Trend): string {
  if (change === 0) return `same as ${minutes} min ago`;
  const arrow = change > 0 ? "▲" : "▼";
  return `${arrow} ${formatCount(Math.abs(change))} in ${minutes} min`;
}

interface Card {
  readonly element: HTMLElement;
  set(value: string, detail: string): void;
  /** Highlights the value. */
  warn(on: boolean): void;
}

function createCard(title: string): Card {
  const value = el("strong", {}, "–");
  const detail = el("span");
  const element = el(
    "div",
    { class: "card" },
    el("h2", {}, title),
    el("p", {}, value, " ", detail),
  );
  return {
    element,
    set(valueText, detailText) {
      setText(value, valueText);
      setText(detail, detailText);
      detail.title = detailText;
    },
    warn(on) {
      element.classList.toggle("warn", on);
    },
  };
}
