/// <reference lib="dom" />
/**
 * What the selected cells say, and the command that prints them.
 *
 * @module
 */

import type { CellCounts, Region } from "../../grid/mod.ts";
import { requestCommand } from "../elements/command.ts";
import { CommandBox } from "../elements/command_box.ts";
import { byId, el, setText } from "../elements/dom.ts";
import { count, some } from "../elements/format.ts";
import { ICONS } from "../elements/icons.ts";

/** The panel that is there while something is selected. */
export class SelectionPanel {
  readonly #panel = byId("section", "selection");
  readonly #where = el("p", { class: "where" });
  readonly #numbers = {
    people: number("People"),
    occupied: number("Occupied"),
    free: number("Free"),
    stale: number("Stale"),
    unknown: number("Unknown"),
  };
  readonly #command: CommandBox;

  constructor(clear: () => void, announce: (text: string) => void) {
    const close = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": "Clear the selection",
      title: "Clear (Esc)",
    }, ICONS.close());
    close.addEventListener("click", clear);
    this.#command = new CommandBox(announce);
    this.#panel.append(
      el("header", {}, el("h2", { id: "selection-title" }, "Selection"), close),
      this.#where,
      el(
        "dl",
        { class: "totals" },
        ...Object.values(this.#numbers).map(({ element }) => element),
      ),
      this.#command.element,
    );
  }

  /** Shows a selection, or that there is none. */
  update(
    selection: {
      readonly layer: string;
      readonly region: Region;
      readonly totals: CellCounts;
      /** Whether all of the region has come; else the totals are of a part. */
      readonly whole: boolean;
    } | undefined,
  ): void {
    this.#panel.hidden = selection === undefined;
    if (selection === undefined) return;
    const { layer, region, totals, whole } = selection;
    const { x0, y0, x1, y1 } = region;
    setText(
      this.#where,
      `x ${from(x0, x1)}, y ${from(y0, y1)} · ${some(totals.cells, "cell")}${
        whole ? "" : " so far: not all is loaded"
      }`,
    );
    for (const [name, { set }] of Object.entries(this.#numbers)) {
      set(count(totals[name as keyof CellCounts]));
    }
    this.#command.command = requestCommand(layer, region);
  }
}

function from(first: number, last: number): string {
  if (first === last) return String(first);
  return first < 0 || last < 0 ? `${first} to ${last}` : `${first}–${last}`;
}

function number(name: string) {
  const value = el("dd");
  return {
    element: el("div", {}, el("dt", {}, name), value),
    set: (text: string) => setText(value, text),
  };
}
