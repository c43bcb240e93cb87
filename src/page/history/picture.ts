/// <reference lib="dom" />
/**
 * Saves what the history shows as a picture (PNG).
 *
 * @module
 */

import { el } from "../elements/dom.ts";
import { pictureOf, saveFile } from "../elements/save_file.ts";
import { drawMapPicture } from "../map/map_picture.ts";
import { readChartColors } from "./chart_colors.ts";

const HEAD_PX = 52;
const MARGIN_PX = 16;

/** What is in the picture. */
export interface PictureParts {
  /** The element of the map; its canvases are drawn as they are shown. */
  readonly map: HTMLElement;
  /** The curve of the day. */
  readonly curve: HTMLCanvasElement;
  readonly title: string;
  /** When, and that it is not live. */
  readonly subtitle: string;
  readonly fileName: string;
}

/**
 * Saves a picture.
 *
 * @throws {Error} if the browser makes none
 */
export async function savePicture(parts: PictureParts): Promise<void> {
  saveFile(parts.fileName, await pictureOf(drawPicture(parts)));
}

function drawPicture(
  { map, curve, title, subtitle }: PictureParts,
): HTMLCanvasElement {
  const colors = readChartColors();
  const ratio = devicePixelRatio;
  const box = map.getBoundingClientRect();
  const curveBox = curve.getBoundingClientRect();
  const width = Math.max(box.width, curveBox.width) + 2 * MARGIN_PX;
  const top = HEAD_PX + MARGIN_PX / 2;
  const height = top + box.height + MARGIN_PX + curveBox.height + MARGIN_PX;
  const canvas = el("canvas", {
    width: Math.round(width * ratio),
    height: Math.round(height * ratio),
  });
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  context.fillStyle = colors.of("panel");
  context.fillRect(0, 0, width, height);
  context.fillStyle = colors.of("amber");
  context.fillRect(0, 0, width, 5);
  context.fillStyle = colors.of("text");
  context.font = `700 18px ${colors.font}`;
  context.fillText(title, MARGIN_PX, 30);
  context.fillStyle = colors.of("muted");
  context.font = `13px ${colors.font}`;
  context.fillText(subtitle, MARGIN_PX, 48);
  context.save();
  context.translate(MARGIN_PX, top);
  drawMapPicture(context, map);
  context.restore();
  context.drawImage(
    curve,
    MARGIN_PX,
    top + box.height + MARGIN_PX,
    curveBox.width,
    curveBox.height,
  );
  return canvas;
}
