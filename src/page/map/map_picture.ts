/// <reference lib="dom" />
/**
 * Draws the map as it is shown into a picture.
 *
 * @module
 */

/**
 * Draws the canvases of the map, cut to its element.
 *
 * @param context whose origin is the place of the map, in CSS pixels
 */
export function drawMapPicture(
  context: CanvasRenderingContext2D,
  map: HTMLElement,
): void {
  const box = map.getBoundingClientRect();
  context.save();
  context.beginPath();
  context.rect(0, 0, box.width, box.height);
  context.clip();
  for (const layer of map.querySelectorAll("canvas")) {
    if (layer.width === 0 || !layer.checkVisibility()) continue;
    const place = layer.getBoundingClientRect();
    const { opacity, filter } = getComputedStyle(layer);
    const parent = getComputedStyle(layer.parentElement!);
    context.globalAlpha = Number(opacity) * Number(parent.opacity);
    context.filter = filter;
    context.drawImage(
      layer,
      place.left - box.left,
      place.top - box.top,
      place.width,
      place.height,
    );
  }
  context.restore();
}
