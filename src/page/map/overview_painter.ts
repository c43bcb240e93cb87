/// <reference lib="dom" />
/**
 * Draws cells that are a few pixels large or smaller, as textures without gaps.
 *
 * @module
 */

import { type Chunk, CHUNK_BITS, CHUNK_CELLS } from "./chunk.ts";
import { Level } from "../../grid/status.ts";
import { BlockCounter, PixelTally, type Shades } from "./density.ts";
import type { LayerCells } from "./layer_cells.ts";
import {
  bottomOf,
  leftOf,
  topOf,
  type Viewport,
  visibleRegion,
} from "./viewport.ts";

/** The bitmap of a chunk, as last painted. */
interface Bitmap {
  readonly context: CanvasRenderingContext2D;
  mip: number;
  shades: Shades;
}

/**
 * Draws dense layers from one bitmap per chunk, of which only the changed part
 * is painted again, and sparse layers cell by cell. A pixel that stands for
 * several cells shows the highest level, the stronger the more cells have it.
 */
export class OverviewPainter {
  readonly #bitmaps = new WeakMap<Chunk, Bitmap>();
  /** Buffers in which pixels are composed, one per mip. */
  readonly #buffers: PixelBuffer[] = [];
  readonly #block = new BlockCounter();
  #screen: PixelBuffer | undefined;
  #tally = new PixelTally(0);

  /**
   * Draws the visible cells.
   *
   * @param shades of the palette
   */
  draw(
    context: CanvasRenderingContext2D,
    cells: LayerCells,
    viewport: Viewport,
    shades: Shades,
  ): void {
    const isChunkVisible = viewport.scale * CHUNK_CELLS >= 1;
    if (cells.sparse || !isChunkVisible) {
      this.#drawCells(context, cells, viewport, shades);
    } else this.#drawChunks(context, cells, viewport, shades);
  }

