/// <reference lib="dom" />
/**
 * The panel of a zone in the past: its count at the time of the map, and its day
 * or week.
 *
 * @module
 */

import { messageOf } from "../../common/errors.ts";
import type { Series } from "../../history/answers.ts";
import { nounOf, type Unit } from "../../protocol/display.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import { el, setText } from "../elements/dom.ts";
import { formatCount, formatShare } from "../elements/format.ts";
import { ICONS } from "../elements/icons.ts";
import { fetchSeries, zoneSeriesPath } from "../feed/history_requests.ts";
import { describeCount, zoneTitle } from "../zones/zone_text.ts";
import { readChartColors } from "./chart_colors.ts";
import type { ChartRange } from "./history_parts.ts";
import type { SiteTime } from "./site_time.ts";
import { ZonePlot } from "./zone_plot.ts";

const MINUTE_MS = 60_000;

/** What the panel shows. */
export interface ZoneChartView {
  readonly name: string;
  readonly range: ChartRange;
  /** Numbers of the day of the map, and of the day to compare with. */
  readonly day: number;
  readonly compare: number | undefined;
}

/** Callbacks of {@linkcode ZoneChart}. */
export interface ZoneChartEvents {
  onClose(): void;
  onRange(range: ChartRange): void;
  /** Returns the end of what can be known, ms since 1970. */
  end(): number;
}

/** The panel. */
export class ZoneChart {
  readonly element: HTMLElement;
  readonly #site: SiteTime;
  readonly #events: ZoneChartEvents;
  readonly #title = el("h2", { id: "zone-chart-title" });
  readonly #count = el("p", { class: "zone-then" });
  readonly #box = el("div", { class: "chart zone-plot", role: "img" });
  readonly #note = el("p", { class: "omitted", role: "status" });
  readonly #buttons: Readonly<Record<ChartRange, HTMLButtonElement>>;
  readonly #plot: ZonePlot;
  #view: ZoneChartView | undefined;
  #series: Series | undefined;
  #other: Series | undefined;
  #unit: Unit | undefined;
  #abort = new AbortController();
  #key = "";

  constructor(site: SiteTime, events: ZoneChartEvents) {
    this.#site = site;
    this.#events = events;
    const button = (range: ChartRange, text: string) => {
      const one = el("button", { type: "button", class: "filter" }, text);
      one.addEventListener("click", () => events.onRange(range));
      return one;
    };
    this.#buttons = { day: button("day", "Day"), week: button("week", "Week") };
    const close = el(
      "button",
      { type: "button", class: "quiet", "aria-label": "Close" },
      ICONS.close(),
    );
    close.addEventListener("click", () => events.onClose());
    this.element = el(
      "section",
      { class: "panel zone-chart", "aria-labelledby": "zone-chart-title" },
      el("header", {}, this.#title, this.#buttons.day, this.#buttons.week),
      this.#count,
      this.#box,
      this.#note,
    );
    this.element.querySelector("header")!.append(close);
    this.#plot = new ZonePlot(this.#box, (index) => this.#describe(index));
  }

  /** Returns the address of the counts that are shown, as CSV. */
  get csv(): string | undefined {
    return this.#view && zoneSeriesPath(
      this.#view.name,
      this.#query(this.#view, this.#view.day),
      "csv",
    );
  }

