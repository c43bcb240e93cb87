/// <reference lib="dom" />
/**
 * The cards with the counts of the map at a time.
 *
 * @module
 */

import type { CellCounts } from "../../grid/cell_counter.ts";
import { nounOf, type Unit } from "../../protocol/display.ts";
import type { Region } from "../../protocol/region.ts";
import { capitalized, el, focusWhileScrollable } from "../elements/dom.ts";
import { formatCount, formatMinute } from "../elements/format.ts";
import { createCard } from "../panels/card.ts";
import { CountCards } from "../panels/count_cards.ts";

/** What the cards show. */
export interface PastCardData {
  /** Undefined: nothing is known of the time. */
  readonly counts: CellCounts | undefined;
  /** Why nothing is known. */
  readonly note: string;
  readonly bounds: Region | undefined;
  /** What the values count; undefined if they are only 0 and 1. */
  readonly unit: Unit | undefined;
  /** `10:00:00` */
  readonly clock: string;
  /** How the count differs from that five minutes before. */
  readonly trend: number | undefined;
  /** The present count; undefined without cells. */
  readonly live: number | undefined;
  /** The server's clock, ms since 1970. */
  readonly now: number;
}

/** The cards. */
export class PastCards {
  readonly element: HTMLElement;
  readonly #counts = new CountCards();
  readonly #live = createCard("Now, live");

  constructor() {
    this.#live.element.classList.add("now");
    this.element = el(
      "section",
      { class: "cards past-cards", "aria-label": "Totals at this time" },
      ...[...this.#counts.all, this.#live].map(({ element }) => element),
    );
  }

  /** Call it when the cards are in the page. */
  placed(): void {
    focusWhileScrollable([this.element]);
  }

  /** Shows counts. */
  show(data: PastCardData): void {
    const { counts, unit, clock, trend, live, now, bounds } = data;
    const { people } = this.#counts;
    people.element.hidden = unit === undefined;
    people.setTitle(`${capitalized(nounOf(0, unit))} at ${clock}`);
    this.#live.set(
      live === undefined ? "–" : formatCount(live),
      `${unit ? nounOf(live ?? 0, unit) : "occupied"} at ${formatMinute(now)}`,
    );
    if (counts === undefined) return this.#counts.clear(data.note);
    this.#counts.show(counts, {
      trend: trend === undefined ? undefined : { change: trend, minutes: 5 },
      stale: "too old to count",
      bounds: bounds ? [bounds.x0, bounds.y0, bounds.x1, bounds.y1] : null,
    });
  }
}
