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

/**
 * Creates a hidden button that is on or off (`aria-pressed`), off at first.
 *
 * @param onToggle called after a click has changed it
 */
export function createToggle(
  title: string,
  picture: SVGSVGElement,
  onToggle: () => void,
): HTMLButtonElement {
  const button = createTool(title, picture, () => {
    const pressed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(pressed));
    onToggle();
  });
  button.setAttribute("aria-pressed", "false");
  button.hidden = true;
  return button;
}
