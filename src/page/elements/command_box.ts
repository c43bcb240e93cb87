/// <reference lib="dom" />
/**
 * A command line of `occupancy` with a button that copies it.
 *
 * @module
 */

import type { Region } from "../../protocol/region.ts";
import { announce, el, setText } from "./dom.ts";
import { ICONS } from "./icons.ts";

/** How long the button shows that the command was copied, ms. */
const COPIED_MS = 1600;

/** Characters that need no quotes in a shell. */
const UNQUOTED = /^[\w./:@%+,=-]+$/;

/** A box with a command and a button that copies it to the clipboard. */
export class CommandBox {
  readonly element: HTMLDivElement;
  readonly #code = el("code");

  constructor() {
    const button = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": "Copy the command",
      title: "Copy",
    }, ICONS.copy());
    button.addEventListener("click", async () => {
      const copied = await copy(this.#code);
      announce(copied ? "Copied" : "Selected. Copy it with the keyboard.");
      if (!copied) return;
      button.replaceChildren(ICONS.done());
      setTimeout(() => button.replaceChildren(ICONS.copy()), COPIED_MS);
    });
    this.element = el("div", { class: "command" }, this.#code, button);
  }

  set command(text: string) {
    setText(this.#code, text);
  }
}

/** The `occupancy request` that prints a region of a layer. */
export function requestCommand(layer: string, region: Region): string {
  const { x0, y0, x1, y1 } = region;
  const name = optionValue(layer);
  // "=", since the first number may be negative and look like an option.
  return `occupancy request --layer${name} --region=${x0},${y0},${x1},${y1}`;
}

/** The `occupancy client` that sends readings to a layer. */
export function sendCommand(layer: string): string {
  const option = layer === "default" ? "" : ` --layer${optionValue(layer)}`;
  return `occupancy client${option} --file client1.json`;
}

/**
 * Formats the value of an option: after a space or `=`, quoted for a shell.
 */
function optionValue(value: string): string {
  const quoted = UNQUOTED.test(value)
    ? value
    : `'${value.replaceAll("'", `'\\''`)}'`;
  return value.startsWith("-") ? `=${quoted}` : ` ${quoted}`;
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
