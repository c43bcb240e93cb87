/// <reference lib="dom" />
/**
 * The heat map on the map of the page, with its title, its legend, and the
 * shares of the zones.
 *
 * @module
 */

import { el, setText } from "../elements/dom.ts";
import { ICONS } from "../elements/icons.ts";
import type { Rgb } from "../map/palette.ts";
import { type Point, regionOf } from "../map/regions.ts";
import type { ModeHost } from "../modes/mode.ts";
import type { ZoneFigures } from "../zones/zone_text.ts";
import { ChoiceGroup } from "./choices.ts";
import type { Picture } from "./exports.ts";
import { heatColorsOf } from "./heat_colors.ts";
import { type HeatColors, HeatLayer } from "./heat_layer.ts";
import type { Measure, Subject, UsageSettings } from "./settings.ts";
import type { LoadedUsage } from "./usage_data.ts";
import { UsageLegend } from "./usage_legend.ts";
import {
  describeDays,
  describeHours,
  formatRate,
  LEGENDS,
  percent,
  type UsageDates,
} from "./usage_text.ts";
import { changeScaleOf, changesPerDay, valueOf } from "./usage.ts";
import type { UsedZone } from "./zone_usage.ts";

/** Opacity over a floor plan, which must be visible through the cells. */
const OVER_PLAN = 0.82;
/** Minimum width and height of the mark of the selected cell, CSS pixels. */
const MIN_MARK_PX = 8;
const TITLES: Readonly<Record<Measure, string>> = {
  occupied: "How much is each place used?",
  known: "How much is known of each place?",
  changes: "How often does each place change?",
};

/** Callbacks of {@linkcode HeatView}. */
export interface HeatViewEvents {
  onSubject(subject: Subject): void;
  /** Returns the selected cell. */
  selected(): Point | undefined;
}

