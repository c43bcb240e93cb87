/// <reference lib="dom" />
/**
 * The buttons on the map for zones: whether they are outlined, and filled.
 *
 * @module
 */

import { byId } from "../elements/dom.ts";
import { ICONS } from "../elements/icons.ts";
import { createToggle } from "../elements/tool_button.ts";

/** The page is one column, as in the style sheets. */
export const NARROW = "(max-width: 760px)";

/** The two buttons. */
export class ZoneTools {
  readonly #outline: HTMLButtonElement;
  readonly #fill: HTMLButtonElement;
  #canFill = true;

  /** @param onToggle called after a click on one of them */
  constructor(onToggle: () => void) {
    this.#outline = createToggle("Zones", ICONS.zones(), onToggle);
    this.#fill = createToggle("How full zones are", ICONS.fill(), onToggle);
    this.#outline.setAttribute("aria-pressed", "true");
    // On a small map cells are too small to be read.
    if (matchMedia(NARROW).matches) {
      this.#fill.setAttribute("aria-pressed", "true");
    }
    byId("div", "tools").append(this.#outline, this.#fill);
  }

  /** Whether zones are outlined. */
  get shown(): boolean {
    return isOn(this.#outline);
  }

  /** Whether zones are outlined and filled. */
  get filled(): boolean {
    return this.shown && this.fillPressed;
  }

  /** Whether the button to fill zones is on, also while they are not shown. */
  get fillPressed(): boolean {
    return isOn(this.#fill);
  }

  /** Whether the layer has zones: without any, there are no buttons. */
  set hasZones(hasZones: boolean) {
    this.#outline.hidden = !hasZones;
    this.#update();
  }

  /** Whether the user can choose if zones are filled. */
  set canFill(canFill: boolean) {
    this.#canFill = canFill;
    this.#update();
  }

  #update(): void {
    this.#fill.hidden = !this.#canFill || this.#outline.hidden || !this.shown;
  }
}

function isOn(tool: HTMLElement): boolean {
  return tool.getAttribute("aria-pressed") === "true";
}
