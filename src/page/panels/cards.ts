/// <reference lib="dom" />
/**
 * The row of cards with the counts of a layer.
 *
 * @module
 */

import { byId, capitalized } from "../elements/dom.ts";
import {
  formatByteRate,
  formatCount,
  formatDuration,
} from "../elements/format.ts";
import type { LayerStatus, LiveRates } from "../../feed/messages.ts";
import { nounOf } from "../../protocol/display.ts";
import { createCard } from "./card.ts";
import { CountCards } from "./count_cards.ts";
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
  readonly #counts = new CountCards();
  readonly #changes = createCard("Changes");

  constructor() {
    byId("section", "cards").append(
      ...[...this.#counts.all, this.#changes].map(({ element }) => element),
    );
  }

  /** Shows new data. */
  update({ layer, counted, rates, staleAfter, trend }: CardData): void {
    const { people } = this.#counts;
    people.element.hidden = layer !== undefined && !counted;
    if (layer === undefined) this.#counts.clear("");
    else {
      people.setTitle(capitalized(nounOf(layer.people, layer.display?.unit)));
      const stale = staleAfter === null
        ? "no limit set"
        : `older than ${formatDuration(staleAfter)}`;
      this.#counts.show(layer, { trend, stale, bounds: layer.bounds });
    }
    this.#changes.set(
      layer ? formatCount(layer.changes) : "–",
      layer ? "per s" : "",
    );
    this.#changes.element.title = rates ? formatServerRates(rates) : "";
  }
}

/** The rates of all layers, beside the card of one. */
function formatServerRates({ changes, readings, bytes }: LiveRates): string {
  return `All layers: ${formatCount(changes)} changes per s, ${
    formatCount(readings)
  } readings per s, ${formatByteRate(bytes)}`;
}