/** The heat map. */
export class HeatView {
  readonly #host: ModeHost;
  readonly #dates: UsageDates;
  readonly #events: HeatViewEvents;
  readonly #layer: HeatLayer;
  readonly #legend = new UsageLegend();
  readonly #title = el("h2");
  readonly #about = el("p");
  readonly #problem = el("p", { class: "usage-problem", role: "status" });
  readonly #subject: ChoiceGroup<Subject>;
  readonly #pill = el("div", { class: "pill usage-pill" });
  readonly #pillTitle = el("strong");
  readonly #pillDetail = el("span");
  readonly #mark = el("div", { class: "mark pick", hidden: true });
  /** The tools are below the title, however many lines it has. */
  readonly #resizes = new ResizeObserver(() => {
    const { clientHeight } = this.#host.slots.head;
    document.body.style.setProperty("--head", `${clientHeight}px`);
  });
  readonly #onRender = () => this.#placeMark();
  #colors: HeatColors;
  #settings: UsageSettings | undefined;
  #loaded: LoadedUsage | undefined;
  /** See `valueOf`. */
  #maxChanges = 1;
  /** What the layer shows. */
  #shown: readonly unknown[] = [];

  constructor(host: ModeHost, dates: UsageDates, events: HeatViewEvents) {
    this.#host = host;
    this.#dates = dates;
    this.#events = events;
    this.#colors = this.#colorsNow();
    const { map, zones, slots } = host;
    this.#layer = new HeatLayer(map.axes, this.#colors);
    const layers = map.ol.getLayers();
    // Below the outlines of zones.
    layers.insertAt(
      layers.getArray().indexOf(zones.layer.layer),
      this.#layer.layer,
    );
    map.ol.on("postrender", this.#onRender);
    this.#subject = new ChoiceGroup<Subject>("What the map shows", [
      { value: "cells", text: "Cells" },
      { value: "zones", text: "Zones" },
    ], (subject) => events.onSubject(subject));
    slots.head.append(
      el(
        "header",
        { class: "usage-head" },
        el("div", {}, this.#title, this.#about, this.#problem),
        this.#subject.element,
      ),
    );
    slots.legend.append(this.#legend.element);
    this.#pill.append(ICONS.history(), this.#pillTitle, this.#pillDetail);
    setText(this.#pillTitle, "Loading");
    slots.bar.append(this.#pill);
    slots.marks.append(this.#mark);
    this.#problem.hidden = true;
    this.#resizes.observe(slots.head);
  }

  /** The colours of the heat map. */
  get colors(): HeatColors {
    return this.#colors;
  }

  /** What is to be shown, perhaps before it is loaded. */
  set settings(settings: UsageSettings) {
    this.#settings = settings;
    const { measure, days, hours, map } = settings;
    setText(this.#title, TITLES[measure]);
    setText(
      this.#about,
      `${
        map === "cells" ? "Every cell" : "The cells with readings of each zone"
      } of ${this.#host.layer().title}, ${this.#when()}. Time without readings counts neither way.`,
    );
    this.#subject.chosen = [map];
    this.#legend.show(
      measure,
      `${describeDays(days)}, ${describeHours(hours)}`,
      this.#maxChanges,
      this.#colors,
    );
  }

  /** Why there is nothing new to show. */
  set problem(text: string) {
    this.#problem.hidden = text === "";
    setText(this.#problem, text);
  }

  /** Shows an answer. */
  show(loaded: LoadedUsage): void {
    const { usage } = loaded;
    const { answer, length, knownShare } = usage;
    const settings = this.#settings!;
    if (loaded.usage !== this.#loaded?.usage) {
      this.#maxChanges = changeScaleOf(usage);
    }
    this.#loaded = loaded;
    this.settings = settings;
    this.problem = length === 0
      ? "Nothing was recorded of this layer in this time."
      : "";
    const key = [usage, settings.measure, this.#maxChanges];
    if (key.some((part, index) => part !== this.#shown[index])) {
      this.#shown = key;
      const { x, y } = answer.cells;
      const values = Float64Array.from(
        { length },
        (_, row) => valueOf(usage.use(row), settings.measure, this.#maxChanges),
      );
      this.#layer.cells = { x, y, values };
    }
    this.#showZones(loaded);
    const { from, to, dayCount, days } = answer;
    const isWorking = days.join() === "1,2,3,4,5";
    setText(this.#pillTitle, this.#dates.range(from, to));
    setText(
      this.#pillDetail,
      `${dayCount} ${isWorking ? "working " : ""}day${
        dayCount === 1 ? "" : "s"
      }, ${percent(knownShare)} known`,
    );
    this.#pill.title =
      `${this.#pillTitle.textContent}: ${this.#pillDetail.textContent}`;
    this.#placeMark();
  }

  /** Removes the cells, as for another layer. */
  clear(): void {
    this.#loaded = undefined;
    this.#shown = [];
    this.#layer.cells = { x: [], y: [], values: new Float64Array() };
    this.#host.zones.past = undefined;
    this.problem = "";
  }

  /** Draws in the present colours. */
  recolor(): void {
    this.#colors = this.#colorsNow();
    this.#layer.colors = this.#colors;
    if (this.#loaded) this.#showZones(this.#loaded);
    if (this.#settings) this.settings = this.#settings;
  }

  /** Returns what a picture of the map shows. */
  picture(layer: string): Picture {
    const { measure } = this.#settings!;
    const { from, to } = this.#loaded!.usage.answer;
    const style = getComputedStyle(document.body);
    const { title, unknown } = LEGENDS[measure];
    const parts = [0, 0.25, 0.5, 0.75, 1];
    return {
      map: this.#host.map.ol.getTargetElement()!,
      title: `${layer} · ${TITLES[measure]}`,
      subtitle: `${this.#dates.range(from, to)}, ${this.#when()}. ${
        percent(this.#loaded!.usage.knownShare)
      } of the time is known.`,
      legend: title,
      ticks: parts.map((part) =>
        measure === "changes"
          ? formatRate(part * this.#maxChanges)
          : percent(part)
      ),
      unknown,
      colors: this.#colors,
      background: this.#host.colors().background,
      text: parseRgb(style.color),
      muted: parseRgb(getComputedStyle(this.#about).color),
      font: style.fontFamily,
    };
  }

  /** Removes all from the page, except what is in the slots. */
  close(): void {
    const { map, zones } = this.#host;
    this.#resizes.disconnect();
    map.ol.un("postrender", this.#onRender);
    map.ol.removeLayer(this.#layer.layer);
    zones.past = undefined;
    this.#mark.remove();
  }

  #when(): string {
    const { days, hours } = this.#settings!;
    return `${describeDays(days)}, ${describeHours(hours)}`;
  }

  #showZones({ zones }: LoadedUsage): void {
    const { measure, map } = this.#settings!;
    const used = new Map(
      zones.map((zone) => [zone.definition.name, zone]),
    );
    const { steps } = this.#colors;
    const { store } = this.#host.zones;
    this.#host.zones.past = {
      states: store.states,
      when: "",
      figures: (name) => figuresOf(used.get(name), measure, this.#maxChanges),
      fills: steps.filter((_, step) => step % 5 === 0),
      filled: map === "zones",
    };
  }

  #colorsNow(): HeatColors {
    const colors = this.#host.colors();
    return {
      steps: heatColorsOf(colors),
      hatch: colors.hatch,
      opacity: this.#host.map.planVisible ? OVER_PLAN : 1,
    };
  }

  #placeMark(): void {
    const { map } = this.#host;
    const cell = this.#events.selected();
    const rect = cell && this.#settings?.map === "cells"
      ? map.rectOf(regionOf(cell))
      : undefined;
    this.#mark.hidden = rect === undefined;
    if (rect === undefined) return;
    const width = Math.max(MIN_MARK_PX, rect.width);
    const height = Math.max(MIN_MARK_PX, rect.height);
    const left = rect.left + (rect.width - width) / 2;
    const top = rect.top + (rect.height - height) / 2;
    this.#mark.style.transform = `translate(${left}px, ${top}px)`;
    this.#mark.style.width = `${width}px`;
    this.#mark.style.height = `${height}px`;
  }
}

/** What the map shows of a zone. */
function figuresOf(
  zone: UsedZone | undefined,
  measure: Measure,
  maxChanges: number,
): ZoneFigures {
  const use = zone?.use;
  const value = use && use.cells > 0 ? valueOf(use, measure, maxChanges) : NaN;
  const isUnknown = Number.isNaN(value);
  const text = isUnknown
    ? "unknown"
    : measure === "changes"
    ? formatRate(changesPerDay(use!))
    : percent(value);
  return {
    look: isUnknown ? "unknown" : "occupied",
    bound: false,
    fullness: isUnknown ? 0 : 100 * value,
    hasCells: zone !== undefined && zone.rows.length > 0,
    count: text,
    of: "",
    percent: text,
  };
}

function parseRgb(color: string): Rgb {
  const [red = 0, green = 0, blue = 0] = (color.match(/[\d.]+/g) ?? [])
    .map(Number);
  return [red, green, blue];
}
