/// <reference lib="dom" />
/**
 * The table of the sources of readings.
 *
 * @module
 */

import { printable } from "../../common/printable.ts";
import type { SourceList, SourceState } from "../../protocol/sources.ts";
import { byId, el, setText } from "../elements/dom.ts";
import {
  formatAge,
  formatCount,
  formatDate,
  formatShortCount,
} from "../elements/format.ts";
import { ICONS } from "../elements/icons.ts";

/** Shows sources, one in each row. Rows are used again for other sources. */
export class SourcesTable {
  readonly #table = byId("table", "sources");
  readonly #body = this.#table.tBodies[0]!;
  readonly #rows: Row[] = [];
  #sources: readonly SourceState[] = [];

  /** Shows a list in its order. */
  show({ sources, silentAfter }: SourceList): void {
    this.#sources = sources;
    this.#table.hidden = sources.length === 0;
    this.#table.classList.toggle("stateless", silentAfter === undefined);
    while (this.#rows.length < sources.length) this.#rows.push(createRow());
    if (this.#body.rows.length !== sources.length) {
      const rows = this.#rows.slice(0, sources.length);
      this.#body.replaceChildren(...rows.map(({ item }) => item));
    }
    sources.forEach((source, index) => this.#rows[index]!.set(source));
  }

  /** @param time the server's clock, ms since 1970 */
  showAges(time: number): void {
    this.#sources.forEach(({ last }, index) =>
      this.#rows[index]!.setAge(time - last)
    );
  }
}

interface Row {
  readonly item: HTMLTableRowElement;
  set(source: SourceState): void;
  /** @param ms since the last reading */
  setAge(ms: number): void;
}

function createRow(): Row {
  const name = el("th", { scope: "row" });
  const stateText = el("span");
  const state = el(
    "td",
    { class: "state" },
    ICONS.warning(),
    el("span", { class: "dot", "aria-hidden": "true" }),
    stateText,
  );
  const when = el("time");
  const rate = el("td", { class: "number" });
  const refused = el("span");
  const reason = el("small");
  const item = el(
    "tr",
    {},
    name,
    state,
    el("td", {}, when),
    rate,
    el("td", { class: "number refused" }, refused, " ", reason),
  );
  return {
    item,
    set({ source, silent, first, last, readings, rate: perSecond, ...rest }) {
      const { lastRefused } = rest;
      setText(name, printable(source));
      item.classList.toggle("silent", silent);
      setText(stateText, silent ? "Silent" : "Reporting");
      when.dateTime = new Date(last).toISOString();
      when.title = formatDate(last);
      item.title = `${formatCount(readings)} accepted since ${
        formatDate(first)
      }`;
      setText(rate, formatRate(perSecond));
      setText(refused, formatShortCount(rest.refused));
      setText(reason, printable(lastRefused?.code ?? ""));
      reason.hidden = lastRefused === undefined;
      reason.title = lastRefused === undefined
        ? ""
        : `The last one: ${formatDate(lastRefused.time)}`;
    },
    setAge: (ms) => setText(when, formatAge(ms)),
  };
}

/** Formats readings per second: `31.4`, `<0.1`. */
export function formatRate(perSecond: number): string {
  if (perSecond > 0 && perSecond < 0.05) return `<${formatCount(0.1)}`;
  return formatShortCount(Math.round(perSecond * 10) / 10);
}
