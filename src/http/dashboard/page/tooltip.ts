/// <reference lib="dom" />
/**
 * All that is known of one cell, beside it. Who reported it is asked of the
 * server when someone looks.
 *
 * @module
 */

import { byId, el, setText } from "./dom.ts";
import { ago, cellWords } from "./format.ts";
import type { World } from "./world.ts";

/** A pointer that passes by asks nothing, ms. */
const LINGER = 120;
const OFFSET = 14;
const EDGE = 8;

/** Finds out who reported a cell; null if nobody said. */
export type SourceFinder = (
  cell: { readonly layer: string; readonly x: number; readonly y: number },
  signal: AbortSignal,
) => Promise<string | null>;

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
  readonly #find: SourceFinder;
  #asked = "";
  #abort = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(find: SourceFinder) {
    this.#find = find;
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
    const { x, y, layer, title } = target;
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
    const asked = JSON.stringify([layer, x, y, known && time[row]]);
    if (asked === this.#asked) return;
    const same = this.#asked.startsWith(
      JSON.stringify([layer, x, y]).slice(0, -1),
    );
    this.#asked = asked;
    clearTimeout(this.#timer);
    this.#abort.abort();
    if (!same) this.#source.hidden = true;
    if (known) {
      this.#timer = setTimeout(
        () => this.#ask({ layer, x, y }, target),
        LINGER,
      );
    }
  }

  async #ask(
    cell: Parameters<SourceFinder>[0],
    target: TipTarget,
  ): Promise<void> {
    const abort = this.#abort = new AbortController();
    try {
      const source = await this.#find(cell, abort.signal);
      if (abort.signal.aborted) return;
      this.#source.hidden = source === null;
      setText(this.#source, `from ${source}`);
      this.#place(target);
    } catch {
      // No answer: it stays without a source, and is asked again with the next report.
      if (!abort.signal.aborted) this.#source.hidden = true;
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
