/// <reference lib="dom" />
/**
 * Draws cells that are a few pixels large or smaller, as textures without gaps.
 *
 * @module
 */

import { type Chunk, CHUNK_BITS, CHUNK_CELLS } from "./chunk.ts";
import type { LayerCells } from "./layer_cells.ts";
import { TEXTURE_PIXELS } from "./palette.ts";
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
  textures: Uint32Array;
}

/**
 * Draws dense layers from one bitmap per chunk, of which only the changed part
 * is painted again, and sparse layers cell by cell. A pixel that stands for
 * several cells shows the highest level.
 */
export class OverviewPainter {
  readonly #bitmaps = new WeakMap<Chunk, Bitmap>();
  /** Buffers in which pixels are composed, one per mip. */
  readonly #buffers: PixelBuffer[] = [];
  #screen: PixelBuffer | undefined;
  #screenLevels = new Uint8Array(0);

  /**
   * Draws the visible cells.
   *
   * @param textures of the palette, see `texturesOf`
   */
  draw(
    context: CanvasRenderingContext2D,
    cells: LayerCells,
    viewport: Viewport,
    textures: Uint32Array,
  ): void {
    const isChunkVisible = viewport.scale * CHUNK_CELLS >= 1;
    if (cells.sparse || !isChunkVisible) {
      this.#drawCells(context, cells, viewport, textures);
    } else this.#drawChunks(context, cells, viewport, textures);
  }

  #drawChunks(
    context: CanvasRenderingContext2D,
    cells: LayerCells,
    viewport: Viewport,
    textures: Uint32Array,
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
        this.#bitmapOf(chunk, mip, textures),
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
    textures: Uint32Array,
  ): HTMLCanvasElement {
    const side = CHUNK_CELLS >> mip;
    let bitmap = this.#bitmaps.get(chunk);
    let { x0, y0, x1, y1 } = chunk.dirty;
    if (bitmap?.mip !== mip || bitmap.textures !== textures) {
      bitmap ??= { context: newContext(), mip, textures };
      bitmap.context.canvas.width = bitmap.context.canvas.height = side;
      bitmap.mip = mip;
      bitmap.textures = textures;
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
    { context, mip, textures }: Bitmap,
    chunk: Chunk,
    [x0, y0, x1, y1]: readonly [number, number, number, number],
  ): void {
    const side = CHUNK_CELLS >> mip;
    const { image, pixels } = this.#buffers[mip] ??= newBuffer(side, side);
    const levels = chunk.mip(mip);
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const at = y * side + x;
        pixels[at] = texturePixel(textures, levels[at]!, x + y);
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
    textures: Uint32Array,
  ): void {
    const { width, height, scale } = viewport;
    const image = this.#screen?.image;
    if (image?.width !== width || image.height !== height) {
      this.#screen = newBuffer(width, height);
      this.#screenLevels = new Uint8Array(width * height);
    }
    const levels = this.#screenLevels.fill(0);
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
          const at = py * width + px;
          if (levels[at]! < level) levels[at] = level;
        }
      }
    }
    const screen = this.#screen!;
    for (let py = 0, at = 0; py < height; py++) {
      for (let px = 0; px < width; px++, at++) {
        screen.pixels[at] = texturePixel(textures, levels[at]!, px + py);
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

/** @param diagonal x + y of the pixel */
function texturePixel(
  textures: Uint32Array,
  level: number,
  diagonal: number,
): number {
  return textures[level * TEXTURE_PIXELS + diagonal % TEXTURE_PIXELS]!;
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
