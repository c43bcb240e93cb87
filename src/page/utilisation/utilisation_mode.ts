/// <reference lib="dom" />
/**
 * The mode that shows how much each place is used: a heat map with filters, the
 * busy hours of the week, and a list of the least used places.
 *
 * @module
 */

import type { HistoryInfo } from "../../history/answers.ts";
import { announce } from "../elements/dom.ts";
import { formatQuantity } from "../elements/format.ts";
import { fetchHistoryInfo } from "../feed/history_requests.ts";
import { LayerCells } from "../map/layer_cells.ts";
import type { MapPlace } from "../map/map_view.ts";
import type { Point } from "../map/regions.ts";
import type { CellText, ModeHost, ModeParts, PageMode } from "../modes/mode.ts";
import { FilterBar } from "./filter_bar.ts";
import { HeatView } from "./heat_view.ts";
import { ListPanel, PAGE_ROWS } from "./list_panel.ts";
import { cellName, type Place } from "./places.ts";
import {
  formatSettings,
  parseSettings,
  type SortColumn,
  type UsageSettings,
} from "./settings.ts";
import { listedOf, type LoadedUsage, UsageData } from "./usage_data.ts";
import { dateOf } from "./usage_requests.ts";
import { saveList, savePicture } from "./usage_files.ts";
import { describeUse, UsageDates } from "./usage_text.ts";
import { cellText, summaryOf, targetOf } from "./usage_view.ts";
import { WeekPanel } from "./week_panel.ts";

/** Opens the utilisation. See {@linkcode OpenMode}. */
export async function openUtilisation(
  host: ModeHost,
  parts: ModeParts,
): Promise<PageMode> {
  return new UtilisationMode(host, parts, await fetchHistoryInfo());
}

/** Columns of which the largest is the most interesting. */
const DESCENDING_FIRST: readonly SortColumn[] = ["changes"];

/** Sorts by what is shown: by changes, and not by a column that is hidden. */
function withSort(
  changed: Partial<UsageSettings>,
  { sort }: UsageSettings,
): Partial<UsageSettings> {
  const { measure } = changed;
  if (measure === undefined) return changed;
  if (measure === "changes" && sort === "occupied") {
    return { ...changed, sort: "changes", descending: true };
  }
  return measure !== "changes" && sort === "changes"
    ? { ...changed, sort: "occupied", descending: false }
    : changed;
}

class UtilisationMode implements PageMode {
  readonly #host: ModeHost;
  readonly #data: UsageData;
  readonly #heat: HeatView;
  readonly #bar: FilterBar;
  readonly #week: WeekPanel;
  readonly #list: ListPanel;
  readonly #dates: UsageDates;
  readonly #removeObserver: () => void;
  #settings: UsageSettings;
  #zone: string | undefined;
  /** Rows of the list. */
  #limit = PAGE_ROWS;
  /** What the panel of the week shows; undefined: the whole layer. */
  #weekKey: string | undefined;

