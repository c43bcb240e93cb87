/// <reference lib="dom" />
/**
 * The latest changes, newest first.
 *
 * @module
 */

import type { LatestChange } from "../../feed/messages.ts";
import { byId, el, setText } from "../elements/dom.ts";
import { ago, cellWords } from "../elements/format.ts";

const MOST = 30;
/** The list stands still for this long at least, so that it can be read, ms. */
const STILL_MS = 500;

/** The list of changes; a click goes to the cell. */
export class LatestPanel {
  readonly #list = byId("ol", "latest");
  readonly #goTo: (x: number, y: number) => void;
  readonly #rows: Row[] = [];
  #changes: readonly LatestChange[] = [];
  /** What has come since. */
  #next: readonly LatestChange[] | undefined;
  #shown = -Infinity;

  constructor(goTo: (x: number, y: number) => void) {
    this.#goTo = goTo;
    this.#show();
  }

  /** Takes other changes, newest first. @param now The server's clock, ms since 1970 */
  update(changes: readonly LatestChange[], now: number): void {
    this.#next = changes.slice(0, MOST);
    if (performance.now() - this.#shown >= STILL_MS) this.tick(now);
  }

  /** Lets them age, and shows what has come. @param now The server's clock, ms since 1970 */
  tick(now: number): void {
    // Under a finger or the focus, rows must not change places.
    const busy = this.#list.matches(":hover, :focus-within");
    if (this.#next && (!busy || this.#changes.length === 0)) {
      this.#changes = this.#next;
      this.#next = undefined;
      this.#shown = performance.now();
      this.#show();
    }
    this.#changes.forEach((change, index) =>
      this.#rows[index]!.set(change, now)
    );
  }

  /** Forgets all: another layer is looked at. */
  clear(): void {
    this.#changes = [];
    this.#next = undefined;
    this.#shown = -Infinity;
    this.#show();
  }

  #show(): void {
    const many = this.#changes.length;
    while (this.#rows.length < many) {
      const index = this.#rows.length;
      this.#rows.push(rowOf(() => {
        const change = this.#changes[index];
        if (change) this.#goTo(change[0], change[1]);
      }));
    }
    if (this.#list.childElementCount !== many || many === 0) {
      this.#list.replaceChildren(
        ...(many === 0
          ? [el("li", { class: "none" }, "Nothing has changed yet")]
          : this.#rows.slice(0, many).map(({ item }) => item)),
      );
    }
  }
}

interface Row {
  readonly item: HTMLLIElement;
  set(change: LatestChange, now: number): void;
}

function rowOf(choose: () => void): Row {
  const where = el("span");
  const what = el("span", { class: "what" });
  const who = el("span", { class: "who" });
  const button = el("button", { type: "button" }, where, what, who);
  button.addEventListener("click", choose);
  return {
    item: el("li", {}, button),
    set([x, y, value, time, source], now) {
      const { title, detail } = cellWords(value, false);
      setText(where, `${x}, ${y}`);
      setText(what, detail ? `${title} · ${detail}` : title);
      setText(who, source ?? ago(now - time));
      button.title = source === null ? "" : `${source}, ${ago(now - time)}`;
    },
  };
}
