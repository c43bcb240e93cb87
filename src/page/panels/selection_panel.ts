/// <reference lib="dom" />
/**
 * The panel with the counts of the selected cells, and the command that prints
 * them.
 *
 * @module
 */

import type { CellCounts } from "../../grid/cell_counter.ts";
import { nounOf, type Unit } from "../../protocol/display.ts";
import type { Region } from "../../protocol/region.ts";
import { CommandBox } from "../elements/command_box.ts";
import { type Access, requestCommand } from "../elements/commands.ts";
import { byId, capitalized, el, setText } from "../elements/dom.ts";
import { formatCount, formatQuantity } from "../elements/format.ts";
import { ICONS } from "../elements/icons.ts";

/** The selected cells. */
export interface Selection {
  readonly layer: string;
  /** What the values count; undefined for people. */
  readonly unit: Unit | undefined;
  /** How the command reaches the broker; undefined if not known yet. */
  readonly access: Access | undefined;
  readonly region: Region;
  readonly counts: CellCounts;
  /** Whether all cells of the region are loaded and counted. */
  readonly complete: boolean;
}

/** The panel, which is visible while cells are selected. */
export class SelectionPanel {
  readonly #panel = byId("section", "selection");
  readonly #extent = el("p", { class: "extent" });
  readonly #counts = {
    people: createCount("People"),
    occupied: createCount("Occupied"),
    free: createCount("Free"),
    stale: createCount("Stale"),
    unknown: createCount("Unknown"),
  };
  readonly #command = new CommandBox();

  /** @param onClear called when the user clears the selection */
  constructor(onClear: () => void) {
    const close = el("button", {
      type: "button",
      class: "quiet",
      "aria-label": "Clear the selection",
      title: "Clear (Esc)",
    }, ICONS.close());
    close.addEventListener("click", onClear);
    this.#panel.append(
      el("header", {}, el("h2", { id: "selection-title" }, "Selection"), close),
      this.#extent,
      el(
        "dl",
        { class: "totals" },
        ...Object.values(this.#counts).map(({ element }) => element),
      ),
      this.#command.element,
    );
  }

  /** Shows a selection; undefined hides the panel. */
  update(selection: Selection | undefined): void {
    this.#panel.hidden = selection === undefined;
    if (selection === undefined) return;
    const { layer, unit, access, region, counts, complete } = selection;
    const { x0, y0, x1, y1 } = region;
    const extent = `x ${formatRange(x0, x1)}, y ${formatRange(y0, y1)}`;
    const cells = formatQuantity(counts.cells, "cell");
    setText(
      this.#extent,
      `${extent} · ${cells}${complete ? "" : " loaded so far"}`,
    );
    const { people } = this.#counts;
    people.element.hidden = counts.people === counts.occupied;
    people.setName(capitalized(nounOf(counts.people, unit)));
    for (const [name, { set }] of Object.entries(this.#counts)) {
      set(formatCount(counts[name as keyof CellCounts]));
    }
    this.#command.command = access && requestCommand(layer, region, access);
  }
}

function formatRange(first: number, last: number): string {
  if (first === last) return String(first);
  return first < 0 || last < 0 ? `${first} to ${last}` : `${first}–${last}`;
}

function createCount(name: string) {
  const term = el("dt", {}, name);
  const value = el("dd");
  return {
    element: el("div", {}, term, value),
    setName: (text: string) => setText(term, text),
    set: (text: string) => setText(value, text),
  };
}
