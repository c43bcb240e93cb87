/// <reference lib="dom" />
/**
 * The latest changes, newest first.
 *
 * @module
 */

import { byId, el, setText } from "./dom.ts";
import { ago, cellWords } from "./format.ts";

/** What changed: coordinate, value, when it was observed, and who said so. */
export type LatestChange = readonly [
  x: number,
  y: number,
  value: number,
  time: number,
  source: string | null,
];

const MOST = 30;

/** The list of changes; a click goes to the cell. */
export class LatestPanel {
  readonly #list = byId("ol", "latest");
  readonly #goTo: (x: number, y: number) => void;
  readonly #rows: Row[] = [];
  #changes: readonly LatestChange[] = [];

  constructor(goTo: (x: number, y: number) => void) {
    this.#goTo = goTo;
    this.#show();
  }

  /** Shows other changes, newest first. @param now The server's clock, ms */
  update(changes: readonly LatestChange[], now: number): void {
    this.#changes = changes.slice(0, MOST);
    this.#show();
    this.tick(now);
  }

  /** Lets them age. @param now The server's clock, ms since 1970 */
  tick(now: number): void {
    this.#changes.forEach((change, index) =>
      this.#rows[index]!.set(change, now)
    );
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
