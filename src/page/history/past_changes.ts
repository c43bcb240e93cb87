/// <reference lib="dom" />
/**
 * The list of the changes up to the time of the map, the newest first.
 *
 * @module
 */

import type { Unit } from "../../protocol/display.ts";
import { el, setText } from "../elements/dom.ts";
import { describeCell } from "../elements/format.ts";
import { RovingFocus } from "../elements/roving_focus.ts";
import type { Point } from "../map/regions.ts";
import type { PastHour } from "./past_hour.ts";

const MAX_ROWS = 30;

/** Where the map is in the past. */
export interface PastMoment {
  /** Undefined: nothing is known of the time. */
  readonly hour: PastHour | undefined;
  /** How many changes of the hour have been. */
  readonly applied: number;
  /** The hour before, if it is loaded. */
  readonly before: PastHour | undefined;
}

/** What the list needs to write a change. */
export interface ChangeTexts {
  readonly unit: Unit | undefined;
  /** `10:00:00` */
  readonly clock: string;
  clockOf(ms: number): string;
}

interface Row {
  readonly item: HTMLLIElement;
  readonly time: HTMLElement;
  readonly state: HTMLElement;
  readonly place: HTMLElement;
  cell: Point;
}

/** The list. */
export class PastChangesList {
  readonly element: HTMLElement;
  readonly #when = el("small");
  readonly #list = el("ol", { class: "latest past-changes" });
  readonly #rows: Row[] = [];
  readonly #focus = new RovingFocus(this.#list);
  readonly #goTo: (cell: Point) => void;
  #key = "";

  /** @param goTo called with the cell of a clicked row */
  constructor(goTo: (cell: Point) => void) {
    this.#goTo = goTo;
    this.element = el(
      "section",
      { class: "panel latest-panel", "aria-labelledby": "past-changes" },
      el("h2", { id: "past-changes" }, "Changes ", this.#when),
      this.#list,
    );
  }

  /** Shows the changes up to a moment. */
  show({ hour, applied, before }: PastMoment, texts: ChangeTexts): void {
    setText(this.#when, `up to ${texts.clock}`);
    const key = `${hour?.from} ${applied} ${before?.from} ${hour?.to}`;
    if (key === this.#key) return;
    this.#key = key;
    const found: (readonly [hour: PastHour, index: number])[] = [];
    for (let i = applied - 1; hour && i >= 0 && found.length < MAX_ROWS; i--) {
      found.push([hour, i]);
    }
    const rest = before?.length ?? 0;
    for (let i = rest - 1; i >= 0 && found.length < MAX_ROWS; i--) {
      found.push([before!, i]);
    }
    while (this.#rows.length < found.length) this.#rows.push(this.#addRow());
    found.forEach(([{ changes }, index], at) => {
      const row = this.#rows[at]!;
      const { title, detail } = describeCell(
        changes.value[index]!,
        changes.stale[index] === 1,
        texts.unit,
      );
      row.cell = { x: changes.x[index]!, y: changes.y[index]! };
      setText(row.time, texts.clockOf(changes.since[index] ?? NaN));
      setText(row.state, detail ? `${title} · ${detail}` : title);
      setText(row.place, `${row.cell.x}, ${row.cell.y}`);
    });
    if (this.#list.childElementCount === found.length && found.length > 0) {
      return;
    }
    this.#list.replaceChildren(
      ...(found.length === 0
        ? [el(
          "li",
          { class: "none" },
          hour ? "No changes in this hour" : "No data",
        )]
        : this.#rows.slice(0, found.length).map(({ item }) => item)),
    );
    this.#focus.update();
  }

  #addRow(): Row {
    const time = el("time");
    const state = el("span", { class: "state" });
    const place = el("span");
    const button = el("button", { type: "button" }, time, state, place);
    const row: Row = {
      item: el("li", {}, button),
      ...{ time, state, place, cell: { x: 0, y: 0 } },
    };
    button.addEventListener("click", () => this.#goTo(row.cell));
    return row;
  }
}
