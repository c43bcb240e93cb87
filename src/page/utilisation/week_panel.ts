/// <reference lib="dom" />
/**
 * The panel that shows when it is busy: a table of the week, hour by hour.
 *
 * @module
 */

import { el } from "../elements/dom.ts";
import { css, type Rgb, textColorOn } from "../map/palette.ts";
import { heatStepOf } from "./heat_colors.ts";
import type { UtilisationAnswer } from "../../history/answers.ts";
import { DAY_NAMES, LONG_DAY_NAMES, percent } from "./usage_text.ts";
import { describeWeek, type WeekHour, weekOf } from "./week.ts";

/** With more hours there is no room for numbers. */
const MAX_NUMBERED_HOURS = 13;
/** With more hours only every third has its name. */
const MAX_NAMED_HOURS = 14;

/** The panel. */
export class WeekPanel {
  readonly element: HTMLElement;
  readonly #table = el("table", { class: "week" });
  readonly #note = el("span");
  readonly #about = el("small", {});
  #answer: UtilisationAnswer | undefined;
  #colors: readonly Rgb[];

  constructor(colors: readonly Rgb[]) {
    this.#colors = colors;
    this.element = el(
      "section",
      { class: "panel week-panel", "aria-labelledby": "week-title" },
      el("h2", { id: "week-title" }, "When is it busy?", " ", this.#about),
      this.#table,
      el(
        "p",
        { class: "omitted" },
        this.#note,
        el(
          "span",
          { class: "week-key" },
          el("i", { class: "hatched" }),
          "too little known",
        ),
      ),
    );
  }

  /** @param about what it is of: `all cells`, or the name of a zone */
  show(answer: UtilisationAnswer, about: string): void {
    this.#answer = answer;
    this.#about.textContent = `share of known time, ${about}, %`;
    this.#draw();
  }

  set colors(colors: readonly Rgb[]) {
    this.#colors = colors;
    this.#draw();
  }

  #draw(): void {
    if (this.#answer === undefined) return;
    const rows = weekOf(this.#answer);
    const [first, end] = this.#answer.hours;
    const count = end - first;
    const isNumbered = count <= MAX_NUMBERED_HOURS;
    this.#table.classList.toggle("dense", !isNumbered);
    const isNamed = (index: number) =>
      count <= MAX_NAMED_HOURS || index % 3 === 0;
    this.#table.replaceChildren(
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          el("td"),
          ...Array.from({ length: count }, (_, index) =>
            el(
              "th",
              { scope: "col", "aria-label": `${first + index}:00` },
              isNamed(index) ? String(first + index) : "",
            )),
        ),
      ),
      el("tbody", {}, ...rows.map((row) => this.#createRow(row, isNumbered))),
    );
    const text = describeWeek(rows);
    this.#note.textContent = text === "" ? "" : `${text} · `;
  }

  #createRow(row: readonly WeekHour[], isNumbered: boolean) {
    const day = row[0]?.day ?? 0;
    return el(
      "tr",
      {},
      el(
        "th",
        { scope: "row", "aria-label": LONG_DAY_NAMES[day]! },
        DAY_NAMES[day]!,
      ),
      ...row.map((hour) => this.#createCell(hour, isNumbered)),
    );
  }

  #createCell({ day, hour, share, known }: WeekHour, isNumbered: boolean) {
    const isUnknown = Number.isNaN(share);
    const number = isUnknown ? "–" : String(Math.round(100 * share));
    const place = `${DAY_NAMES[day]} ${hour}–${hour + 1}`;
    const cell = el(
      "td",
      {
        class: isUnknown ? "hatched" : undefined,
        title: isUnknown
          ? `${place}: known ${percent(known)} of the time`
          : `${place}: ${percent(share)}, known ${percent(known)}`,
      },
      el("span", { class: isNumbered ? undefined : "hidden" }, number),
    );
    if (!isUnknown) {
      const color = this.#colors[heatStepOf(share)]!;
      cell.style.backgroundColor = css(color);
      cell.style.color = css(textColorOn(color));
    }
    return cell;
  }
}
