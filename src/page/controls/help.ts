/// <reference lib="dom" />
/**
 * The help: what can be done, and with which keys.
 *
 * @module
 */

import { byId, el } from "../elements/dom.ts";
import { ICONS } from "../elements/icons.ts";

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["←", "↑", "→", "↓"], "Move the map, or the cursor if there is one"],
  [["+", "−"], "Zoom in, zoom out"],
  [["0"], "Show the whole map"],
  [["Enter"], "Put a cursor on a cell; its cell is read out"],
  [["Shift", "arrows"], "Select cells from the cursor on"],
  [["b"], "Drag a box to select (also Shift and drag)"],
  [["g"], "Go to a coordinate"],
  [["l"], "Choose a layer"],
  [["t"], "Automatic, light or dark"],
  [["Esc"], "Take the cursor off, clear the selection"],
  [["?"], "This help"],
];

const WORDS: readonly (readonly [word: string, meaning: string])[] = [
  ["Free, occupied", "As last observed; a number is how many people"],
  [
    "Stale",
    "Observed too long ago to be sure: dotted, and never counted as free or occupied",
  ],
  ["Unknown", "Reported as unknown, or forgotten: hatched"],
  ["No data", "Never reported: left blank"],
];

/** The dialog with the help. */
export class Help {
  readonly #dialog = byId("dialog", "help-dialog");

  /** @param letters Whether single-letter keys are on, and how to turn them on and off */
  constructor(letters: { get(): boolean; set(on: boolean): void }) {
    const close = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": "Close",
    }, ICONS.close());
    close.addEventListener("click", () => this.#dialog.close());
    // A click beside the dialog is one on its backdrop.
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    const box = el("input", { type: "checkbox" });
    box.checked = letters.get();
    box.addEventListener("change", () => letters.set(box.checked));
    this.#dialog.append(
      el("header", {}, el("h2", { id: "help-title" }, "Help"), close),
      el("h3", {}, "Keys"),
      el(
        "dl",
        {},
        ...KEYS.flatMap(([keys, what]) => [
          el("dt", {}, ...keys.flatMap((key) => [el("kbd", {}, key), " "])),
          el("dd", {}, what),
        ]),
      ),
      el("label", { class: "check" }, box, "Single letters are shortcuts"),
      el("h3", {}, "What the map says"),
      el(
        "dl",
        {},
        ...WORDS.flatMap(([word, meaning]) => [
          el("dt", {}, word),
          el("dd", {}, meaning),
        ]),
      ),
    );
  }

  show(): void {
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}
