/// <reference lib="dom" />
/**
 * The map as bitmaps, one for each chunk, drawn to scale.
 *
 * @module
 */

import { CHUNK, type Chunk, CHUNK_BITS } from "./chunk.ts";
import { type Frame, leftOf, seen, topOf } from "./viewport.ts";
import { TEXTURE } from "./palette.ts";
import type { World } from "./layer_cells.ts";

/** A chunk as last painted. */
interface Picture {
  readonly context: CanvasRenderingContext2D;
  mip: number;
  pixels: Uint32Array;
}

/** Keeps a bitmap of every chunk that is seen, and paints what changed. */
export class ChunkPainter {
  readonly #pictures = new WeakMap<Chunk, Picture>();
  /** Where pixels are put together, for each mip. */
  readonly #images: (readonly [ImageData, Uint32Array])[] = [];

  /**
   * Draws the chunks that are seen.
   *
   * @param pixels The palette, see `pixelsOf`
   */
  draw(
    onto: CanvasRenderingContext2D,
    world: World,
    frame: Frame,
    pixels: Uint32Array,
  ): void {
    // A pixel of the bitmap is never smaller than one of the screen: with
    // smoothing off it might not be drawn, and an occupied cell be lost.
    const mip = mipOf(frame.scale);
    onto.imageSmoothingEnabled = false;
    for (const chunk of seenChunks(world, frame)) {
      const { cx, cy } = chunk;
      const left = leftOf(frame, cx * CHUNK);
      const top = topOf(frame, cy * CHUNK);
      // Edges are whole pixels and shared by neighbours: no seams.
      onto.drawImage(
        this.#painted(chunk, mip, pixels),
        left,
        top,
        leftOf(frame, (cx + 1) * CHUNK) - left,
        topOf(frame, (cy + 1) * CHUNK) - top,
      );
    }
  }

  #painted(chunk: Chunk, mip: number, pixels: Uint32Array): HTMLCanvasElement {
    const side = CHUNK >> mip;
    let picture = this.#pictures.get(chunk);
    const { dirty } = chunk;
    let { x0, y0, x1, y1 } = dirty;
    if (picture?.mip !== mip || picture.pixels !== pixels) {
      picture ??= { context: contextOf(), mip, pixels };
      picture.context.canvas.width = picture.context.canvas.height = side;
      picture.mip = mip;
      picture.pixels = pixels;
      this.#pictures.set(chunk, picture);
      [x0, y0, x1, y1] = [0, 0, CHUNK - 1, CHUNK - 1];
    }
    if (x1 >= x0) {
      this.#paint(picture, chunk, [x0 >> mip, y0 >> mip, x1 >> mip, y1 >> mip]);
      chunk.clean();
    }
    return picture.context.canvas;
  }

  /** Paints a part of a chunk. @param part In pixels of its mip; edges belong to it */
  #paint(
    { context, mip, pixels }: Picture,
    chunk: Chunk,
    [x0, y0, x1, y1]: readonly [number, number, number, number],
  ): void {
    const side = CHUNK >> mip;
    const [image, words] = this.#imageOf(mip);
    const levels = chunk.mip(mip);
    for (let y = y0; y <= y1; y++) {
      for (let x = x0; x <= x1; x++) {
        const at = y * side + x;
        words[at] = pixels[levels[at]! * TEXTURE + (x + y) % TEXTURE]!;
      }
    }
    context.putImageData(image, 0, 0, x0, y0, x1 - x0 + 1, y1 - y0 + 1);
  }

  #imageOf(mip: number): readonly [ImageData, Uint32Array] {
    const side = CHUNK >> mip;
    return this.#images[mip] ??= (() => {
      const image = new ImageData(side, side);
      return [image, new Uint32Array(image.data.buffer)] as const;
    })();
  }
}

/** Whether chunks are large enough on the screen to be drawn one by one. */
export function suitsChunks({ scale }: Frame): boolean {
  return scale * CHUNK >= 1;
}

/** How often cells are halved so that what is left is at least a pixel. */
function mipOf(scale: number): number {
  const halved = Math.ceil(Math.log2(1 / scale) - 1e-9);
  return Math.min(Math.max(halved, 0), CHUNK_BITS);
}

function* seenChunks(world: World, frame: Frame): Iterable<Chunk> {
  const { x0, y0, x1, y1 } = seen(frame);
  // No shifts: what is seen may reach beyond 32 bits.
  const left = Math.floor(x0 / CHUNK), right = Math.floor(x1 / CHUNK);
  const top = Math.floor(y0 / CHUNK), bottom = Math.floor(y1 / CHUNK);
  for (const chunk of world.chunks()) {
    const { cx, cy } = chunk;
    if (cx >= left && cx <= right && cy >= top && cy <= bottom) yield chunk;
  }
}

function contextOf(): CanvasRenderingContext2D {
  return document.createElement("canvas").getContext("2d")!;
}
