/// <reference lib="dom" />
/**
 * The list of the latest changes, the newest first.
 *
 * @module
 */

import { printable } from "../../common/printable.ts";
import type { LatestChange } from "../../feed/messages.ts";
import { byId, el, setText } from "../elements/dom.ts";
import type { Unit } from "../../protocol/display.ts";
import {
  describeCell,
  formatAge,
  formatDate,
  formatPreciseTime,
} from "../elements/format.ts";
import { RovingFocus } from "../elements/roving_focus.ts";

const MAX_ROWS = 30;
/** Minimum time between two updates of the list, so that it can be read, ms. */
const MIN_UPDATE_MS = 500;

/**
 * Changes that follow each other faster than this, on average, are shown with
 * precise times: their ages would be equal, ms.
 */
const DENSE_GAP_MS = 1000;
/** Fewer changes are shown with their ages. */
const MIN_DENSE_GAPS = 4;
/** Older changes are always shown with their age, ms. */
const MAX_PRECISE_AGE_MS = 60_000;

/** The list of changes; a click on one goes to its cell. */
export class LatestPanel {
  readonly #list = byId("ol", "latest");
  readonly #goTo: (x: number, y: number) => void;
  readonly #focus = new RovingFocus(this.#list);
  readonly #rows: Row[] = [];
  #unit: Unit | undefined;
  #changes: readonly LatestChange[] = [];
  /** Newer changes that are not shown yet. */
  #pending: readonly LatestChange[] | undefined;
  #lastUpdate = -Infinity;

  /** @param goTo called with the coordinate of a clicked row */
  constructor(goTo: (x: number, y: number) => void) {
    this.#goTo = goTo;
    this.#render();
  }

  /**
   * Replaces the changes.
   *
   * @param changes the newest first
   * @param unit what the values count; undefined for people
   * @param now the server's clock, ms since 1970
   */
  update(
    changes: readonly LatestChange[],
    unit: Unit | undefined,
    now: number,
  ): void {
    this.#unit = unit;
    this.#pending = changes.slice(0, MAX_ROWS);
    if (performance.now() - this.#lastUpdate >= MIN_UPDATE_MS) this.tick(now);
  }

  /**
   * Updates the ages and shows pending changes.
   *
   * @param now the server's clock, ms since 1970
   */
  tick(now: number): void {
    // Rows must not move under the pointer or the focus.
    const busy = this.#list.matches(":hover, :focus-within");
    if (this.#pending && (!busy || this.#changes.length === 0)) {
      this.#changes = this.#pending;
      this.#pending = undefined;
      this.#lastUpdate = performance.now();
      this.#render();
    }
    const precise = areDense(this.#changes);
    this.#changes.forEach((change, index) =>
      this.#rows[index]!.set(change, { unit: this.#unit, now, precise })
    );
  }

  /** Removes all changes, as for another layer. */
  clear(): void {
    this.#changes = [];
    this.#pending = undefined;
    this.#lastUpdate = -Infinity;
    this.#render();
  }

  /** Shows as many rows as there are changes. */
  #render(): void {
    const { length } = this.#changes;
    while (this.#rows.length < length) {
      const index = this.#rows.length;
      this.#rows.push(createRow(() => {
        const change = this.#changes[index];
        if (change) this.#goTo(change[0], change[1]);
      }));
    }
    if (this.#list.childElementCount !== length || length === 0) {
      this.#list.replaceChildren(
        ...(length === 0
          ? [el("li", { class: "none" }, "No changes yet")]
          : this.#rows.slice(0, length).map(({ item }) => item)),
      );
      this.#focus.update();
    }
  }
}

/** Whether changes, the newest first, follow each other fast. */
export function areDense(changes: readonly LatestChange[]): boolean {
  const gaps = changes.length - 1;
  if (gaps < MIN_DENSE_GAPS) return false;
  const span = changes[0]![3] - changes[gaps]![3];
  return span > 0 && span < gaps * DENSE_GAP_MS;
}

interface RowOptions {
  readonly unit: Unit | undefined;
  /** The server's clock, ms since 1970. */
  readonly now: number;
  /** Whether to show precise times instead of ages. */
  readonly precise: boolean;
}

interface Row {
  readonly item: HTMLLIElement;
  set(change: LatestChange, options: RowOptions): void;
}

function createRow(onClick: () => void): Row {
  const coordinate = el("span");
  const state = el("span", { class: "state" });
  const when = el("time");
  const origin = el("span", { class: "origin" });
  const button = el(
    "button",
    { type: "button" },
    coordinate,
    state,
    when,
    origin,
  );
  button.addEventListener("click", onClick);
  return {
    item: el("li", {}, button),
    set([x, y, value, time, source], { unit, now, precise }) {
      const { title, detail } = describeCell(value, false, unit);
      const age = now - time;
      setText(coordinate, `${x}, ${y}`);
      setText(state, detail ? `${title} · ${detail}` : title);
      setText(
        when,
        precise && age < MAX_PRECISE_AGE_MS
          ? formatPreciseTime(time)
          : formatAge(age),
      );
      setText(origin, printable(source ?? ""));
      origin.hidden = source === null;
      button.title = formatDate(time);
    },
  };
}
