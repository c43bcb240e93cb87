/// <reference lib="dom" />
/**
 * The square buttons on the map.
 *
 * @module
 */

import { el } from "./dom.ts";

/**
 * Creates a button.
 *
 * @param title with the key in brackets, which the label omits
 * @param picture an icon
 * @param onClick called for each click
 */
export function createTool(
  title: string,
  picture: SVGSVGElement,
  onClick: () => void,
): HTMLButtonElement {
  const button = el("button", {
    type: "button",
    class: "square",
    "aria-label": title.replace(/ \(.*/, ""),
    title,
  }, picture);
  button.addEventListener("click", onClick);
  return button;
}
