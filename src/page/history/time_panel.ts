/// <reference lib="dom" />
/**
 * The panel below the map: the controls of the time, and the curve of the day.
 *
 * @module
 */

import type { GapMs } from "../../history/answers.ts";
import { capitalized, el, setText } from "../elements/dom.ts";
import { formatCount } from "../elements/format.ts";
import { type DayCurve, NO_CURVE } from "./day_curve.ts";
import type { DayCurves } from "./day_curves.ts";
import type { HistoryView } from "./history_parts.ts";
import type { SiteDay, SiteTime } from "./site_time.ts";
import { type ExportEntry, TimeBar, type TimeBarEvents } from "./time_bar.ts";
import { Timeline } from "./timeline.ts";

/** Callbacks of {@linkcode TimePanel}. */
export interface TimePanelEvents extends TimeBarEvents {
  /** @param ms since 1970 */
  onSeek(ms: number): void;
  /** Returns what can be exported now. */
  exports(): readonly ExportEntry[];
}

/** What the panel shows. */
export interface TimePanelState {
  /** ms since 1970 */
  readonly time: number;
  readonly isPlaying: boolean;
  readonly view: HistoryView;
  readonly curves: DayCurves;
  /** The first and the last time that can be shown, ms. */
  readonly bounds: readonly [oldest: number, newest: number];
  /** What the curve counts. */
  readonly units: string;
}

/** The panel. */
export class TimePanel {
  readonly element: HTMLElement;
  readonly #site: SiteTime;
  readonly #bar: TimeBar;
  readonly #timeline: Timeline;
  readonly #title = el("strong");
  readonly #note = el("span", { class: "muted" });
  readonly #otherNote = el("span", { class: "other-key" });

  /** @param problem why the recording is paused; undefined: it is not */
  constructor(
    site: SiteTime,
    problem: string | undefined,
    events: TimePanelEvents,
  ) {
    this.#site = site;
    this.#bar = new TimeBar(events, () => events.exports());
    this.#timeline = new Timeline((ms) => events.onSeek(ms));
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    this.element = el(
      "section",
      { class: "panel past-foot", "aria-label": "Time of the map" },
      this.#bar.element,
      el(
        "p",
        { class: "curve-head" },
        this.#title,
        this.#note,
        this.#otherNote,
        el(
          "span",
          { class: "muted gap-key" },
          el("i", { "aria-hidden": "true" }),
          "no data: the server was not recording",
        ),
        site.timezone === own
          ? undefined
          : el("span", { class: "muted" }, `times of ${site.timezone}`),
        problem === undefined ? undefined : el(
          "span",
          { class: "past-warning", role: "status" },
          `Recording is paused: ${problem}`,
        ),
      ),
      this.#timeline.element,
    );
  }

  /** The picture of the curve. */
  get canvas(): HTMLCanvasElement {
    return this.#timeline.canvas;
  }

  /** Shows a time and its day. */
  show({ time, isPlaying, view, curves, bounds, units }: TimePanelState): void {
    const site = this.#site;
    const day = site.dayOf(time);
    const [oldest, newest] = bounds;
    const [first, last] = [site.dayOf(oldest), site.dayOf(newest)];
    const { compare, speed } = view;
    const number = compare === undefined ? undefined : site.parseDate(compare);
    const other = number === undefined ? undefined : site.day(number);
    this.#bar.show({
      date: site.dateOf(day),
      day: site.formatDay(day.from),
      range: [site.dateOf(first), site.dateOf(last)],
      compare: other &&
        { date: site.dateOf(other), day: site.formatShortDay(other.from) },
      ...{ isPlaying, speed },
      hasDayBefore: day.number > first.number,
      hasDayAfter: day.number < last.number,
    });
    const curve = curves.of(day);
    setText(this.#title, `${capitalized(units)} on this day`);
    setText(this.#note, curves.problemOf(day) ?? this.#describe(curve));
    const otherCurve = other && curves.of(other);
    this.#otherNote.hidden = other === undefined;
    if (other) {
      setText(
        this.#otherNote,
        `${site.formatShortDay(other.from)}: ${
          curves.problemOf(other) ?? this.#describe(otherCurve)
        }`,
      );
    }
    this.#timeline.show({
      ...{ day, site, time, end: newest },
      curve: curve ?? NO_CURVE,
      other: other && otherCurve && moved(otherCurve, day.from - other.from),
      gaps: this.#gapsOf(day, curve, oldest),
    });
  }

  /** Draws in the present colours. */
  recolor(): void {
    this.#timeline.recolor();
  }

  /** Ends drawing. */
  close(): void {
    this.#timeline.close();
  }

  /** The times of a day without data: gaps, and before the first record. */
  #gapsOf(day: SiteDay, curve: DayCurve | undefined, oldest: number) {
    const site = this.#site;
    const gaps = (curve?.gaps ?? []).flatMap(([from, to]) => {
      const gap: GapMs = [
        Math.max(from, day.from, oldest),
        Math.min(to, day.to),
      ];
      const times = gap.map((ms) => site.formatMinute(ms)).join("–");
      return gap[0] < gap[1] ? [{ gap, label: `No data ${times}` }] : [];
    });
    if (oldest <= day.from) return gaps;
    const before: GapMs = [day.from, Math.min(oldest, day.to)];
    return [{ gap: before, label: "Before the first record" }, ...gaps];
  }

  #describe(curve: DayCurve | undefined): string {
    if (curve === undefined) return "loading…";
    const { most } = curve;
    if (most === undefined) return "no data";
    const times = [most.from, most.to].map((ms) => this.#site.formatMinute(ms));
    return `most ${formatCount(most.count)} at ${times.join("–")}`;
  }
}

/** Returns a curve with the times of another day. */
function moved({ parts, most, gaps }: DayCurve, by: number): DayCurve {
  return {
    parts: parts.map((part) => part.map(([time, count]) => [time + by, count])),
    most,
    gaps,
  };
}
