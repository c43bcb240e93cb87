/// <reference lib="dom" />
/**
 * What a layer without readings shows: how to send some.
 *
 * @module
 */

import { announce } from "../elements/announcer.ts";
import { sendCommand } from "../elements/command.ts";
import { CommandBox } from "../elements/command_box.ts";
import { byId, el } from "../elements/dom.ts";

/** The words in the middle of an empty map. */
export class EmptyNotice {
  readonly #notice = byId("div", "empty");
  readonly #command = new CommandBox(announce);

  constructor() {
    this.#notice.append(
      el("h2", {}, "No readings yet"),
      el("p", {}, "They appear here as soon as they come. To send some:"),
      this.#command.element,
    );
  }

  /** @param empty Whether the layer has no cells */
  update(layer: string, empty: boolean): void {
    this.#notice.hidden = !empty;
    this.#command.command = sendCommand(layer);
  }
}
