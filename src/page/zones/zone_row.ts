/// <reference lib="dom" />
/**
 * A row of the list of zones: title, count and percentage above a bar.
 *
 * @module
 */

import type { Unit } from "../../protocol/display.ts";
import type { ZoneState } from "../../zones/zone_state.ts";
import { el, setText } from "../elements/dom.ts";
import {
  describeZone,
  fullnessOf,
  isLowerBound,
  lookOf,
  numbersOf,
  remarkOf,
  zoneTitle,
} from "./zone_text.ts";

/** What a row shows beside the state. */
export interface ZoneRowOptions {
  /** What the values count; undefined for people. */
  readonly unit: Unit | undefined;
  readonly selected: boolean;
  /** Shown if the list has zones of several layers. */
  readonly layerTitle: string | undefined;
}

/** A row. */
export interface ZoneRow {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  /** Shows a state. */
  set(state: ZoneState, options: ZoneRowOptions): void;
  /**
   * @param index of the row, from 0
   * @param total number of rows
   */
  place(index: number, total: number, left: string, top: string): void;
}

/** Creates a row. */
export function createZoneRow(onClick: () => void): ZoneRow {
  const title = el("b");
  const chip = el("i", { class: "chip" });
  const layer = el("small");
  const count = el("strong");
  const of = el("span");
  const percent = el("strong", { class: "percent" });
  const bar = el("i");
  const button = el(
    "button",
    { type: "button" },
    el("span", { class: "name" }, title, layer, chip),
    el("em", {}, count, of),
    percent,
    el("div", { class: "meter", "aria-hidden": "true" }, bar),
  );
  button.addEventListener("click", onClick);
  const item = el("li", {}, button);
  return {
    item,
    button,
    set(state, { unit, selected, layerTitle }) {
      const numbers = numbersOf(state);
      setText(title, zoneTitle(state));
      setText(count, numbers.count);
      setText(of, numbers.of);
      setText(percent, numbers.percent);
      const look = lookOf(state);
      const bound = isLowerBound(state);
      button.dataset["look"] = look;
      button.classList.toggle("bound", bound);
      const remark = remarkOf(state);
      chip.hidden = remark === "";
      setText(chip, remark);
      setText(layer, layerTitle ?? "");
      layer.hidden = layerTitle === undefined;
      button.title = describeZone(state, unit);
      const width = `${fullnessOf(state)}%`;
      if (bar.style.width !== width) bar.style.width = width;
      if (selected) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    },
    place(index, total, left, top) {
      item.setAttribute("aria-posinset", String(index + 1));
      item.setAttribute("aria-setsize", String(total));
      item.style.left = left;
      item.style.top = top;
    },
  };
}