  /** Shows a zone; undefined: none. */
  show(view: ZoneChartView | undefined): void {
    this.element.hidden = view === undefined;
    const key = JSON.stringify(view);
    if (key === this.#key) return;
    const isOther = view?.name !== this.#view?.name;
    this.#key = key;
    this.#view = view;
    this.#abort.abort();
    if (view === undefined) return;
    for (const range of ["day", "week"] as const) {
      const isPressed = range === view.range;
      this.#buttons[range].setAttribute("aria-pressed", String(isPressed));
    }
    if (isOther) {
      this.#series = this.#other = undefined;
      this.#draw();
      setText(this.#note, "Loading…");
    }
    void this.#load(view);
  }

  /** Shows the state of the zone at the time of the map. */
  showState(
    state: ZoneState | undefined,
    unit: Unit | undefined,
    clock: string,
    time: number,
  ): void {
    this.#unit = unit;
    const title = state === undefined
      ? this.#view?.name ?? ""
      : zoneTitle(state);
    setText(this.#title, title);
    setText(this.#count, `${describeCount(state, unit)} at ${clock}`);
    this.#plot.time = Math.floor(time / MINUTE_MS) * MINUTE_MS;
  }

  /** Draws in the present colours. */
  recolor(): void {
    this.#draw();
  }

  /** Ends requests and drawing. */
  close(): void {
    this.#abort.abort();
    this.#plot.close();
  }

  #query({ range }: ZoneChartView, day: number) {
    const site = this.#site;
    const first = range === "day" ? day : site.mondayOf(day);
    const last = range === "day" ? day : first + 6;
    return {
      from: site.day(first).from,
      to: site.day(last).to,
      step: range === "day" ? "15m" : "1h",
      timezone: site.timezone,
    } as const;
  }

  async #load(view: ZoneChartView): Promise<void> {
    const abort = this.#abort = new AbortController();
    const get = (day: number) =>
      fetchSeries(
        zoneSeriesPath(view.name, this.#query(view, day)),
        abort.signal,
      );
    try {
      const [series, other] = await Promise.all([
        get(view.day),
        view.compare === undefined ? undefined : get(view.compare),
      ]);
      if (abort.signal.aborted) return;
      // What is after the present is cut off: the plot has the whole range.
      const { from, to } = this.#query(view, view.day);
      this.#series = { ...series, from, to };
      this.#other = other;
      this.#draw();
      this.#describe(null);
    } catch (error) {
      if (abort.signal.aborted) return;
      this.#series = this.#other = undefined;
      this.#draw();
      setText(this.#note, messageOf(error));
    }
  }

  #draw(): void {
    const series = this.#series;
    this.#plot.show(
      series && {
        series,
        other: this.#other,
        site: this.#site,
        isWeek: this.#view?.range === "week",
        end: this.#events.end(),
      },
      readChartColors(),
    );
  }

  /** @param index of the step under the pointer; null: all steps */
  #describe(index: number | null): void {
    const series = this.#series;
    if (series === undefined) return;
    const site = this.#site;
    const { start, mean, least, most, known, occupied } = series;
    if (index !== null && index < start.length) {
      const from = start[index]!;
      const to = start[index + 1] ?? series.to;
      const isWeek = this.#view?.range === "week";
      const day = isWeek ? `${site.formatShortDay(from)}, ` : "";
      const when = `${day}${site.formatMinute(from)}–${site.formatMinute(to)}`;
      const average = mean[index] ?? null;
      const share = known[index] ?? 0;
      setText(
        this.#note,
        average === null
          ? `${when}: no data`
          : `${when}: ${formatCount(average)} on average (${
            formatCount(least[index] ?? average)
          }–${formatCount(most[index] ?? average)})${
            share < 0.995 ? `, ${formatShare(share, 1)} of the time known` : ""
          }`,
      );
      return;
    }
    let highest = -1;
    most.forEach((count, at) => {
      if (count !== null && count > (most[highest] ?? -1)) highest = at;
    });
    const busy = occupied.filter((share) => share !== null);
    const share = busy.reduce((sum, one) => sum + one, 0) / busy.length;
    const text = highest < 0
      ? "No data"
      : `most ${formatCount(most[highest]!)} ${
        nounOf(most[highest]!, this.#unit)
      } about ${site.formatShortDay(start[highest]!)}, ${
        site.formatMinute(start[highest]!)
      } · occupied ${formatShare(share, 1)} of the known time`;
    setText(this.#note, text);
    const range = this.#view?.range === "week" ? "week" : "day";
    this.#box.setAttribute("aria-label", `Counts of the ${range}: ${text}`);
  }
}
