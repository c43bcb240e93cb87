/// <reference lib="dom" />
/**
 * The filters of the utilisation: the time that counts, what is shown, and the
 * exports.
 *
 * @module
 */

import { el } from "../elements/dom.ts";
import { ChoiceGroup, createMenu, framed } from "./choices.ts";
import {
  isDate,
  type Measure,
  MEASURES,
  PERIODS,
  type UsageSettings,
} from "./settings.ts";
import { DAY_NAMES, LONG_DAY_NAMES } from "./usage_text.ts";

const CUSTOM = "custom";
const DAY_HOURS = 24;

/** Callbacks of {@linkcode FilterBar}. */
export interface FilterBarEvents {
  /** Called with what the user has changed. */
  onChange(changed: Partial<UsageSettings>): void;
  /** Returns the dates of the answer that is shown, for chosen dates. */
  dates(): { readonly first: string; readonly last: string };
  onExport(format: "csv" | "png"): void;
}

/** The bar with the filters. */
export class FilterBar {
  readonly element: HTMLElement;
  readonly #events: FilterBarEvents;
  readonly #period: HTMLSelectElement;
  readonly #first: HTMLInputElement;
  readonly #last: HTMLInputElement;
  readonly #dates: HTMLElement;
  readonly #days: ChoiceGroup<number>;
  readonly #from: HTMLSelectElement;
  readonly #to: HTMLSelectElement;
  readonly #measure: HTMLSelectElement;
  #settings: UsageSettings;

  constructor(settings: UsageSettings, events: FilterBarEvents) {
    this.#settings = settings;
    this.#events = events;
    this.#period = createMenu("Period", [
      ...PERIODS.map((days) => ({
        value: String(days),
        text: `Last ${days} days`,
      })),
      { value: CUSTOM, text: "Chosen dates" },
    ], (value) => this.#setPeriod(value));
    this.#first = this.#createDate("First day");
    this.#last = this.#createDate("Last day");
    this.#dates = el(
      "span",
      { class: "usage-dates" },
      this.#first,
      "–",
      this.#last,
    );
    this.#days = new ChoiceGroup(
      "Days of the week",
      DAY_NAMES.map((text, index) => ({
        value: index + 1,
        text,
        title: LONG_DAY_NAMES[index]!,
      })),
      (day) => this.#toggleDay(day),
    );
    this.#from = this.#createHour(
      "From",
      0,
      (hour) =>
        this.#setHours(hour, Math.max(this.#settings.hours[1], hour + 1)),
    );
    this.#to = this.#createHour(
      "To",
      1,
      (hour) =>
        this.#setHours(Math.min(this.#settings.hours[0], hour - 1), hour),
    );
    this.#measure = createMenu(
      "Show",
      Object.entries(MEASURES).map(([value, text]) => ({ value, text })),
      (value) => events.onChange({ measure: value as Measure }),
    );
    this.element = el(
      "section",
      { class: "panel usage-bar", "aria-label": "Filters" },
      field("Period", framed(this.#period), this.#dates),
      field("Days", this.#days.element),
      field(
        "Hours",
        el(
          "span",
          { class: "usage-hours" },
          framed(this.#from),
          "–",
          framed(this.#to),
        ),
      ),
      field("Show", framed(this.#measure)),
      this.#createExports(),
    );
    this.settings = settings;
  }

  /** Shows the settings. */
  set settings(settings: UsageSettings) {
    this.#settings = settings;
    const { period, days, hours, measure } = settings;
    const isCustom = typeof period !== "number" || !PERIODS.includes(period);
    this.#period.value = isCustom ? CUSTOM : String(period);
    this.#dates.hidden = !isCustom;
    if (isCustom) {
      const { first, last } = typeof period === "number"
        ? this.#events.dates()
        : period;
      this.#first.value = first;
      this.#last.value = last;
    }
    this.#days.chosen = days;
    this.#from.value = String(hours[0]);
    this.#to.value = String(hours[1]);
    this.#measure.value = measure;
  }

  #createDate(label: string): HTMLInputElement {
    const input = el("input", { type: "date", "aria-label": label });
    input.addEventListener("change", () => this.#setDates());
    return input;
  }

  #createHour(
    label: string,
    first: number,
    onChange: (hour: number) => void,
  ): HTMLSelectElement {
    return createMenu(
      label,
      Array.from({ length: DAY_HOURS }, (_, index) => ({
        value: String(first + index),
        text: `${first + index}:00`,
      })),
      (value) => onChange(Number(value)),
    );
  }

  #createExports(): HTMLElement {
    const button = (format: "csv" | "png", title: string) => {
      const element = el(
        "button",
        { type: "button", class: "usage-button", title },
        format.toUpperCase(),
      );
      element.addEventListener("click", () => this.#events.onExport(format));
      return element;
    };
    const exports = field(
      "Export",
      button("csv", "Save the list as CSV"),
      button("png", "Save the map as a picture"),
    );
    exports.classList.add("usage-exports");
    return exports;
  }

  #setPeriod(value: string): void {
    const { onChange, dates } = this.#events;
    onChange({ period: value === CUSTOM ? dates() : Number(value) });
  }

  #setDates(): void {
    const [first, last] = [this.#first.value, this.#last.value];
    const isValid = isDate(first) && isDate(last) && first <= last;
    this.#last.setCustomValidity(
      isValid ? "" : "The last day is before the first",
    );
    this.#last.setAttribute("aria-invalid", String(!isValid));
    if (isValid) this.#events.onChange({ period: { first, last } });
  }

  #toggleDay(day: number): void {
    const { days } = this.#settings;
    const others = days.filter((one) => one !== day);
    const chosen = others.length < days.length
      ? others
      : [...days, day].sort((a, b) => a - b);
    // Without a day there is no time to show.
    if (chosen.length > 0) this.#events.onChange({ days: chosen });
  }

  #setHours(from: number, to: number): void {
    this.#events.onChange({ hours: [from, to] });
  }
}

/** A label with its controls, which have names of their own. */
function field(label: string, ...controls: readonly HTMLElement[]) {
  return el(
    "div",
    { class: "usage-field" },
    el("span", { "aria-hidden": "true" }, label),
    ...controls,
  );
}
