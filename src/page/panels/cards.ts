/// <reference lib="dom" />
/**
 * The row of cards with the counts of a layer.
 *
 * @module
 */

import { byId, capitalized, el, setText } from "../elements/dom.ts";
import {
  formatByteRate,
  formatCount,
  formatDuration,
  formatShare,
  formatShortCount,
  SHORT_LIMIT,
} from "../elements/format.ts";
import type { LayerStatus, LiveRates } from "../../feed/messages.ts";
import { nounOf } from "../../protocol/display.ts";
import type { RegionTuple } from "../../protocol/region.ts";
import type { Trend } from "./history.ts";

/** The data of {@linkcode Cards}. */
export interface CardData {
  /** Undefined if the layer has no cells. */
  readonly layer: LayerStatus | undefined;
  /** Whether its values count something; else people is not shown. */
  readonly counted: boolean;
  /** Of all layers. */
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
  update({ layer, counted, rates, staleAfter, trend }: CardData): void {
    this.#people.element.hidden = layer !== undefined && !counted;
    if (layer === undefined) {
      for (const card of this.#layerCards) card.set("–", "");
      this.#meter.style.width = "0";
    } else {
      const { people, occupied, free, stale, unknown, cells, bounds } = layer;
      const known = occupied + free;
      this.#people.setTitle(capitalized(nounOf(people, layer.display?.unit)));
      this.#people.setCount(people, trend ? formatTrend(trend) : "");
      this.#occupied.setCount(
        occupied,
        known > 0
          ? `${formatShare(occupied, known)} of ${formatCount(known)}`
          : "",
      );
      this.#meter.style.width = `${known > 0 ? 100 * occupied / known : 0}%`;
      this.#free.setCount(
        free,
        known > 0 ? formatShare(free, known) : "",
      );
      this.#stale.setCount(
        stale,
        staleAfter === null
          ? "no limit set"
          : `older than ${formatDuration(staleAfter)}`,
      );
      this.#unknown.setCount(unknown, formatNoData(bounds, cells));
      this.#stale.warn(stale > 0);
      this.#unknown.warn(unknown > 0);
    }
    this.#changes.set(
      layer ? formatCount(layer.changes) : "–",
      layer ? "per s" : "",
    );
    this.#changes.element.title = rates ? formatServerRates(rates) : "";
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
export function formatNoData(
  bounds: RegionTuple | null,
  cells: number,
): string {
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

/** The rates of all layers, beside the card of one. */
function formatServerRates({ changes, readings, bytes }: LiveRates): string {
  return `All layers: ${formatCount(changes)} changes per s, ${
    formatCount(readings)
  } readings per s, ${formatByteRate(bytes)}`;
}

/** A card. */
export interface Card {
  readonly element: HTMLElement;
  /** Shows a text and what it means. */
  set(value: string, detail: string): void;
  /** Shows a count: if it is too long for the card, short and below it exact. */
  setCount(count: number, detail: string): void;
  setTitle(title: string): void;
  /** Highlights the value. */
  warn(on: boolean): void;
}

/** Creates a card. */
export function createCard(title: string): Card {
  const heading = el("h2", {}, title);
  const value = el("strong", {}, "–");
  const detail = el("span");
  const element = el(
    "div",
    { class: "card" },
    heading,
    el("p", {}, value, " ", detail),
  );
  const set = (valueText: string, detailText: string) => {
    setText(value, valueText);
    setText(detail, detailText);
    detail.title = detailText;
  };
  return {
    element,
    set,
    setCount(count, detailText) {
      const short = formatShortCount(count, SHORT_LIMIT);
      const exact = formatCount(count);
      set(short, short === exact ? detailText : exact);
      value.title = short === exact ? "" : exact;
    },
    setTitle(text) {
      setText(heading, text);
    },
    warn(on) {
      element.classList.toggle("warn", on);
    },
  };
}
