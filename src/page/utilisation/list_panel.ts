/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/**
 * The list of cells or zones, the least used first: the table that says all that
 * the heat map shows.
 *
 * @module
 */

import { el, setText } from "../elements/dom.ts";
import { formatCount } from "../elements/format.ts";
import { css } from "../map/palette.ts";
import { ChoiceGroup } from "./choices.ts";
import {
  type BarColors,
  dayBarsOf,
  describeDayBars,
  drawDayBars,
} from "./day_bars.ts";
import type { ByDay, DayLoader, DayTarget } from "./day_loader.ts";
import type { HeatColors } from "./heat_layer.ts";
import { type Place, placeDetail } from "./places.ts";
import type { SortColumn, Subject, UsageSettings } from "./settings.ts";
import { changesPerDay, MIN_KNOWN } from "./usage.ts";
import {
  formatRate,
  lastUsed,
  percent,
  type UsageDates,
} from "./usage_text.ts";

/** Rows that are shown at first, and more with each click. */
export const PAGE_ROWS = 50;

/** What the list shows. */
export interface ListContent {
  readonly places: readonly Place[];
  /** How many there are. */
  readonly count: number;
  /** A sentence on all of them: `41 below 15%`; may be empty. */
  readonly summary: string;
  readonly cells: number;
  readonly zones: number;
  readonly dates: UsageDates;
  readonly days: DayLoader;
  /** The time that counts on a day, in seconds. */
  readonly daySeconds: number;
  /** The key of the selected place. */
  readonly selected: string | undefined;
  readonly settings: UsageSettings;
  readonly list: Subject;
  readonly targetOf: (place: Place) => DayTarget | undefined;
}

/** Callbacks of {@linkcode ListPanel}. */
export interface ListEvents {
  onSubject(subject: Subject): void;
  onSort(column: SortColumn): void;
  onSelect(place: Place): void;
  onMore(): void;
}

const COLUMNS: readonly (readonly [SortColumn | "days", string])[] = [
  ["name", "Cell"],
  ["occupied", "Occupied"],
  ["days", "By day"],
  ["known", "Known"],
  ["last", "Last used"],
];

const TITLES: Readonly<Record<SortColumn, readonly [string, string]>> = {
  name: ["By name", "By name, backwards"],
  occupied: ["Least used first", "Most used first"],
  changes: ["Fewest changes first", "Most changes first"],
  known: ["Least known first", "Best known first"],
  last: ["Longest unused first", "Last used first"],
};

/** The panel with the list. */
export class ListPanel {
  readonly element: HTMLElement;
  readonly #title = el("h2", { id: "usage-list-title" });
  readonly #subjects: ChoiceGroup<Subject>;
  readonly #body = el("tbody");
  readonly #heads = new Map<SortColumn, HTMLTableCellElement>();
  readonly #note = el("span");
  readonly #more: HTMLButtonElement;
  readonly #events: ListEvents;
  readonly #rows = new Map<Element, Place>();
  readonly #observer: IntersectionObserver;
  #content: ListContent | undefined;
  #colors: HeatColors;

