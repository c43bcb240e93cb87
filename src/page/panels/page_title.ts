/// <reference lib="dom" />
/**
 * The title of the browser's tab: the connection if it is not live, the count
 * of the layer, and its name.
 *
 * @module
 */

import { capitalized } from "../elements/dom.ts";

const PRODUCT = "occupancy";

/** The title of the tab. */
export class PageTitle {
  #problem: string | undefined;
  #layer: string | undefined;

  /** Shows why the data is not live; undefined if it is. */
  set problem(problem: string | undefined) {
    this.#problem = problem;
    this.#show();
  }

  /** Shows a layer with its count: `12 people · Ground floor`. */
  set layer(layer: string | undefined) {
    this.#layer = layer;
    this.#show();
  }

  #show(): void {
    // A count of the present must not be taken for that of the past.
    const mode = document.body.dataset["mode"];
    const layer = mode === undefined ? this.#layer : capitalized(mode);
    const title = [
      ...(this.#problem === undefined ? [] : [`⚠ ${this.#problem}`]),
      ...(layer === undefined ? [] : [layer]),
      PRODUCT,
    ].join(" · ");
    if (document.title !== title) document.title = title;
  }
}
