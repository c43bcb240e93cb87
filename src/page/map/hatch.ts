/// <reference lib="dom" />
/**
 * The hatching of what is unknown.
 *
 * @module
 */

/** The colours of a hatching, as in CSS. */
export interface HatchColors {
  readonly lines: string;
  /** Between the lines. Default: transparent. */
  readonly space?: string;
}

/**
 * Draws a hatching on an image that repeats.
 *
 * @param px distance of the lines, CSS pixels
 * @param pixelRatio device pixels of a CSS pixel
 */
export function createHatch(
  { lines, space }: HatchColors,
  px: number,
  pixelRatio: number,
): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  const side = Math.max(4, Math.round(px * pixelRatio));
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d")!;
  if (space !== undefined) {
    context.fillStyle = space;
    context.fillRect(0, 0, side, side);
  }
  context.strokeStyle = lines;
  context.lineWidth = side / 4;
  context.beginPath();
  for (const shift of [-side, 0, side]) {
    context.moveTo(shift - 1, side + 1);
    context.lineTo(shift + side + 1, -1);
  }
  context.stroke();
  return canvas;
}