  constructor(host: ModeHost, parts: ModeParts, info: HistoryInfo) {
    this.#host = host;
    this.#settings = parseSettings(new URLSearchParams(parts));
    this.#zone = host.zones.selected;
    this.#dates = new UsageDates(info.timezone);
    this.#data = new UsageData(info, {
      onBusy: (busy) => document.body.classList.toggle("usage-busy", busy),
      onLoad: (loaded) => this.#onLoad(loaded),
      onProblem: (text) => {
        this.#heat.problem = text;
        announce(text);
      },
      zonesOf: (layer) =>
        [...host.zones.store.definitions.zones.values()]
          .filter((zone) => zone.layer === layer),
      now: () => host.now(),
    });
    this.#heat = new HeatView(host, this.#dates, {
      onSubject: (map) => this.#change({ map }),
      selected: () => this.#settings.cell,
    });
    const { colors } = this.#heat;
    this.#week = new WeekPanel(colors.steps);
    this.#list = new ListPanel(colors, {
      onSubject: (list) => this.#change({ list }),
      onSort: (column) => this.#sort(column),
      onSelect: (place) => this.#select(place),
      onMore: () => {
        this.#limit += PAGE_ROWS;
        this.#showList();
      },
    });
    this.#bar = new FilterBar(this.#settings, {
      onChange: (changed) => this.#change(withSort(changed, this.#settings)),
      dates: () => this.#shownDates(info),
      onExport: (format) => void this.#export(format),
    });
    host.slots.cards.append(this.#bar.element);
    host.slots.side.append(this.#week.element, this.#list.element);
    host.pastCells = new LayerCells();
    host.cellText = (cell) => this.#cellText(cell);
    this.#removeObserver = host.zones.store.observe({
      onDefinitions: () => this.#data.updateZones(),
    });
    this.#load();
  }

  get parts(): ModeParts {
    return Object.fromEntries(formatSettings(this.#settings));
  }

  apply(parts: ModeParts): void {
    this.#settings = parseSettings(new URLSearchParams(parts));
    this.#update();
  }

  onLayer(): void {
    this.#settings = { ...this.#settings, cell: undefined };
    this.#limit = PAGE_ROWS;
    this.#data.clear();
    this.#heat.clear();
    this.#load();
  }

  onZone(name: string | undefined): void {
    this.#zone = name;
    this.#limit = PAGE_ROWS;
    this.#showList();
    this.#showWeek();
  }

  onTick(): void {
    this.#data.tick();
  }

  recolor(): void {
    this.#heat.recolor();
    this.#week.colors = this.#heat.colors.steps;
    this.#list.colors = this.#heat.colors;
    this.#show();
  }

  onKey(): boolean {
    return false;
  }

  onClick({ cell, pixel }: MapPlace): boolean {
    if (this.#host.zones.layer.labelAt(pixel) !== undefined) return false;
    if (this.#settings.map === "zones") return false;
    const row = this.#data.loaded?.usage.find(cell);
    if (row === undefined) return false;
    const { cell: old } = this.#settings;
    const isSame = old?.x === cell.x && old.y === cell.y;
    this.#change({ cell: isSame ? undefined : cell });
    if (!isSame) this.#list.reveal(`${cell.x},${cell.y}`);
    return true;
  }

  close(): void {
    this.#removeObserver();
    this.#data.close();
    this.#list.close();
    this.#heat.close();
    this.#host.cellText = undefined;
    this.#host.pastCells = undefined;
    document.body.classList.remove("usage-busy");
  }

  /** Changes what is shown, as an entry of the history of the browser. */
  #change(changed: Partial<UsageSettings>): void {
    this.#host.change(() => {
      this.#settings = { ...this.#settings, ...changed };
    });
    this.#limit = PAGE_ROWS;
    this.#update();
  }

  /** Shows the settings; asks if they need another answer. */
  #update(): void {
    this.#bar.settings = this.#settings;
    this.#load();
    this.#show();
  }

  #load(): void {
    this.#heat.settings = this.#settings;
    this.#data.load(this.#host.layer().name, this.#settings);
  }

  #onLoad(loaded: LoadedUsage): void {
    this.#weekKey = "";
    this.#show();
    const { length, answer: { dayCount } } = loaded.usage;
    announce(
      `Utilisation of ${formatQuantity(length, "cell")} on ${
        formatQuantity(dayCount, "day")
      }`,
    );
  }

  #show(): void {
    const { loaded } = this.#data;
    this.#heat.settings = this.#settings;
    if (loaded === undefined) return;
    this.#heat.show(loaded);
    this.#host.refresh();
    this.#showList();
    this.#showWeek();
  }

  #showList(): void {
    const { loaded } = this.#data;
    if (loaded === undefined) return;
    const { usage, zones, places, days } = loaded;
    const { sort, descending, cell } = this.#settings;
    const list = listedOf(loaded, this.#settings);
    const zone = zones.find(({ definition }) => definition.name === this.#zone);
    const rows = list === "cells" ? zone?.rows : undefined;
    const { seconds, dayCount } = usage.answer;
    this.#list.show({
      places: places.list(list, rows, sort, descending, this.#limit),
      count: list === "zones" ? zones.length : rows?.length ?? usage.length,
      summary: summaryOf(loaded, list, zone),
      cells: rows?.length ?? usage.length,
      zones: zones.length,
      dates: this.#dates,
      days,
      daySeconds: seconds / Math.max(1, dayCount),
      selected: list === "zones"
        ? `zone ${this.#zone}`
        : cell && `${cell.x},${cell.y}`,
      settings: this.#settings,
      list,
      targetOf: (place) => targetOf(loaded, place),
    });
  }

  /** Shows the week of the selected cell or zone, else of the layer. */
  #showWeek(): void {
    const { loaded } = this.#data;
    if (loaded === undefined) return;
    const { usage, zones } = loaded;
    const row = this.#settings.cell && usage.find(this.#settings.cell);
    const zone = zones.find(({ definition }) => definition.name === this.#zone);
    const place = row !== undefined
      ? loaded.places.cell(row)
      : zone && loaded.places.zone(zone);
    const key = place?.key;
    if (key === this.#weekKey) return;
    this.#weekKey = key;
    this.#week.show(usage.answer, "all cells");
    if (place?.region === undefined) return;
    void this.#data.fetchPart(place.region).then((part) => {
      // Of a zone that is no rectangle, there is none by the hour.
      const isExact =
        part?.cells.x.length === place.use.cells + place.unreported;
      if (part && isExact && this.#weekKey === key) {
        this.#week.show(part, place.name);
      }
    });
  }

  #sort(column: SortColumn): void {
    const { sort, descending } = this.#settings;
    this.#change({
      sort: column,
      descending: column === sort
        ? !descending
        : DESCENDING_FIRST.includes(column),
    });
  }

  #select(place: Place): void {
    const { host, usage } = {
      host: this.#host,
      usage: this.#data.loaded!.usage,
    };
    if (place.zoneName !== undefined) {
      host.zones.selectByUser(
        place.zoneName === this.#zone ? undefined : place.zoneName,
      );
      return;
    }
    const cell = usage.cellAt(place.row!);
    const { cell: old } = this.#settings;
    const isSame = old?.x === cell.x && old.y === cell.y;
    this.#change({ cell: isSame ? undefined : cell });
    if (isSame) return;
    host.map.moves.reveal(cell);
    announce(describeUse(cellName(cell), place.use, this.#dates));
  }

  #cellText(cell: Point): CellText | undefined {
    const { loaded } = this.#data;
    return loaded &&
      cellText(loaded, cell, this.#settings.measure, this.#dates);
  }

  /** The dates that are shown, for the fields of dates. */
  #shownDates({ timezone }: HistoryInfo) {
    const answer = this.#data.loaded?.usage.answer;
    const now = this.#host.now();
    return {
      first: dateOf(answer?.from ?? now, timezone),
      last: dateOf(answer ? answer.to - 1 : now, timezone),
    };
  }

  async #export(format: "csv" | "png"): Promise<void> {
    const { loaded } = this.#data;
    if (loaded === undefined) return;
    const { title } = this.#host.layer();
    if (format === "csv") saveList(loaded, this.#settings, title, this.#zone);
    else await savePicture(this.#heat.picture(title), title);
  }
}
