/// <reference lib="dom" />
/**
 * The panels that show the counts and changes of the current layer.
 *
 * @module
 */

import type { Access } from "../elements/commands.ts";
import { PEOPLE, type Unit } from "../../protocol/display.ts";
import { formatCount, formatUnits } from "../elements/format.ts";
import type {
  HistoryMessage,
  LatestMessage,
  LayerStatus,
  StatusMessage,
} from "../../feed/messages.ts";
import { Cards } from "./cards.ts";
import { Chart } from "./chart.ts";
import { CountedLayers } from "./counted_layers.ts";
import { EmptyNotice } from "./empty_notice.ts";
import { LayerHistory } from "./history.ts";
import { LatestPanel } from "./latest_panel.ts";
import { LayerList, titleOf } from "./layer_list.ts";
import type { PageTitle } from "./page_title.ts";
import { SourcesPanel } from "./sources_panel.ts";

/** Callbacks of {@linkcode LayerPanels}. */
export interface LayerPanelsEvents {
  /** Called when the user selects a layer. */
  onSelectLayer(name: string): void;
  /** Called when the user selects a cell. */
  onSelectCell(x: number, y: number): void;
}

/**
 * The cards, the list of layers, the latest changes, the chart, the sources of
 * readings, and the notice of an empty map.
 */
export class LayerPanels {
  readonly #title: PageTitle;
  readonly #cards = new Cards();
  readonly #layers: LayerList;
  readonly #latest: LatestPanel;
  readonly #chart = new Chart();
  readonly #sources = new SourcesPanel();
  readonly #empty: EmptyNotice;
  readonly #counted = new CountedLayers();
  #history = new LayerHistory();

  /** @param title shows the count of the layer */
  constructor(
    title: PageTitle,
    { onSelectLayer, onSelectCell }: LayerPanelsEvents,
  ) {
    this.#title = title;
    this.#layers = new LayerList(onSelectLayer);
    this.#empty = new EmptyNotice(onSelectLayer);
    this.#latest = new LatestPanel(onSelectCell);
  }

  /** Adds the current counts of the layer to its history. */
  addPoint({ people, occupied }: LayerStatus, time: number): void {
    this.#history.add({ time, people, occupied });
  }

  /**
   * Shows the counts.
   *
   * @param name of the current layer, which may not exist yet
   * @param now the server's clock, ms since 1970
   */
  update(
    { name, status, staleAfter, access, now }: {
      readonly name: string;
      readonly status: StatusMessage | undefined;
      readonly staleAfter: number | null;
      readonly access: Access | undefined;
      readonly now: number;
    },
  ): void {
    const layers = status?.layers ?? [];
    const layer = layers.find((one) => one.name === name);
    for (const one of layers) this.#counted.add(one.name, one);
    const omitted = status?.layersOmitted ?? 0;
    // The layer was deleted. Layers that the server does not list have none.
    if (
      status !== undefined && layer === undefined && this.#history.length > 0
    ) {
      this.#history = new LayerHistory();
    }
    this.#layers.update(layers, name, this.#counted, omitted);
    const unit = this.unitOf(layer, name);
    this.#chart.setUnit(unit);
    this.#cards.update({
      layer,
      counted: unit !== undefined,
      rates: status?.rate,
      staleAfter,
      trend: this.#history.trend(),
    });
    this.#chart.show(this.#history, now);
    this.#empty.update({ name, layers, omitted, access });
    const count = layer && unit
      ? formatUnits(layer.people, unit)
      : `${formatCount(layer?.occupied ?? 0)} occupied`;
    this.#title.layer = layer && `${count} · ${titleOf(layer)}`;
  }

  /**
   * Returns what the values of a layer count; undefined if they are only 0 and
   * 1.
   */
  unitOf(layer: LayerStatus | undefined, name: string): Unit | undefined {
    if (!this.#counted.has(name)) return undefined;
    return layer?.display?.unit ?? PEOPLE;
  }

  /** Shows the latest changes. */
  showLatest(
    { changes }: LatestMessage,
    unit: Unit | undefined,
    now: number,
  ): void {
    this.#latest.update(changes, unit, now);
  }

  /** Replaces the history. */
  showHistory({ layer, points }: HistoryMessage, now: number): void {
    this.#history.fill(points);
    this.#counted.addHistory(layer, points);
    this.#chart.show(this.#history, now);
  }

  /** Updates the ages. */
  tick(now: number): void {
    this.#latest.tick(now);
    this.#sources.tick();
  }

  /** Removes what belongs to the previous layer. */
  clear(now: number): void {
    this.#history = new LayerHistory();
    this.#latest.clear();
    this.#chart.show(this.#history, now);
  }

  /** Draws the chart in the current colours. */
  recolor(): void {
    this.#chart.recolor();
  }

  /** Moves the focus to the menu of layers. */
  focusMenu(): void {
    this.#layers.focus();
  }
}
