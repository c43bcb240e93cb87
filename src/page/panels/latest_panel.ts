/// <reference lib="dom" />
/**
 * The list of the latest changes, the newest first.
 *
 * @module
 */

import type { LatestChange } from "../../feed/messages.ts";
import { byId, el, setText } from "../elements/dom.ts";
import { describeCell, formatAge } from "../elements/format.ts";

const MAX_ROWS = 30;
/** Minimum time between two updates of the list, so that it can be read, ms. */
const MIN_UPDATE_MS = 500;

/** The list of changes; a click on one goes to its cell. */
export class LatestPanel {
  readonly #list = byId("ol", "latest");
  readonly #goTo: (x: number, y: number) => void;
  readonly #rows: Row[] = [];
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
   * @param now the server's clock, ms since 1970
   */
  update(changes: readonly LatestChange[], now: number): void {
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
    this.#changes.forEach((change, index) =>
      this.#rows[index]!.set(change, now)
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
    }
  }
}

interface Row {
  readonly item: HTMLLIElement;
  set(change: LatestChange, now: number): void;
}

function createRow(onClick: () => void): Row {
  const coordinate = el("span");
  const state = el("span", { class: "state" });
  const origin = el("span", { class: "origin" });
  const button = el("button", { type: "button" }, coordinate, state, origin);
  button.addEventListener("click", onClick);
  return {
    item: el("li", {}, button),
    set([x, y, value, time, source], now) {
      const { title, detail } = describeCell(value, false);
      const age = formatAge(now - time);
      setText(coordinate, `${x}, ${y}`);
      setText(state, detail ? `${title} · ${detail}` : title);
      setText(origin, source ?? age);
      button.title = source === null ? "" : `${source}, ${age}`;
    },
  };
}