  #drawChunks(
    context: CanvasRenderingContext2D,
    cells: LayerCells,
    viewport: Viewport,
    shades: Shades,
  ): void {
    const { scale, yUp } = viewport;
    const mip = mipOf(scale);
    context.imageSmoothingEnabled = false;
    for (const chunk of visibleChunks(cells, viewport)) {
      const { cx, cy } = chunk;
      const left = leftOf(viewport, cx * CHUNK_CELLS);
      const top = topOf(viewport, cy * CHUNK_CELLS, CHUNK_CELLS);
      const bottom = bottomOf(viewport, cy * CHUNK_CELLS, CHUNK_CELLS);
      // The first row of a bitmap has the smallest y.
      context.setTransform(1, 0, 0, yUp ? -1 : 1, 0, yUp ? top + bottom : 0);
      // Adjacent chunks share an edge in whole pixels: no seams.
      context.drawImage(
        this.#bitmapOf(chunk, mip, shades),
        left,
        top,
        leftOf(viewport, (cx + 1) * CHUNK_CELLS) - left,
        bottom - top,
      );
    }
    context.resetTransform();
  }

  /** Returns the up-to-date bitmap of a chunk. */
  #bitmapOf(
    chunk: Chunk,
    mip: number,
    shades: Shades,
  ): HTMLCanvasElement {
    const side = CHUNK_CELLS >> mip;
    let bitmap = this.#bitmaps.get(chunk);
    let { x0, y0, x1, y1 } = chunk.dirty;
    if (bitmap?.mip !== mip || bitmap.shades !== shades) {
      bitmap ??= { context: newContext(), mip, shades };
      bitmap.context.canvas.width = bitmap.context.canvas.height = side;
      bitmap.mip = mip;
      bitmap.shades = shades;
      this.#bitmaps.set(chunk, bitmap);
      [x0, y0, x1, y1] = [0, 0, CHUNK_CELLS - 1, CHUNK_CELLS - 1];
    }
    if (x1 >= x0) {
      this.#paint(bitmap, chunk, [x0 >> mip, y0 >> mip, x1 >> mip, y1 >> mip]);
      chunk.markClean();
    }
    return bitmap.context.canvas;
  }

  /** Paints a part of a chunk, in pixels of its mip, both corners included. */
  #paint(
    { context, mip, shades }: Bitmap,
    chunk: Chunk,
    [x0, y0, x1, y1]: readonly [number, number, number, number],
  ): void {
    const side = CHUNK_CELLS >> mip;
    const { image, pixels } = this.#buffers[mip] ??= newBuffer(side, side);
    const levels = chunk.mip(mip);
    const cells = chunk.mip(0);
    const block = this.#block;
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const at = y * side + x;
        const level = levels[at]!;
        if (mip === 0 || level <= Level.Free) {
          pixels[at] = shades.plain(level, x + y);
          continue;
        }
        const first = (y << mip + CHUNK_BITS) + (x << mip);
        block.count(cells, CHUNK_CELLS, first, 1 << mip, level);
        pixels[at] = shades.shaded(level, block.base, block.share, x + y);
      }
    }
    context.putImageData(image, 0, 0, x0, y0, x1 - x0 + 1, y1 - y0 + 1);
  }

  /**
   * Draws the cells one by one. The time depends on their number, not on the
   * area.
   */
  #drawCells(
    context: CanvasRenderingContext2D,
    cells: LayerCells,
    viewport: Viewport,
    shades: Shades,
  ): void {
    const { width, height, scale } = viewport;
    const image = this.#screen?.image;
    if (image?.width !== width || image.height !== height) {
      this.#screen = newBuffer(width, height);
      this.#tally = new PixelTally(width * height);
    }
    const tally = this.#tally;
    tally.clear();
    const { x, y, length } = cells.table;
    const { x0, y0, x1, y1 } = visibleRegion(viewport);
    const side = Math.max(1, Math.round(scale));
    for (let row = 0; row < length; row++) {
      const cellX = x[row]!, cellY = y[row]!;
      if (cellX < x0 || cellX > x1 || cellY < y0 || cellY > y1) continue;
      const left = leftOf(viewport, cellX), top = topOf(viewport, cellY);
      const level = cells.levelOfRow(row);
      const right = Math.min(left + side, width);
      const bottom = Math.min(top + side, height);
      for (let py = Math.max(top, 0); py < bottom; py++) {
        for (let px = Math.max(left, 0); px < right; px++) {
          tally.add(py * width + px, level);
        }
      }
    }
    const screen = this.#screen!;
    for (let py = 0, at = 0; py < height; py++) {
      for (let px = 0; px < width; px++, at++) {
        const level = tally.levels[at]!;
        screen.pixels[at] = scale < 1 && level > Level.Free
          ? shades.shaded(level, tally.bases[at]!, tally.share(at), px + py)
          : shades.plain(level, px + py);
      }
    }
    context.putImageData(screen.image, 0, 0);
  }
}

/** An image and the same memory as 32-bit pixels. */
interface PixelBuffer {
  readonly image: ImageData;
  readonly pixels: Uint32Array;
}

function newBuffer(width: number, height: number): PixelBuffer {
  const image = new ImageData(width, height);
  return { image, pixels: new Uint32Array(image.data.buffer) };
}

function newContext(): CanvasRenderingContext2D {
  return document.createElement("canvas").getContext("2d")!;
}

/**
 * The mip whose pixels are at least as large as screen pixels. Scaling could
 * drop smaller pixels, and with them an occupied cell.
 */
function mipOf(scale: number): number {
  const mip = Math.ceil(Math.log2(1 / scale) - 1e-9);
  return Math.min(Math.max(mip, 0), CHUNK_BITS);
}

function* visibleChunks(
  cells: LayerCells,
  viewport: Viewport,
): Iterable<Chunk> {
  const { x0, y0, x1, y1 } = visibleRegion(viewport);
  // Division, not a shift: the region may exceed 32 bits.
  const left = Math.floor(x0 / CHUNK_CELLS);
  const right = Math.floor(x1 / CHUNK_CELLS);
  const top = Math.floor(y0 / CHUNK_CELLS);
  const bottom = Math.floor(y1 / CHUNK_CELLS);
  for (const chunk of cells.chunks()) {
    const { cx, cy } = chunk;
    if (cx >= left && cx <= right && cy >= top && cy <= bottom) yield chunk;
  }
}
