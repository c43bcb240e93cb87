/**
 * Scrolls through the rows of a table by keys.
 *
 * @module
 */
import type { KeyMeaning } from "./key_help.ts";
import type { Key } from "./keyboard.ts";

/** The keys that a {@linkcode Scroller} uses. */
export const SCROLL_KEYS: readonly KeyMeaning[] = [
  ["↑  ↓", "scroll by a row"],
  ["PgUp  PgDn  Space", "scroll by a screen"],
  ["Home  End", "first and last rows"],
];

/** Which rows of a table are visible. */
export class Scroller {
  readonly #maxRows: number;
  /** Index of the first visible row. */
  #top = 0;
  /** Number of visible rows, as of the last frame. */
  #visibleRows = 1;

  /** @param maxRows maximum rows to scroll through */
  constructor(maxRows: number) {
    this.#maxRows = maxRows;
  }

  /**
   * Returns the visible rows of a frame.
   *
   * @param rows number of rows of the table
   * @param visible number of rows for which there is room
   */
  fit(rows: number, visible: number): { top: number; end: number } {
    const reachable = Math.min(rows, this.#maxRows);
    this.#visibleRows = Math.max(1, visible);
    this.#top = Math.max(0, Math.min(this.#top, reachable - this.#visibleRows));
    return {
      top: this.#top,
      end: Math.min(reachable, this.#top + this.#visibleRows),
    };
  }

  /** Shows the first rows. */
  reset(): void {
    this.#top = 0;
  }

  /** Handles a key. Returns false if it does not scroll. */
  press(key: Key): boolean {
    switch (key) {
      case "up":
        return this.#scroll(-1);
      case "down":
        return this.#scroll(1);
      case "page up":
        return this.#scroll(-this.#visibleRows);
      case "page down":
      case " ":
        return this.#scroll(this.#visibleRows);
      case "home":
        return this.#scroll(-Infinity);
      case "end":
        return this.#scroll(this.#maxRows);
    }
    return false;
  }

  /** Scrolls; the next frame limits the position to the last rows. */
  #scroll(rows: number): boolean {
    this.#top = Math.max(0, this.#top + rows);
    return true;
  }
}
