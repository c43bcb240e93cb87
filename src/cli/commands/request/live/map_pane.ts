import type { Region } from "../../../../grid/mod.ts";
import {
  type Canvas,
  further,
  type Gaze,
  moved,
  nearer,
  type RenderedMap,
  renderMap,
  viewportOf,
} from "../../../terminal/map/mod.ts";
import type { Key } from "./keys.ts";
import type { Pane, Scene } from "./pane.ts";

const KEYS = ["q quit · arrows pan · +/- zoom · 0 all"];
/** Eighths of the picture that an arrow moves it, across and down. */
const ARROWS: Record<Key, readonly [number, number]> = {
  left: [-1, 0],
  right: [1, 0],
  up: [0, -1],
  down: [0, 1],
};

/** The map as a picture, in which one can look around. */
export class MapPane implements Pane {
  readonly ages = false;
  readonly #region: Region | undefined;
  #gaze: Gaze | undefined;
  #shown: RenderedMap["shown"];

  /** @param region What is shown from afar. Default: the least that has all cells */
  constructor(region?: Region) {
    this.#region = region;
  }

  draw(scene: Scene): Canvas {
    const { note, staleAfter, ...rest } = scene;
    const rendered = renderMap({
      ...rest,
      ...(note === undefined ? { notes: KEYS } : { warning: note }),
      ...(staleAfter !== undefined && { staleAfter }),
      ...(this.#region && { region: this.#region }),
      ...(this.#gaze && { gaze: this.#gaze }),
    });
    this.#shown = rendered.shown;
    return rendered.canvas;
  }

  press(key: Key): boolean {
    if (this.#shown === undefined) return false;
    const { room, region } = this.#shown;
    // Several keys may come before the next picture.
    const view = viewportOf(region, room, this.#gaze);
    if (key === "+" || key === "=") this.#gaze = nearer(view, room);
    else if (key === "-" || key === "_") {
      this.#gaze = further(view, room, region);
    } else if (key === "0" || key === "home") this.#gaze = undefined;
    else if (ARROWS[key] && this.#gaze) {
      this.#gaze = moved(view, ...ARROWS[key]);
    } else return false;
    return true;
  }
}
