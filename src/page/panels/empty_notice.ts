/// <reference lib="dom" />
/**
 * The notice on the map of a layer without cells: how to send readings, and the
 * layers that exist if the address names another one.
 *
 * @module
 */

import { similarNames } from "../../common/similar.ts";
import type { LayerStatus } from "../../feed/messages.ts";
import { CommandBox } from "../elements/command_box.ts";
import { type Access, sendCommand } from "../elements/commands.ts";
import { byId, el, setText } from "../elements/dom.ts";
import { titleOf } from "./layer_list.ts";

/** Maximum number of layers to offer. */
const MAX_OFFERS = 6;

/** The data of {@linkcode EmptyNotice}. */
export interface EmptyNoticeData {
  /** The name of the current layer, which may not exist. */
  readonly name: string;
  /** The layers that the server lists; none before they are known. */
  readonly layers: readonly LayerStatus[];
  /** Number of further layers, which the server does not list. */
  readonly omitted: number;
  /** How the command reaches the broker; undefined if not known yet. */
  readonly access: Access | undefined;
}

/** The notice. */
export class EmptyNotice {
  readonly #notice = byId("div", "empty");
  readonly #title = el("h2");
  readonly #offers = el("div", { class: "offers" });
  readonly #hint = el("p");
  readonly #command = new CommandBox();
  readonly #onSelect: (name: string) => void;
  #offered = "";

  /** @param onSelect called with the name of the layer that the user selects */
  constructor(onSelect: (name: string) => void) {
    this.#onSelect = onSelect;
    this.#notice.append(
      this.#title,
      this.#offers,
      this.#hint,
      this.#command.element,
    );
  }

  /** Shows the notice if the layer has no cells. */
  update({ name, layers, omitted, access }: EmptyNoticeData): void {
    const layer = layers.find((one) => one.name === name);
    this.#notice.hidden = (layer?.cells ?? 0) > 0;
    if (this.#notice.hidden) return;
    const missing = layer === undefined && layers.length > 0 &&
      omitted === 0;
    setText(
      this.#title,
      missing ? `There is no layer “${name}”` : "No readings yet",
    );
    setText(
      this.#hint,
      missing
        ? "Choose one of these, or send readings to create it:"
        : "Readings appear here as they arrive. Send one with:",
    );
    this.#offer(missing ? nearestLayers(name, layers) : []);
    this.#command.command = access && sendCommand(name, access);
  }

  #offer(layers: readonly LayerStatus[]): void {
    const key = JSON.stringify(layers.map(({ name, title }) => [name, title]));
    if (key === this.#offered) return;
    this.#offered = key;
    this.#offers.hidden = layers.length === 0;
    this.#offers.replaceChildren(...layers.map((layer) => {
      const button = el(
        "button",
        { type: "button", class: "offer", title: layer.name },
        titleOf(layer),
      );
      button.addEventListener("click", () => this.#onSelect(layer.name));
      return button;
    }));
  }
}

/**
 * Returns the layers to offer instead of one that does not exist: first those
 * with a similar name or title, then others.
 */
function nearestLayers(
  name: string,
  layers: readonly LayerStatus[],
): readonly LayerStatus[] {
  const labels = layers.flatMap((layer) => [layer.name, titleOf(layer)]);
  const similar = similarNames(name, labels).map(({ name }) =>
    layers.find((layer) => layer.name === name || titleOf(layer) === name)!
  );
  return [...new Set([...similar, ...layers])].slice(0, MAX_OFFERS);
}
