/// <reference lib="dom" />
/**
 * All that is known of one cell, beside it. Who reported it last, and when, is
 * asked of the server when someone looks, and again as long as they look.
 *
 * @module
 */

import { byId, el, setText } from "../elements/dom.ts";
import type { CellFinder, CellPlace, CellReport } from "../feed/requests.ts";
import { ago, cellWords } from "../elements/format.ts";
import type { World } from "../map/layer_cells.ts";

/** A pointer that passes by asks nothing, ms. */
const LINGER = 120;
/** How often it is asked again: a report that repeats the last is not told, ms. */
const AGAIN = 2000;
const OFFSET = 14;
const EDGE = 8;

/** Where it is and what of. */
export interface TipTarget {
  readonly x: number;
  readonly y: number;
  /** The edges of the cell on the map, CSS pixels. */
  readonly rect: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  readonly layer: string;
  readonly title: string;
}

/** The box beside the cell that is pointed at. */
export class Tooltip {
  readonly #tip = byId("div", "tip");
  readonly #title = el("strong");
  readonly #where = el("div");
  readonly #age = el("div");
  readonly #source = el("div");
  readonly #find: CellFinder;
  readonly #found: (place: CellPlace, report: CellReport) => void;
  /** What was asked for last, and with which time it was known. */
  #asked = "";
  /** When there was an answer to it, of `performance.now()`. */
  #answered = Infinity;
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param found Called with a report that is newer than what is shown */
  constructor(
    find: CellFinder,
    found: (place: CellPlace, report: CellReport) => void,
  ) {
    this.#find = find;
    this.#found = found;
    this.#tip.append(this.#title, this.#where, this.#age, this.#source);
  }

  /** Takes it away. */
  hide(): void {
    this.#tip.hidden = true;
    this.#asked = "";
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  /** Shows a cell as it is known now. @param now The server's clock, ms since 1970 */
  show(target: TipTarget, world: World, now: number): void {
    const { x, y, title } = target;
    const row = world.table.find(x, y);
    const { value, stale, time } = world.table;
    const known = row >= 0;
    const words = cellWords(known ? value[row] : undefined, stale[row] === 1);
    setText(
      this.#title,
      words.detail ? `${words.title} · ${words.detail}` : words.title,
    );
    setText(this.#where, `x ${x}, y ${y} · ${title}`);
    const age = known ? `observed ${ago(now - time[row]!)}` : "never reported";
    setText(this.#age, age);
    this.#tip.hidden = false;
    this.#place(target);
    // A source may change with each report, not only with the place.
    const observed = known ? time[row]! : undefined;
    const asked = keyOf(target, observed);
    const due = performance.now() - this.#answered >= AGAIN;
    if (asked === this.#asked && !due) return;
    const same = this.#asked.startsWith(keyOf(target, undefined).slice(0, -1));
    this.#asked = asked;
    this.#answered = Infinity;
    clearTimeout(this.#timer);
    this.#abort.abort();
    if (!same) this.#source.hidden = true;
    if (observed === undefined) return;
    this.#timer = setTimeout(() => this.#ask(target, observed), LINGER);
  }

  /** @param observed When, as far as it is known */
  async #ask(target: TipTarget, observed: number): Promise<void> {
    const abort = this.#abort = new AbortController();
    try {
      const { source, report } = await this.#find(target, abort.signal);
      if (abort.signal.aborted) return;
      this.#source.hidden = source === null;
      setText(this.#source, `from ${source}`);
      this.#place(target);
      this.#answered = performance.now();
      if (report === undefined || report.time <= observed) return;
      // It will be known in a moment, and is nothing to ask for again.
      this.#asked = keyOf(target, report.time);
      this.#found(target, report);
    } catch {
      // No answer: it stays without a source, and is asked again.
      if (abort.signal.aborted) return;
      this.#source.hidden = true;
      this.#answered = performance.now();
    }
  }

  /** Beside the cell where there is room, never over it. */
  #place({ rect }: TipTarget): void {
    const map = this.#tip.parentElement!;
    const { clientWidth: room, clientHeight: height } = map;
    const { offsetWidth: wide, offsetHeight: high } = this.#tip;
    const right = rect.left + rect.width + OFFSET;
    const left = right + wide + EDGE <= room
      ? right
      : rect.left - OFFSET - wide;
    const below = rect.top + rect.height + OFFSET;
    const fitsBeside = left >= EDGE;
    const top = fitsBeside
      ? rect.top + rect.height / 2 - high / 2
      : below + high + EDGE <= height
      ? below
      : rect.top - OFFSET - high;
    const clamp = (at: number, most: number) =>
      Math.round(Math.min(Math.max(at, EDGE), Math.max(EDGE, most - EDGE)));
    this.#tip.style.transform = `translate(${
      clamp(fitsBeside ? left : rect.left, room - wide)
    }px, ${clamp(top, height - high)}px)`;
  }
}

/** What was asked for: a place, and the time of its report as far as it is known. */
function keyOf({ layer, x, y }: CellPlace, time: number | undefined): string {
  return JSON.stringify(
    time === undefined ? [layer, x, y] : [layer, x, y, time],
  );
}
