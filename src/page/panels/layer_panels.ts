/// <reference lib="dom" />
/**
 * The panels that show the counts and changes of the current layer.
 *
 * @module
 */

import { CommandBox, sendCommand } from "../elements/command_box.ts";
import { byId, el } from "../elements/dom.ts";
import type {
  HistoryMessage,
  LatestMessage,
  LayerStatus,
  StatusMessage,
} from "../../feed/messages.ts";
import { Cards } from "./cards.ts";
import { Chart } from "./chart.ts";
import { LayerHistory } from "./history.ts";
import { LatestPanel } from "./latest_panel.ts";
import { LayerList, titleOf } from "./layer_list.ts";

/** Callbacks of {@linkcode LayerPanels}. */
export interface LayerPanelsEvents {
  /** Called when the user selects a layer. */
  onSelectLayer(name: string): void;
  /** Called when the user selects a cell. */
  onSelectCell(x: number, y: number): void;
}

/**
 * The cards, the list of layers, the latest changes, the chart, and the notice
 * of an empty map.
 */
export class LayerPanels {
  readonly #cards = new Cards();
  readonly #layers: LayerList;
  readonly #latest: LatestPanel;
  readonly #chart = new Chart();
  readonly #empty = new EmptyNotice();
  #history = new LayerHistory();

  constructor({ onSelectLayer, onSelectCell }: LayerPanelsEvents) {
    this.#layers = new LayerList(onSelectLayer);
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
    { name, status, staleAfter, now }: {
      readonly name: string;
      readonly status: StatusMessage | undefined;
      readonly staleAfter: number | null;
      readonly now: number;
    },
  ): void {
    const layers = status?.layers ?? [];
    const layer = layers.find((one) => one.name === name);
    this.#layers.update(layers, name);
    this.#cards.update({
      layer,
      rates: status?.rate,
      staleAfter,
      trend: this.#history.trend(),
    });
    this.#chart.show(this.#history, now);
    this.#empty.update(name, (layer?.cells ?? 0) === 0);
    document.title = layer
      ? `${layer.people} · ${titleOf(layer)} · occupancy`
      : "occupancy";
  }

  /** Shows the latest changes. */
  showLatest({ changes }: LatestMessage, now: number): void {
    this.#latest.update(changes, now);
  }

  /** Replaces the history. */
  showHistory({ points }: HistoryMessage, now: number): void {
    this.#history.fill(points);
    this.#chart.show(this.#history, now);
  }

  /** Updates the ages. */
  tick(now: number): void {
    this.#latest.tick(now);
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

/** The notice on the map of a layer without cells: how to send readings. */
class EmptyNotice {
  readonly #notice = byId("div", "empty");
  readonly #command = new CommandBox();

  constructor() {
    this.#notice.append(
      el("h2", {}, "No readings yet"),
      el("p", {}, "Readings appear here as they arrive. Send some with:"),
      this.#command.element,
    );
  }

  update(layer: string, isEmpty: boolean): void {
    this.#notice.hidden = !isEmpty;
    this.#command.command = sendCommand(layer);
  }
}
