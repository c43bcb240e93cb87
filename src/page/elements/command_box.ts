/// <reference lib="dom" />
/**
 * A command line of `occupancy` with a button that copies it.
 *
 * @module
 */

import type { Command } from "./commands.ts";
import { announce, el, setText } from "./dom.ts";
import { ICONS } from "./icons.ts";

/** How long the button shows that the command was copied, ms. */
const COPIED_MS = 1600;

/** A box with a command and a button that copies it to the clipboard. */
export class CommandBox {
  readonly element: HTMLDivElement;
  readonly #code = el("code");
  readonly #note = el("p");

  /** @param label of the button */
  constructor(label = "Copy the command") {
    const button = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": label,
      title: "Copy",
    }, ICONS.copy());
    button.addEventListener("click", async () => {
      const copied = await copy(this.#code);
      announce(copied ? "Copied" : "Selected. Copy it with the keyboard.");
      if (!copied) return;
      button.replaceChildren(ICONS.done());
      setTimeout(() => button.replaceChildren(ICONS.copy()), COPIED_MS);
    });
    this.element = el(
      "div",
      { class: "command" },
      el("div", {}, this.#code, button),
      this.#note,
    );
  }

  /** Shows a command; undefined hides the box. */
  set command(command: Command | undefined) {
    this.element.hidden = command === undefined;
    const line = command?.line ?? "";
    if (this.#code.textContent !== line) {
      const words = line.split(/( )/);
      this.#code.replaceChildren(
        ...words.map((word) => word === " " ? word : el("span", {}, word)),
      );
    }
    setText(this.#note, command?.note ?? "");
    this.#note.hidden = command?.note === undefined;
  }
}

/**
 * Copies the text of an element, or selects it: without HTTPS a browser gives
 * no access to the clipboard.
 *
 * @returns whether the text is in the clipboard
 */
async function copy(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return false;
  }
}
