/// <reference lib="dom" />
/**
 * The tooltip of a cell: its state, age and source. While it is visible it
 * requests the source and the latest observation from the server.
 *
 * @module
 */

import { printable } from "../../common/printable.ts";
import type { Unit } from "../../protocol/display.ts";
import { byId, el, setText } from "../elements/dom.ts";
import { describeCell, formatAge, formatDuration } from "../elements/format.ts";
import {
  type CellLocation,
  fetchCell,
  type Observation,
} from "../feed/requests.ts";
import type { LayerCells } from "../map/layer_cells.ts";
import type { Rect } from "../map/map_view.ts";

/**
 * Delay of a request, so that a pointer that only crosses a cell sends none,
 * ms.
 */
const REQUEST_DELAY_MS = 120;
/** Interval of requests: the feed omits readings that repeat a value, ms. */
const REFRESH_INTERVAL_MS = 2000;
/** Distance to the cell, CSS pixels. */
const OFFSET_PX = 14;
/** Distance to the edge of the map, CSS pixels. */
const MARGIN_PX = 8;

/** The cell of the tooltip. */
export interface TooltipTarget extends CellLocation {
  /** The title of the layer. */
  readonly title: string;
  /** What the values count; undefined for people. */
  readonly unit: Unit | undefined;
  /** The place of the cell on the map. */
  readonly rect: Rect;
  /** The zones of the cell in words, one a line. */
  readonly zones: readonly string[];
  /**
   * Whether the cell is shown as it was: then its time is the begin of its
   * state, or NaN, and there is no newer observation to request.
   */
  readonly past: boolean;
}

/** The tooltip. */
export class Tooltip {
  readonly #tip = byId("div", "tip");
  readonly #state = el("strong");
  readonly #location = el("div");
  readonly #age = el("div");
  readonly #source = el("div");
  readonly #zones = el("div", { class: "zones-of-cell" });
  readonly #onNewer: (cell: CellLocation, observation: Observation) => void;
  /** The cell and observation time of the last request. */
  #requested: { readonly cell: string; readonly time: number | undefined } = {
    cell: "",
    time: undefined,
  };
  /** When the last request ended, as `performance.now()`. */
  #answered = Infinity;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param onNewer called with an observation that is newer than the one shown
   */
  constructor(
    onNewer: (cell: CellLocation, observation: Observation) => void,
  ) {
    this.#onNewer = onNewer;
    this.#tip.append(
      this.#state,
      this.#location,
      this.#age,
      this.#source,
      this.#zones,
    );
  }

  /** Hides the tooltip. */
  hide(): void {
    this.#tip.hidden = true;
    this.#requested = { cell: "", time: undefined };
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  /**
   * Shows the tooltip of a cell.
   *
   * @param now the server's clock, ms since 1970
   */
  show(target: TooltipTarget, cells: LayerCells, now: number): void {
    const { x, y, title, unit } = target;
    const row = cells.table.find(x, y);
    const { value, stale } = cells.table;
    const time = row < 0 ? undefined : cells.table.time[row]!;
    const state = describeCell(
      row < 0 ? undefined : value[row],
      stale[row] === 1,
      unit,
    );
    setText(
      this.#state,
      state.detail ? `${state.title} · ${state.detail}` : state.title,
    );
    setText(this.#location, `x ${x}, y ${y} · ${title}`);
    setText(this.#age, describeAge(target, time, now));
    this.#location.hidden = this.#age.hidden = false;
    setText(this.#zones, target.zones.join("\n"));
    this.#zones.hidden = target.zones.length === 0;
    this.#tip.hidden = false;
    this.#place(target.rect);
    if (!target.past) return this.#requestIfDue(target, time);
    this.#requested = { cell: "", time: undefined };
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#source.hidden = true;
  }

  /** Shows a text beside a cell. */
  showText(title: string, lines: readonly string[], rect: Rect): void {
    this.hide();
    setText(this.#state, title);
    for (
      const [index, line] of [this.#location, this.#age, this.#source].entries()
    ) {
      setText(line, lines[index] ?? "");
      line.hidden = lines[index] === undefined;
    }
    this.#zones.hidden = true;
    this.#tip.hidden = false;
    this.#place(rect);
  }

  /** Each observation can have another source, so each one is requested. */
  #requestIfDue(target: TooltipTarget, time: number | undefined): void {
    const cell = cellKey(target);
    const sameCell = cell === this.#requested.cell;
    const due = performance.now() - this.#answered >= REFRESH_INTERVAL_MS;
    if (sameCell && time === this.#requested.time && !due) return;
    this.#requested = { cell, time };
    this.#answered = Infinity;
    clearTimeout(this.#timer);
    this.#abort.abort();
    if (!sameCell) this.#source.hidden = true;
    if (time === undefined) return;
    this.#timer = setTimeout(
      () => this.#request(target, time),
      REQUEST_DELAY_MS,
    );
  }

  /** @param time of the observation that is shown */
  async #request(target: TooltipTarget, time: number): Promise<void> {
    const abort = this.#abort = new AbortController();
    try {
      const { source, observation } = await fetchCell(target, abort.signal);
      if (abort.signal.aborted) return;
      this.#source.hidden = source === null;
      setText(this.#source, `from ${printable(source ?? "")}`);
      this.#place(target.rect);
      this.#answered = performance.now();
      if (observation === undefined || observation.time <= time) return;
      // The source belongs to this observation: no request for it.
      this.#requested = { cell: cellKey(target), time: observation.time };
      this.#onNewer(target, observation);
    } catch {
      // Without an answer the source is unknown. REFRESH_INTERVAL_MS still
      // applies.
      if (abort.signal.aborted) return;
      this.#source.hidden = true;
      this.#answered = performance.now();
    }
  }

  /**
   * Places the tooltip beside the cell, or below or above it, within the map.
   */
  #place({ left, top, width, height }: Rect): void {
    const { clientWidth: mapWidth, clientHeight: mapHeight } = this.#tip
      .parentElement!;
    const { offsetWidth: tipWidth, offsetHeight: tipHeight } = this.#tip;
    const right = left + width + OFFSET_PX;
    const below = top + height + OFFSET_PX;
    const fitsRight = right + tipWidth + MARGIN_PX <= mapWidth;
    const beside = fitsRight ? right : left - OFFSET_PX - tipWidth;
    const fitsBeside = beside >= MARGIN_PX;
    const fitsBelow = below + tipHeight + MARGIN_PX <= mapHeight;
    const tipTop = fitsBeside
      ? top + height / 2 - tipHeight / 2
      : fitsBelow
      ? below
      : top - OFFSET_PX - tipHeight;
    const clamp = (at: number, max: number) =>
      Math.round(
        Math.min(Math.max(at, MARGIN_PX), Math.max(MARGIN_PX, max - MARGIN_PX)),
      );
    this.#tip.style.transform = `translate(${
      clamp(fitsBeside ? beside : left, mapWidth - tipWidth)
    }px, ${clamp(tipTop, mapHeight - tipHeight)}px)`;
  }
}

function describeAge(
  { past }: TooltipTarget,
  time: number | undefined,
  now: number,
): string {
  if (time === undefined) return past ? "not reported yet" : "never reported";
  if (!past) return `observed ${formatAge(now - time)}`;
  return Number.isNaN(time) ? "" : `for ${formatDuration(now - time)}`;
}

function cellKey({ layer, x, y }: CellLocation): string {
  return JSON.stringify([layer, x, y]);
}
