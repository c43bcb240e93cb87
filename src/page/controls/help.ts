/// <reference lib="dom" />
/**
 * The help dialog: keyboard shortcuts and the meaning of cells.
 *
 * @module
 */

import { byId, el } from "../elements/dom.ts";
import { ICONS } from "../elements/icons.ts";
import type { Preferences } from "./preferences.ts";

const SHORTCUTS: readonly (readonly [keys: readonly string[], string])[] = [
  [["←", "↑", "→", "↓"], "Move the map, or the cursor if it is on"],
  [["+", "−"], "Zoom in, zoom out"],
  [["0"], "Show the whole map"],
  [["Enter"], "Turn the cell cursor on or off"],
  [["Shift", "arrows"], "Select cells with the cursor"],
  [["b"], "Drag a box to select cells (or Shift and drag)"],
  [["g"], "Go to a coordinate or a zone"],
  [["l"], "Choose a layer"],
  [["z"], "Choose a zone"],
  [["t"], "Theme: automatic, light or dark"],
  [
    ["Esc"],
    "Close the tooltip, clear the selection, close the zone, turn the cursor off",
  ],
  [["?"], "Show this help"],
  [["Space"], "History: play or pause"],
  [["←", "→"], "History: one minute, with Shift 15; Home and End: the day"],
  [["l"], "History: back to live"],
];

const MEANINGS: readonly (readonly [status: string, meaning: string])[] = [
  [
    "Free, occupied",
    "As last observed; a number is the people in the cell",
  ],
  [
    "Stale",
    "The last observation is too old; counts as neither free nor occupied",
  ],
  ["Unknown", "Reported as unknown, or not observed for too long"],
  ["No data", "Never reported"],
  [
    "Zones",
    "≥ before a count: at least, because cells are stale or unknown. A zone is unknown if no cell is known and new",
  ],
];

/** The help dialog. */
export class Help {
  readonly #dialog = byId("dialog", "help-dialog");

  constructor(preferences: Preferences) {
    const close = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": "Close",
    }, ICONS.close());
    close.addEventListener("click", () => this.#dialog.close());
    // A click on the backdrop has the dialog itself as its target.
    this.#dialog.addEventListener("click", (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    const letterKeys = el("input", { type: "checkbox" });
    letterKeys.checked = preferences.letterKeys;
    letterKeys.addEventListener("change", () => {
      preferences.letterKeys = letterKeys.checked;
    });
    this.#dialog.append(
      el("header", {}, el("h2", { id: "help-title" }, "Help"), close),
      el("h3", {}, "Keyboard shortcuts"),
      el(
        "dl",
        {},
        ...SHORTCUTS.flatMap(([keys, action]) => [
          el("dt", {}, ...keys.flatMap((key) => [el("kbd", {}, key), " "])),
          el("dd", {}, action),
        ]),
      ),
      el("label", { class: "check" }, letterKeys, "Single-letter shortcuts"),
      el("h3", {}, "Cells and zones"),
      el(
        "dl",
        {},
        ...MEANINGS.flatMap(([status, meaning]) => [
          el("dt", {}, status),
          el("dd", {}, meaning),
        ]),
      ),
    );
  }

  /** Opens the dialog. */
  show(): void {
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}