  constructor(colors: HeatColors, events: ListEvents) {
    this.#colors = colors;
    this.#events = events;
    this.#subjects = new ChoiceGroup<Subject>("What to list", [
      { value: "cells", text: "Cells" },
      { value: "zones", text: "Zones" },
    ], (subject) => events.onSubject(subject));
    this.#more = el("button", { type: "button", class: "link" }, "Show more");
    this.#more.addEventListener("click", () => events.onMore());
    const scroll = el(
      "div",
      {
        class: "usage-scroll",
        tabindex: 0,
        role: "group",
        "aria-labelledby": "usage-list-title",
      },
      el(
        "table",
        { class: "usage-list", "aria-labelledby": "usage-list-title" },
        el("thead", {}, el("tr", {}, ...COLUMNS.map((one) => this.#head(one)))),
        this.#body,
      ),
    );
    this.#observer = new IntersectionObserver(
      (entries) => this.#onVisible(entries),
      { rootMargin: "60px" },
    );
    this.element = el(
      "section",
      { class: "panel list-panel", "aria-labelledby": "usage-list-title" },
      el("header", {}, this.#title, this.#subjects.element),
      scroll,
      el("p", { class: "omitted" }, this.#note, " ", this.#more),
    );
  }

  /** Shows other places. */
  show(content: ListContent): void {
    const focused = this.#focusedKey();
    this.#content = content;
    const { settings, list, cells, zones, places, count, summary } = content;
    const { sort, descending, measure } = settings;
    setText(this.#title, TITLES[sort][descending ? 1 : 0]);
    this.#subjects.chosen = [list];
    this.#subjects.setText("cells", `Cells ${formatCount(cells)}`);
    this.#subjects.setText("zones", `Zones ${formatCount(zones)}`);
    const second: SortColumn = measure === "changes" ? "changes" : "occupied";
    for (const [column, head] of this.#heads) {
      const isValue = column === "occupied";
      const shown = isValue ? second : column;
      const button = head.firstElementChild!;
      if (isValue) {
        setText(button, second === "changes" ? "Changes a day" : "Occupied");
      }
      if (column === "name") {
        setText(button, list === "cells" ? "Cell" : "Zone");
      }
      if (shown === sort) {
        head.ariaSort = descending ? "descending" : "ascending";
      } else head.removeAttribute("aria-sort");
    }
    this.#observer.disconnect();
    this.#rows.clear();
    this.#body.replaceChildren(...places.map((place) => this.#row(place)));
    for (const row of this.#rows.keys()) this.#observer.observe(row);
    const shownCount = places.length < count
      ? `${formatCount(places.length)} of ${formatCount(count)}`
      : formatCount(count);
    setText(this.#note, summary ? `${shownCount} · ${summary}` : shownCount);
    this.#more.hidden = places.length >= count;
    if (focused !== undefined) this.#focus(focused);
  }

  /** Scrolls a place into view, if it is in the list. */
  reveal(key: string): void {
    for (const [row, place] of this.#rows) {
      if (place.key === key) row.scrollIntoView({ block: "nearest" });
    }
  }

  set colors(colors: HeatColors) {
    this.#colors = colors;
    if (this.#content) this.show(this.#content);
  }

  close(): void {
    this.#observer.disconnect();
  }

  #head([column, text]: readonly [SortColumn | "days", string]) {
    if (column === "days") {
      return el("th", { scope: "col", class: column }, text);
    }
    const button = el("button", { type: "button" }, text);
    button.addEventListener("click", () => {
      const isChanges = column === "occupied" &&
        this.#content?.settings.measure === "changes";
      this.#events.onSort(isChanges ? "changes" : column);
    });
    const head = el("th", { scope: "col", class: column }, button);
    this.#heads.set(column, head);
    return head;
  }

  #row(place: Place): HTMLTableRowElement {
    const { dates, selected, settings } = this.#content!;
    const { name, zone, use } = place;
    const isSelected = place.key === selected;
    const button = el(
      "button",
      { type: "button", "aria-pressed": String(isSelected) },
      el("b", {}, name),
      zone === undefined ? undefined : el("small", {}, zone),
      place.row === undefined ? el("small", {}, placeDetail(place)) : undefined,
    );
    button.addEventListener("click", () => this.#events.onSelect(place));
    const known = el("td", { class: "known" }, percent(use.knownShare));
    known.classList.toggle("low", use.knownShare < KNOWN_WELL);
    const row = el(
      "tr",
      { class: isSelected ? "selected" : undefined },
      el("th", { scope: "row" }, button),
      settings.measure === "changes"
        ? el("td", { class: "occupied" }, formatRate(changesPerDay(use)))
        : this.#share(place),
      el("td", { class: "days" }),
      known,
      el("td", { class: "last" }, lastUsed(use, dates)),
    );
    row.addEventListener("click", ({ target }) => {
      const isButton = target instanceof Element && target.closest("button");
      if (!isButton) this.#events.onSelect(place);
    });
    this.#rows.set(row, place);
    this.#showDays(row, place);
    return row;
  }

  #share({ use: { share } }: Place): HTMLTableCellElement {
    if (Number.isNaN(share)) {
      return el(
        "td",
        { class: "occupied" },
        el("span", {}, el("i", { class: "hatched" }), el("em", {}, "unknown")),
      );
    }
    const bar = el("i");
    bar.style.width = `${100 * share}%`;
    return el(
      "td",
      { class: "occupied" },
      el("span", {}, el("i", { class: "meter" }, bar), percent(share)),
    );
  }

  #onVisible(entries: readonly IntersectionObserverEntry[]): void {
    const { days, targetOf } = this.#content!;
    for (const { target: row, isIntersecting } of entries) {
      const place = this.#rows.get(row);
      const target = place && targetOf(place);
      if (!place || !target || days.get(target) !== undefined) continue;
      if (!isIntersecting) days.cancel(target);
      else days.load(target, () => this.#showDays(row, place));
    }
  }

  /** Shows the days of a place, if they are loaded. */
  #showDays(row: Element, place: Place): void {
    if (this.#rows.get(row) !== place) return;
    const { days, targetOf } = this.#content!;
    const cell = row.querySelector(".days")!;
    const target = targetOf(place);
    const result = target && days.get(target);
    if (result === "too-large") {
      cell.replaceChildren(
        el("em", { title: "Only for zones with few cells" }, "too large"),
      );
    } else if (result !== undefined) cell.replaceChildren(this.#bars(result));
  }

  #bars(byDay: ByDay): HTMLElement {
    const { dates, daySeconds } = this.#content!;
    const bars = dayBarsOf(byDay, daySeconds);
    const text = describeDayBars(bars, dates);
    const canvas = drawDayBars(bars, this.#barColors());
    return el(
      "span",
      { role: "img", "aria-label": text, title: text },
      canvas,
    );
  }

  #barColors(): BarColors {
    const { steps, hatch } = this.#colors;
    return {
      bar: css(steps[BAR_STEP]!),
      line: css(hatch[0], 0.7),
      hatch: css(hatch[0]),
    };
  }

  #focusedKey(): string | undefined {
    const row = document.activeElement?.closest("tr");
    return row ? this.#rows.get(row)?.key : undefined;
  }

  #focus(key: string): void {
    for (const [row, place] of this.#rows) {
      if (place.key === key) row.querySelector("button")!.focus();
    }
  }
}

/** The step of the scale that has the colour of the bars. */
const BAR_STEP = 55;
/** A place that is known for a smaller share is marked. */
const KNOWN_WELL = (1 + MIN_KNOWN) / 2;
