/// <reference lib="dom" />
/**
 * Cells drawn one by one onto the pixels of the screen: for maps so scattered,
 * or seen from so far away, that bitmaps of their chunks would be nearly empty.
 *
 * @module
 */

import { type Frame, leftOf, seen, topOf } from "./viewport.ts";
import { TEXTURE } from "./palette.ts";
import type { World } from "./layer_cells.ts";

/** Draws a whole table; costs what the table holds, not what the map spans. */
export class ScatterPainter {
  #levels = new Uint8Array(0);
  #image: ImageData | undefined;

  /** Draws all cells that are seen, the most important where several meet. */
  draw(
    onto: CanvasRenderingContext2D,
    world: World,
    frame: Frame,
    pixels: Uint32Array,
  ): void {
    const { width, height, scale } = frame;
    if (this.#image?.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(width, height);
      this.#levels = new Uint8Array(width * height);
    }
    const levels = this.#levels.fill(0);
    const { x, y, length } = world.table;
    const { x0, y0, x1, y1 } = seen(frame);
    const side = Math.max(1, Math.round(scale));
    for (let row = 0; row < length; row++) {
      const column = x[row]!, line = y[row]!;
      if (column < x0 || column > x1 || line < y0 || line > y1) continue;
      const left = leftOf(frame, column), top = topOf(frame, line);
      const level = world.levelOfRow(row);
      const right = Math.min(left + side, width);
      const bottom = Math.min(top + side, height);
      for (let py = Math.max(top, 0); py < bottom; py++) {
        for (let px = Math.max(left, 0); px < right; px++) {
          const at = py * width + px;
          if (levels[at]! < level) levels[at] = level;
        }
      }
    }
    const words = new Uint32Array(this.#image.data.buffer);
    for (let py = 0, at = 0; py < height; py++) {
      for (let px = 0; px < width; px++, at++) {
        words[at] = pixels[levels[at]! * TEXTURE + (px + py) % TEXTURE]!;
      }
    }
    onto.putImageData(this.#image, 0, 0);
  }
}
