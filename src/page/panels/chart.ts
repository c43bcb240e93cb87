/// <reference lib="dom" />
/**
 * The last 30 minutes: people and occupied cells.
 *
 * @module
 */

import uPlot from "uplot";
import { byId, el, setText } from "../elements/dom.ts";
import { clock, count, shortCount } from "../elements/format.ts";
import { History, WINDOW } from "./history.ts";

const HEIGHT = 112;

/** The chart, drawn again at most once a second. */
export class Chart {
  readonly #box = byId("div", "chart");
  readonly #people = el("b");
  readonly #occupied = el("b");
  readonly #time = el("time");
  #plot: uPlot | undefined;
  #history = new History();

  constructor() {
    byId("div", "chart-legend").append(
      el("span", { class: "occupied" }, "occupied cells ", this.#occupied),
      el("span", { class: "people" }, "people ", this.#people),
      this.#time,
    );
    new ResizeObserver(() => {
      this.#plot?.setSize({ width: this.#box.clientWidth, height: HEIGHT });
    }).observe(this.#box);
  }

  /** Shows a history; the same one again when it has grown. @param now The server's clock, ms */
  show(history: History, now: number): void {
    this.#history = history;
    if (history.length < 2) {
      this.#plot?.destroy();
      this.#plot = undefined;
      this.#box.replaceChildren(
        el("p", {}, "The first points come within seconds"),
      );
      this.#describe(null);
      return;
    }
    if (this.#plot === undefined) {
      this.#box.replaceChildren();
      this.#plot = new uPlot(this.#options(), history.columns(), this.#box);
    } else this.#plot.setData(history.columns(), false);
    this.#plot.setScale("x", { min: (now - WINDOW) / 1000, max: now / 1000 });
    this.#describe(null);
  }

  /** Draws again in the colours that hold now. */
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

  /** @param index The point that is pointed at; null for the last */
  #describe(index: number | null): void {
    const point = this.#history.at(index ?? this.#history.length - 1);
    setText(this.#occupied, point ? count(point.occupied) : "–");
    setText(this.#people, point ? count(point.people) : "–");
    setText(this.#time, point ? clock(point.time) : "");
    this.#box.setAttribute(
      "aria-label",
      "People and occupied cells in the last 30 minutes" +
        (point
          ? `: ${count(point.people)} people, ${
            count(point.occupied)
          } occupied cells`
          : ""),
    );
  }

  #options(): uPlot.Options {
    const styles = getComputedStyle(document.documentElement);
    // A canvas does not know light-dark(): the colour is asked of an element.
    const probe = el("i", { hidden: true });
    document.body.append(probe);
    const color = (name: string): string => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const [people, occupied, line, muted] = [
      color("people"),
      color("occupied"),
      color("line"),
      color("muted"),
    ];
    probe.remove();
    const font = `11.5px ${styles.getPropertyValue("--font")}`;
    const axis: uPlot.Axis = {
      stroke: muted,
      font,
      grid: { stroke: line, width: 1 },
      ticks: { show: false },
    };
    return {
      width: this.#box.clientWidth,
      height: HEIGHT,
      padding: [6, 8, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 7 },
      },
      scales: { x: { auto: false }, y: { range: rangeOf } },
      axes: [
        { ...axis, size: 22, values: (_, at) => at.map(minutes) },
        {
          ...axis,
          size: 48,
          space: 26,
          values: (_, at) => at.map((one) => shortCount(one)),
          incrs: STEPS,
        },
      ],
      series: [
        {},
        { stroke: people, width: 2, points: { show: false } },
        {
          stroke: occupied,
          width: 2,
          fill: faint(occupied),
          points: { show: false },
        },
      ],
      hooks: {
        setCursor: [(plot) => this.#describe(plot.cursor.idx ?? null)],
      },
    };
  }
}

/** Whole numbers only: there are no half people. */
const STEPS = Array.from(
  { length: 13 },
  (_, power) => [1, 2, 5].map((one) => one * 10 ** power),
).flat();

/** From zero unless that would hide all there is to see. */
function rangeOf(_: uPlot, min: number, max: number): [number, number] {
  const spread = Math.max(1, max - min);
  const bottom = min < 4 * spread ? 0 : Math.max(0, min - spread / 2);
  return [bottom, max + Math.max(1, 0.1 * (max - bottom))];
}

function minutes(seconds: number): string {
  return clock(1000 * seconds).slice(0, 5);
}

function faint(color: string): string {
  return color.replace(/^rgb\((.*)\)$/, "rgb($1 / 0.13)").replaceAll(",", "");
}
