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
import { formatCount, formatMinute, formatShare } from "../elements/format.ts";
import { createCard, formatNoData } from "../panels/cards.ts";

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
  readonly #people = createCard("People");
  readonly #occupied = createCard("Cells occupied");
  readonly #free = createCard("Free");
  readonly #stale = createCard("Stale");
  readonly #unknown = createCard("Unknown");
  readonly #live = createCard("Now, live");
  readonly #meter = el("i");

  constructor() {
    this.#occupied.element.append(
      el("div", { class: "meter", "aria-hidden": "true" }, this.#meter),
    );
    this.#live.element.classList.add("now");
    this.element = el(
      "section",
      { class: "cards past-cards", "aria-label": "Totals at this time" },
      ...this.#cards.map(({ element }) => element),
    );
  }

  /** Call it when the cards are in the page. */
  placed(): void {
    focusWhileScrollable([this.element]);
  }

  /** Shows counts. */
  show(data: PastCardData): void {
    const { counts, unit, clock, trend, live, now } = data;
    this.#people.element.hidden = unit === undefined;
    const title = capitalized(nounOf(0, unit));
    this.#people.setTitle(`${title} at ${clock}`);
    this.#live.set(
      live === undefined ? "–" : formatCount(live),
      `${unit ? nounOf(live ?? 0, unit) : "occupied"} at ${formatMinute(now)}`,
    );
    if (counts === undefined) {
      for (const card of this.#cards.slice(0, -1)) card.set("–", data.note);
      this.#meter.style.width = "0";
      this.#unknown.warn(false);
      this.#stale.warn(false);
      return;
    }
    const { people, occupied, free, stale, unknown, cells } = counts;
    const known = occupied + free;
    this.#people.setCount(people, trend === undefined ? "" : trendOf(trend));
    this.#occupied.setCount(
      occupied,
      known > 0
        ? `${formatShare(occupied, known)} of ${formatCount(known)}`
        : "",
    );
    this.#meter.style.width = `${known > 0 ? 100 * occupied / known : 0}%`;
    this.#free.setCount(free, known > 0 ? formatShare(free, known) : "");
    this.#stale.setCount(stale, "too old to count");
    const { bounds } = data;
    this.#unknown.setCount(
      unknown,
      bounds
        ? formatNoData([bounds.x0, bounds.y0, bounds.x1, bounds.y1], cells)
        : "",
    );
    this.#stale.warn(stale > 0);
    this.#unknown.warn(unknown > 0);
  }

  get #cards() {
    return [
      ...[this.#people, this.#occupied, this.#free],
      ...[this.#stale, this.#unknown, this.#live],
    ];
  }
}

function trendOf(change: number): string {
  if (change === 0) return "same as 5 min before";
  const arrow = change > 0 ? "▲" : "▼";
  return `${arrow} ${formatCount(Math.abs(change))} in 5 min`;
}
