/// <reference lib="dom" />
/**
 * The legend of the heat map: what the scale and the hatching mean.
 *
 * @module
 */

import { el, setText } from "../elements/dom.ts";
import { formatCount } from "../elements/format.ts";
import { css } from "../map/palette.ts";
import type { HeatColors } from "./heat_layer.ts";
import type { Measure } from "./settings.ts";
import { LEGENDS } from "./usage_text.ts";

/** Positions of the numbers, 0 to 1. */
const TICKS = [0, 0.25, 0.5, 0.75, 1] as const;

/** The legend. */
export class UsageLegend {
  readonly element: HTMLElement;
  readonly #title = el("strong");
  readonly #when = el("small");
  readonly #ramp = el("div", { class: "ramp", "aria-hidden": "true" });
  readonly #ticks = TICKS.map(() => el("span"));
  readonly #unknown = el("small");
  readonly #unknownPart: HTMLElement;

  constructor() {
    this.#unknownPart = el(
      "div",
      { class: "legend-unknown" },
      el("i", { class: "hatched", "aria-hidden": "true" }),
      el("div", {}, el("span", {}, "Unknown"), this.#unknown),
    );
    this.element = el(
      "div",
      { class: "usage-legend" },
      el("div", { class: "legend-title" }, this.#title, this.#when),
      el(
        "div",
        { class: "legend-scale" },
        this.#ramp,
        el("div", { class: "ticks" }, ...this.#ticks),
      ),
      this.#unknownPart,
    );
  }

  /**
   * @param when which time counts, in words
   * @param maxChanges see `valueOf`
   */
  show(
    measure: Measure,
    when: string,
    maxChanges: number,
    { steps }: HeatColors,
  ): void {
    const { title, unknown } = LEGENDS[measure];
    setText(this.#title, title);
    setText(this.#when, when);
    setText(this.#unknown, unknown);
    this.#unknownPart.hidden = unknown === "";
    const stops = steps.filter((_, step) => step % 5 === 0).map((one) =>
      css(one)
    );
    this.#ramp.style.backgroundImage = `linear-gradient(90deg, ${stops})`;
    for (const [index, tick] of TICKS.entries()) {
      const isLast = index === TICKS.length - 1;
      setText(
        this.#ticks[index]!,
        measure === "changes"
          ? formatCount(tick * maxChanges) + (isLast ? "+" : "")
          : `${100 * tick}%`,
      );
    }
  }
}
