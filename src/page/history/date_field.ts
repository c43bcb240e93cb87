/// <reference lib="dom" />
/**
 * A button that shows a day and opens the calendar of the browser.
 *
 * @module
 */

import { el, setText } from "../elements/dom.ts";
import { icon } from "../elements/icons.ts";

const CALENDAR = "M4 5h12v11H4zM4 8.5h12M7 3v3M13 3v3";

/** The field. */
export class DateField {
  readonly element: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #text = el("span", { "aria-hidden": "true" });

  /**
   * @param label of the field, for screen readers
   * @param onChange called with the chosen day, `2026-11-24`; empty: none
   */
  constructor(label: string, onChange: (date: string) => void) {
    const input = el("input", { type: "date", "aria-label": label });
    this.#input = input;
    input.addEventListener("change", () => onChange(input.value));
    input.addEventListener("click", () => {
      try {
        input.showPicker();
      } catch {
        // The browser has none: the day can be typed.
      }
    });
    this.element = el(
      "label",
      { class: "date-field button" },
      icon(CALENDAR),
      this.#text,
      input,
    );
  }

  /**
   * Shows a day.
   *
   * @param date `2026-11-24`, empty for none
   * @param range the first and the last day that can be chosen
   */
  show(
    date: string,
    text: string,
    range: readonly [first: string, last: string],
  ): void {
    setText(this.#text, text);
    const [min, max] = range;
    const input = this.#input;
    if (input.min !== min) input.min = min;
    if (input.max !== max) input.max = max;
    // While it is typed, a day is not complete.
    if (input.value !== date && document.activeElement !== input) {
      input.value = date;
    }
  }
}
