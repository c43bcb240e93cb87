/// <reference lib="dom" />
/**
 * A command to copy.
 *
 * @module
 */

import { el, setText } from "./dom.ts";
import { ICONS } from "./icons.ts";

const THANKS_MS = 1600;

/** A command in a box, with a button that copies it. */
export class CommandBox {
  readonly element: HTMLDivElement;
  readonly #code = el("code");

  /** @param announce Says that it was copied to who cannot see it */
  constructor(announce: (text: string) => void, command = "") {
    const button = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": "Copy the command",
      title: "Copy",
    }, ICONS.copy());
    button.addEventListener("click", async () => {
      const copied = await copy(this.#code);
      announce(copied ? "Copied" : "Selected: copy it with the keyboard");
      if (!copied) return;
      button.replaceChildren(ICONS.done());
      setTimeout(() => button.replaceChildren(ICONS.copy()), THANKS_MS);
    });
    this.element = el("div", { class: "command" }, this.#code, button);
    this.command = command;
  }

  set command(text: string) {
    setText(this.#code, text);
  }
}

/** Without https a browser has no clipboard to give: then the text is selected. */
async function copy(element: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(element.textContent ?? "");
    return true;
  } catch {
    getSelection()?.selectAllChildren(element);
    return false;
  }
}
