/// <reference lib="dom" />
/**
 * The totals of a layer in large numbers.
 *
 * @module
 */

import { byId, el, setText } from "../elements/dom.ts";
import { byteRate, count, share, span } from "../elements/format.ts";
import type { LayerStatus, LiveRates } from "../../feed/messages.ts";

/** What the cards tell. */
export interface CardFacts {
  /** Undefined while the layer has nothing. */
  readonly layer: LayerStatus | undefined;
  readonly rates: LiveRates | undefined;
  /** ms, or null for never. */
  readonly staleAfter: number | null;
  /** People now less those some minutes ago, if that is known. */
  readonly trend: { readonly by: number; readonly minutes: number } | undefined;
}

/** The row of cards. */
export class Cards {
  readonly #people = card("People");
  readonly #occupied = card("Cells occupied");
  readonly #free = card("Free");
  readonly #stale = card("Stale");
  readonly #unknown = card("Unknown");
  readonly #changes = card("Changes");
  readonly #meter = el("i");

  constructor() {
    const meter = el("div", { class: "meter", "aria-hidden": true });
    meter.append(this.#meter);
    this.#occupied.element.append(meter);
    const all = [
      this.#people,
      this.#occupied,
      this.#free,
      this.#stale,
      this.#unknown,
      this.#changes,
    ];
    byId("section", "cards").append(...all.map(({ element }) => element));
  }

  /** Shows other numbers. */
  update({ layer, rates, staleAfter, trend }: CardFacts): void {
    if (layer === undefined) {
      for (
        const one of [
          this.#people,
          this.#occupied,
          this.#free,
          this.#stale,
          this.#unknown,
        ]
      ) one.set("–", "");
      this.#meter.style.width = "0";
    } else {
      const { people, occupied, free, stale, unknown, cells, bounds } = layer;
      const known = occupied + free;
      this.#people.set(count(people), trend ? trendWords(trend) : "");
      this.#occupied.set(
        count(occupied),
        known > 0 ? `${share(occupied, known)} of ${count(known)}` : "",
      );
      this.#meter.style.width = `${known > 0 ? 100 * occupied / known : 0}%`;
      this.#free.set(count(free), known > 0 ? share(free, known) : "");
      this.#stale.set(
        count(stale),
        staleAfter === null ? "no limit set" : `older than ${span(staleAfter)}`,
      );
      this.#unknown.set(count(unknown), noData(bounds, cells));
      this.#stale.warn(stale > 0);
      this.#unknown.warn(unknown > 0);
    }
    this.#changes.set(
      rates ? count(Math.round(rates.changes)) : "–",
      rates ? `per s · ${byteRate(rates.bytes)}` : "",
    );
  }
}

/** Coordinates within the bounds that nobody ever reported. */
function noData(
  bounds: readonly [number, number, number, number] | null,
  cells: number,
): string {
  if (bounds === null) return "";
  const [x0, y0, x1, y1] = bounds;
  const never = (x1 - x0 + 1) * (y1 - y0 + 1) - cells;
  return never > 0 ? `+ ${count(never)} no data` : "";
}

function trendWords({ by, minutes }: { by: number; minutes: number }): string {
  if (by === 0) return `same as ${minutes} min ago`;
  return `${by > 0 ? "▲" : "▼"} ${count(Math.abs(by))} in ${minutes} min`;
}

function card(name: string) {
  const number = el("strong", {}, "–");
  const more = el("span");
  const element = el(
    "div",
    { class: "card" },
    el("h2", {}, name),
    el("p", {}, number, " ", more),
  );
  return {
    element,
    set(main: string, sub: string): void {
      setText(number, main);
      setText(more, sub);
      more.title = sub;
    },
    warn(on: boolean): void {
      element.classList.toggle("warn", on);
    },
  };
}
