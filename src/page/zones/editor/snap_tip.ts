/// <reference lib="dom" />
/**
 * Says where a corner is while it is drawn or moved, and to what it is snapped.
 *
 * @module
 */

import { el } from "../../elements/dom.ts";
import type { SnapInfo } from "./canvas_events.ts";

/** Space between the corner and the text, CSS pixels. */
const OFFSET_PX = 16;

/** The text beside the pointer. */
export class SnapTip {
  readonly element = el("div", {
    class: "snap-tip",
    "aria-hidden": "true",
    hidden: true,
  });
  readonly #position = el("span");
  readonly #target = el("b");

  constructor() {
    this.element.append(this.#position, this.#target);
  }

  /**
   * Shows a position.
   *
   * @param info undefined hides the text
   * @param zone the title of the zone to which it is snapped
   */
  show(info: SnapInfo | undefined, zone: string | undefined): void {
    this.element.hidden = info === undefined;
    if (info === undefined) return;
    const { at: [x, y], pixel: [left, top], kind } = info;
    const what = kind === "corner" ? "a corner of " : "an edge of ";
    this.#position.textContent = `x ${x}, y ${y}${
      zone === undefined ? "" : ` · snapped to ${what}`
    }`;
    this.#target.textContent = zone ?? "";
    const width = this.element.parentElement?.clientWidth ?? 0;
    const isRight = left > width / 2;
    const shift = isRight ? "-100%" : "0px";
    const x0 = Math.round(left + (isRight ? -OFFSET_PX : OFFSET_PX));
    this.element.style.transform = `translate(calc(${x0}px + ${shift}), ${
      Math.round(top + OFFSET_PX)
    }px)`;
  }
}
