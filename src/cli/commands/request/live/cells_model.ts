/**
 * A watched map in a live view.
 *
 * @module
 */
import type { LayerDisplay } from "../../../../protocol/mod.ts";
import type { WatchEvent } from "../../../../request/mod.ts";
import { type Canvas, CountedCells } from "../../../terminal/map/mod.ts";
import type { KeyMeaning } from "./key_help.ts";
import type { Key } from "./keyboard.ts";
import type { Frame, LiveModel } from "./live_view.ts";

/** The data that a pane draws. */
export interface Scene extends Omit<Frame, "elapsed"> {
  readonly layer: string;
  readonly cells: CountedCells;
  /** The server's time, ms since 1970. */
  readonly time: number;
  /** In ms; undefined if cells do not become stale. */
  readonly staleAfter: number | undefined;
  /** How to show the layer; undefined for the defaults. */
  readonly display: LayerDisplay | undefined;
}

/** A way to show a map. It stores what the user selected by keys. */
export interface Pane {
  /** True if the drawing changes as time passes. */
  readonly hasAges: boolean;
  /** The keys that it uses. */
  readonly keys: readonly KeyMeaning[];
  /** Draws a scene, not larger than the terminal. */
  draw(scene: Scene): Canvas;
  /** Handles a key. Returns false if the pane does not use it. */
  press(key: Key): boolean;
}

/** The cells of a watched map, shown by a pane. */
export class CellsModel implements LiveModel<WatchEvent> {
  readonly #layer: string;
  readonly #pane: Pane;
  readonly #cells = new CountedCells();
  #last: WatchEvent | undefined;

  constructor(layer: string, pane: Pane) {
    this.#layer = layer;
    this.#pane = pane;
  }

  get hasAges(): boolean {
    return this.#pane.hasAges;
  }

  get keys(): readonly KeyMeaning[] {
    return this.#pane.keys;
  }

  apply(event: WatchEvent): void {
    if (event.kind === "snapshot") this.#cells.clear();
    this.#cells.add(event);
    this.#last = event;
  }

  draw({ elapsed, ...frame }: Frame): Canvas {
    const { time, staleAfter, display } = this.#last!;
    return this.#pane.draw({
      ...frame,
      layer: this.#layer,
      cells: this.#cells,
      // By the server's clock: the local one may differ.
      time: time + elapsed,
      staleAfter,
      display,
    });
  }

  press(key: Key): boolean {
    return this.#pane.press(key);
  }
}
