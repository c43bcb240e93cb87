/// <reference lib="dom" />
/**
 * The cards with the counts of cells by status, live or of a time.
 *
 * @module
 */
import { el } from "../elements/dom.ts";
import { formatCount, formatShare } from "../elements/format.ts";
import type { CellCounts } from "../../grid/cell_counter.ts";
import type { RegionTuple } from "../../protocol/region.ts";
import { type Card, createCard } from "./card.ts";
import type { Trend } from "./history.ts";

/** What {@linkcode CountCards.show} shows beside the counts. */
export interface CountTexts {
  readonly trend: Trend | undefined;
  /** What makes a value stale. */
  readonly stale: string;
  /** The bounds of the cells; null without cells. */
  readonly bounds: RegionTuple | null;
}

/** The cards: people, occupied, free, stale, unknown. */
export class CountCards {
  readonly people = createCard("People");
  readonly #occupied = createCard("Cells occupied");
  readonly #free = createCard("Free");
  readonly #stale = createCard("Stale");
  readonly #unknown = createCard("Unknown");
  readonly #meter = el("i");

  constructor() {
    this.#occupied.element.append(
      el("div", { class: "meter", "aria-hidden": "true" }, this.#meter),
    );
  }

  /** All cards, in order. */
  get all(): readonly Card[] {
    return [
      ...[this.people, this.#occupied, this.#free],
      ...[this.#stale, this.#unknown],
    ];
  }

  /** Shows counts. */
  show(counts: CellCounts, { trend, stale, bounds }: CountTexts): void {
    const { occupied, free } = counts;
    const known = occupied + free;
    this.people.setCount(counts.people, trend ? formatTrend(trend) : "");
    this.#occupied.setCount(
      occupied,
      known > 0
        ? `${formatShare(occupied, known)} of ${formatCount(known)}`
        : "",
    );
    this.#meter.style.width = `${known > 0 ? 100 * occupied / known : 0}%`;
    this.#free.setCount(free, known > 0 ? formatShare(free, known) : "");
    this.#stale.setCount(counts.stale, stale);
    this.#unknown.setCount(counts.unknown, formatNoData(bounds, counts.cells));
    this.#warn(counts.stale > 0, counts.unknown > 0);
  }

  /** Shows that there are no counts, and why. */
  clear(note: string): void {
    for (const card of this.all) card.set("–", note);
    this.#meter.style.width = "0";
    this.#warn(false, false);
  }

  #warn(hasStale: boolean, hasUnknown: boolean): void {
    this.#stale.warn(hasStale);
    this.#unknown.warn(hasUnknown);
  }
}

/**
 * Formats the number of coordinates within the bounds that were never reported.
 */
function formatNoData(
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
