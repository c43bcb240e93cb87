/// <reference lib="dom" />
/**
 * The notice on a map whose view has nothing to show.
 *
 * @module
 */

import { byId, el } from "../elements/dom.ts";

/** Says that the view is empty, with a button that shows all cells. */
export class LostNotice {
  readonly #box = byId("div", "nothing-here");

  /** @param showAll called when the user clicks the button */
  constructor(showAll: () => void) {
    const button = el("button", { type: "button" }, "Show all");
    button.addEventListener("click", showAll);
    this.#box.append("Nothing here", button);
  }

  /** Whether the notice is shown. */
  get shown(): boolean {
    return !this.#box.hidden;
  }

  /** Shows or hides the notice. */
  show(shown: boolean): void {
    this.#box.hidden = !shown;
  }
}
