/// <reference lib="dom" />
/**
 * The chart of people and occupied cells over the last 30 minutes.
 *
 * @module
 */

import uPlot from "uplot";
import { nounOf, type Unit } from "../../protocol/display.ts";
import { byId, capitalized, el, setText } from "../elements/dom.ts";
import {
  formatCount,
  formatMinute,
  formatShortCount,
  formatTime,
} from "../elements/format.ts";
import { COUNT_STEPS, rangeOf, TIME_STEPS_S } from "./chart_axes.ts";
import { HISTORY_MS, LayerHistory } from "./history.ts";

const HEIGHT_PX = 112;
/** uPlot scales the font for the screen, and reads only whole pixels. */
const FONT_PX = 12;
/**
 * The lines are equal where each occupied cell has one person: the upper one is
 * narrower, so that both are visible.
 */
const LINE_PX = 1.5;
const WIDE_LINE_PX = 4;
/** The index of the series of what the values count. */
const PEOPLE_SERIES = 2;

/** The chart and its legend. */
export class Chart {
  readonly #box = byId("div", "chart");
  readonly #people = el("b");
  readonly #peopleName = el("bdi");
  readonly #peopleLegend = el(
    "span",
    { class: "people" },
    this.#peopleName,
    " ",
    this.#people,
  );
  readonly #occupied = el("b");
  readonly #time = el("time");
  #unit: Unit | undefined;
  #plot: uPlot | undefined;
  #history = new LayerHistory();

  constructor() {
    byId("div", "chart-legend").append(
      el("span", { class: "occupied" }, "occupied cells ", this.#occupied),
      this.#peopleLegend,
      this.#time,
    );
    new ResizeObserver(() => {
      const { clientWidth: width } = this.#box;
      // The chart may be hidden.
      if (width > 0) this.#plot?.setSize({ width, height: HEIGHT_PX });
    }).observe(this.#box);
  }

  /**
   * Shows a history. Call it again when the history has a new point.
   *
   * @param now the server's clock, ms since 1970
   */
  show(history: LayerHistory, now: number): void {
    this.#history = history;
    if (history.length < 2) {
      this.#plot?.destroy();
      this.#plot = undefined;
      this.#box.replaceChildren(el("p", {}, "Collecting data…"));
      this.#describePoint(null);
      return;
    }
    if (this.#plot === undefined) {
      this.#box.replaceChildren();
      this.#plot = new uPlot(this.#options(), history.columns(), this.#box);
    } else this.#plot.setData(history.columns(), false);
    this.#plot.setScale("x", {
      min: (now - HISTORY_MS) / 1000,
      max: now / 1000,
    });
    this.#describePoint(null);
  }

  /** Sets what the values count; undefined if they are only 0 and 1. */
  setUnit(unit: Unit | undefined): void {
    this.#unit = unit;
    this.#peopleLegend.hidden = unit === undefined;
    setText(this.#peopleName, nounOf(0, unit));
    const series = this.#plot?.series[PEOPLE_SERIES];
    if (series && series.show !== (unit !== undefined)) {
      this.#plot!.setSeries(PEOPLE_SERIES, { show: unit !== undefined });
    }
  }

  /** Draws the chart again in the current colours. */
  recolor(): void {
    if (this.#plot === undefined) return;
    const { min, max } = this.#plot.scales["x"]!;
    this.#plot.destroy();
    this.#plot = new uPlot(
      this.#options(),
      this.#history.columns(),
      this.#box,
    );
    this.#plot.setScale("x", { min: min!, max: max! });
  }

  /** @param index of the point under the pointer; null for the last point */
  #describePoint(index: number | null): void {
    const point = this.#history.at(index ?? this.#history.length - 1);
    const people = point ? formatCount(point.people) : "–";
    const occupied = point ? formatCount(point.occupied) : "–";
    setText(this.#occupied, occupied);
    setText(this.#people, people);
    setText(this.#time, point ? formatTime(point.time) : "");
    const units = this.#unit && nounOf(0, this.#unit);
    const title = units === undefined
      ? "Occupied cells in the last 30 minutes"
      : `${capitalized(units)} and occupied cells in the last 30 minutes`;
    const counts = units === undefined ? "" : `${people} ${units}, `;
    this.#box.setAttribute(
      "aria-label",
      point ? `${title}: ${counts}${occupied} occupied cells` : title,
    );
  }

  #options(): uPlot.Options {
    const { people, occupied, line, muted, font } = readStyle();
    const axis: uPlot.Axis = {
      stroke: muted,
      font,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
    };
    return {
      width: this.#box.clientWidth,
      height: HEIGHT_PX,
      padding: [6, 8, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 7 },
      },
      scales: {
        x: { auto: false },
        y: { range: (_, _min, max) => rangeOf(max) },
      },
      axes: [
        {
          ...axis,
          size: 22,
          space: 90,
          values: (_, ticks) => ticks.map((tick) => formatMinute(1000 * tick)),
          incrs: [...TIME_STEPS_S],
        },
        {
          ...axis,
          size: 48,
          space: 26,
          values: (_, ticks) => ticks.map((tick) => formatShortCount(tick)),
          incrs: [...COUNT_STEPS],
        },
      ],
      series: [
        {},
        {
          stroke: occupied,
          width: WIDE_LINE_PX,
          fill: translucent(occupied),
          points: { show: false },
        },
        {
          stroke: people,
          width: LINE_PX,
          points: { show: false },
          show: this.#unit !== undefined,
        },
      ],
      hooks: {
        setCursor: [(plot) => this.#describePoint(plot.cursor.idx ?? null)],
      },
    };
  }
}

/** Reads colours and font from the style sheet. */
function readStyle() {
  const styles = getComputedStyle(document.documentElement);
  // A canvas cannot parse light-dark(), so an element resolves the colours.
  const probe = el("i", { hidden: true });
  document.body.append(probe);
  const color = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const style = {
    people: color("people"),
    occupied: color("occupied"),
    line: color("line"),
    muted: color("muted"),
    font: `${FONT_PX}px ${styles.getPropertyValue("--font")}`,
  };
  probe.remove();
  return style;
}

/** @param color as the browser computes it: `rgb(217, 95, 14)` */
function translucent(color: string): string {
  return color.replace(/^rgb\((.*)\)$/, "rgb($1 / 0.13)").replaceAll(",", "");
}
