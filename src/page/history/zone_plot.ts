/// <reference lib="dom" />
/**
 * The plot of the counts of a zone, with its capacity, and hatched where nothing
 * is known.
 *
 * @module
 */

import uPlot from "uplot";
import type { GapMs, Series } from "../../history/answers.ts";
import { formatShortCount } from "../elements/format.ts";
import { COUNT_STEPS, rangeOf } from "../panels/chart_axes.ts";
import { type ChartColors, hatch } from "./chart_colors.ts";
import type { SiteTime } from "./site_time.ts";

const HEIGHT_PX = 150;
const FONT_PX = 11;
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;
const TIME_STEPS_S = [3 * HOUR_S, 6 * HOUR_S, 12 * HOUR_S, DAY_S];

/** What the plot shows. */
export interface ZonePlotData {
  readonly series: Series;
  /** Of the other day or week. */
  readonly other: Series | undefined;
  readonly site: SiteTime;
  /** Whether it is a week. */
  readonly isWeek: boolean;
  /** The end of what can be known, ms since 1970. */
  readonly end: number;
}

/** The plot. */
export class ZonePlot {
  readonly element: HTMLElement;
  readonly #onPoint: (index: number | null) => void;
  readonly #observer: ResizeObserver;
  #plot: uPlot | undefined;
  #time = 0;

  /** @param onPoint called with the step under the pointer; null: none */
  constructor(element: HTMLElement, onPoint: (index: number | null) => void) {
    this.element = element;
    this.#onPoint = onPoint;
    this.#observer = new ResizeObserver(() => {
      const { clientWidth: width } = element;
      if (width > 0) this.#plot?.setSize({ width, height: HEIGHT_PX });
    });
    this.#observer.observe(element);
  }

  /** Shows counts; undefined: none. */
  show(data: ZonePlotData | undefined, colors: ChartColors): void {
    this.#plot?.destroy();
    this.#plot = undefined;
    if (data === undefined || this.element.clientWidth === 0) return;
    this.#plot = new uPlot(
      this.#options(data, colors),
      columnsOf(data),
      this.element,
    );
  }

  /** Marks the time of the map. */
  set time(ms: number) {
    if (ms === this.#time) return;
    this.#time = ms;
    this.#plot?.redraw(false);
  }

  /** Removes the plot. */
  close(): void {
    this.#observer.disconnect();
    this.#plot?.destroy();
  }

  #options(data: ZonePlotData, colors: ChartColors): uPlot.Options {
    const { series, site, isWeek } = data;
    const { capacity } = series;
    const axis: uPlot.Axis = {
      stroke: colors.of("muted"),
      font: `${FONT_PX}px ${colors.font}`,
      grid: { stroke: colors.of("line"), width: 1 },
      ticks: { show: false },
    };
    const paths = uPlot.paths.stepped!({ align: 1 });
    const none = { points: { show: false }, paths };
    return {
      width: this.element.clientWidth,
      height: HEIGHT_PX,
      padding: [8, 10, 0, 0],
      legend: { show: false },
      tzDate: (seconds) =>
        uPlot.tzDate(new Date(1000 * seconds), site.timezone),
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 6 },
      },
      scales: {
        x: { auto: false, range: [series.from / 1000, series.to / 1000] },
        y: {
          range: (_, _min, max) => rangeOf(Math.max(max ?? 0, capacity ?? 0)),
        },
      },
      axes: [
        {
          ...axis,
          size: 20,
          space: isWeek ? 30 : 62,
          incrs: TIME_STEPS_S,
          values: (_, ticks) =>
            ticks.map((tick) =>
              isWeek
                ? site.formatShortDay(1000 * tick).slice(0, 3)
                : site.formatMinute(1000 * tick)
            ),
        },
        {
          ...axis,
          size: 38,
          space: 28,
          incrs: [...COUNT_STEPS],
          values: (_, ticks) => ticks.map((tick) => formatShortCount(tick)),
        },
      ],
      bands: [{ series: [3, 2], fill: colors.of("occupied", 0.16) }],
      series: [
        {},
        { ...none, stroke: colors.of("occupied"), width: 1.8 },
        { ...none, width: 0 },
        { ...none, width: 0 },
        { ...none, stroke: colors.of("people"), width: 1.4, dash: [4, 3] },
      ],
      hooks: {
        drawClear: [(plot) => this.#drawGaps(plot, data, colors)],
        draw: [(plot) => this.#drawLines(plot, capacity, colors)],
        setCursor: [(plot) => this.#onPoint(plot.cursor.idx ?? null)],
      },
    };
  }

  #drawGaps(
    plot: uPlot,
    { series, end }: ZonePlotData,
    colors: ChartColors,
  ): void {
    for (const [from, to] of unknownTimes(series, end)) {
      const left = plot.valToPos(from / 1000, "x", true);
      const right = plot.valToPos(to / 1000, "x", true);
      const { top, height } = plot.bbox;
      const width = Math.max(2 * uPlot.pxRatio, right - left);
      hatch(plot.ctx, [left, top, width, height], colors, uPlot.pxRatio);
    }
  }

  #drawLines(
    plot: uPlot,
    capacity: number | undefined,
    colors: ChartColors,
  ): void {
    const { ctx, bbox } = plot;
    const ratio = uPlot.pxRatio;
    ctx.save();
    ctx.lineWidth = 1.2 * ratio;
    if (capacity !== undefined) {
      const y = Math.round(plot.valToPos(capacity, "y", true));
      ctx.strokeStyle = ctx.fillStyle = colors.of("text");
      ctx.setLineDash([5 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(bbox.left, y);
      ctx.lineTo(bbox.left + bbox.width, y);
      ctx.stroke();
      ctx.font = `${FONT_PX * ratio}px ${colors.font}`;
      ctx.textAlign = "right";
      ctx.fillText(
        `capacity ${formatShortCount(capacity)}`,
        bbox.left + bbox.width - 4 * ratio,
        y + 12 * ratio,
      );
    }
    const x = Math.round(plot.valToPos(this.#time / 1000, "x", true));
    if (x >= bbox.left && x <= bbox.left + bbox.width) {
      ctx.setLineDash([]);
      ctx.lineWidth = 2 * ratio;
      ctx.strokeStyle = colors.of("amber-line");
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }
}

/**
 * Returns when nothing is known: gaps, and steps of the past without a count.
 */
export function unknownTimes(series: Series, end: number): readonly GapMs[] {
  const { start, mean, gaps, damaged = [] } = series;
  const steps = start.flatMap((from, index): GapMs[] => {
    const to = Math.min(start[index + 1] ?? series.to, end);
    return mean[index] === null && from < to ? [[from, to]] : [];
  });
  return [...gaps, ...damaged, ...steps];
}

/** The last step has a width: its counts are repeated at its end. */
function columnsOf({ series, other }: ZonePlotData): uPlot.AlignedData {
  const { start, mean, least, most } = series;
  const closed = (column: readonly (number | null)[]) => [
    ...column,
    column.at(-1) ?? null,
  ];
  const others = start.map((_, index) => other?.mean[index] ?? null);
  return [
    [...start, series.to].map((ms) => ms / 1000),
    ...[mean, most, least, others].map(closed),
  ] as uPlot.AlignedData;
}
