/// <reference lib="dom" />
/**
 * The title of the browser's tab: the connection if it is not live, the count
 * of the layer, and its name.
 *
 * @module
 */

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
    const title = [
      ...(this.#problem === undefined ? [] : [`⚠ ${this.#problem}`]),
      ...(this.#layer === undefined ? [] : [this.#layer]),
      PRODUCT,
    ].join(" · ");
    if (document.title !== title) document.title = title;
  }
}
