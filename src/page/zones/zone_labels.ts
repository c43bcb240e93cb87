/// <reference lib="dom" />
/**
 * The names and counts of zones on the map: at the upper edge of each zone that
 * is large enough, the largest zones first, none above another.
 *
 * @module
 */

import { css, textColorOn } from "../map/palette.ts";
import type { Viewport } from "../map/viewport.ts";
import { fillOf } from "./zone_colors.ts";
import { pixelOf, type ZoneScene } from "./zone_painter.ts";
import { topEdgeOf, type ZoneShape } from "./zone_shapes.ts";
import { zoneTitle } from "./zone_text.ts";

/** Smaller zones have no label, CSS pixels. */
const MIN_WIDTH_PX = 34;
const MIN_HEIGHT_PX = 16;
const FONT_PX = 12;
/** Space beside the text and between name and count, CSS pixels. */
const PADDING_PX = 7;
const SPACE_PX = 5;
const HEIGHT_PX = 20;
/** How much wider than its zone a label may be, CSS pixels. */
const OVERHANG_PX = 12;
/** Maximum number of labels. */
const MAX_LABELS = 400;
/** Longer names are cut, in characters. */
const MAX_TITLE_LENGTH = 40;

/** A label on the canvas, canvas pixels. */
export interface ZoneLabel {
  readonly name: string;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A text with its font and colour. */
interface Text {
  readonly text: string;
  readonly font: string;
  readonly color: string;
}

/** Draws labels. */
export class ZoneLabels {
  readonly #family: string;
  /** Widths of texts, CSS pixels. */
  readonly #widths = new Map<string, number>();

  /** @param family of the font, as in CSS */
  constructor(family: string) {
    this.#family = family;
  }

  /**
   * Draws the labels of zones.
   *
   * @param shapes visible, the largest first
   * @returns the labels, to find the one under the pointer
   */
  draw(
    context: CanvasRenderingContext2D,
    viewport: Viewport,
    pixelRatio: number,
    shapes: readonly ZoneShape[],
    scene: ZoneScene,
  ): ZoneLabel[] {
    const { selected, hovered } = scene;
    const isMarked = ({ name }: ZoneShape) =>
      name === selected || name === hovered;
    const ordered = [
      ...shapes.filter(isMarked),
      ...shapes.filter((shape) => !isMarked(shape)),
    ];
    const labels: ZoneLabel[] = [];
    context.textBaseline = "middle";
    for (const shape of ordered) {
      if (labels.length === MAX_LABELS) break;
      const width = (shape.box[2] - shape.box[0]) * viewport.scale / pixelRatio;
      const height = (shape.box[3] - shape.box[1]) * viewport.scale /
        pixelRatio;
      if (
        !isMarked(shape) && (width < MIN_WIDTH_PX || height < MIN_HEIGHT_PX)
      ) continue;
      const isInside = scene.filled && !isMarked(shape);
      for (const short of [false, true]) {
        const label = isInside
          ? this.#inside(shape, { width, height }, viewport, pixelRatio, scene)
          : this.#onEdge(shape, width, viewport, pixelRatio, scene, short);
        const overlaid = label === undefined ||
          labels.some((one) => overlaps(one, label.box));
        if (overlaid) continue;
        labels.push(label.box);
        label.paint(context);
        break;
      }
    }
    return labels;
  }

  /**
   * A label on the upper edge: name and count, or only the count.
   *
   * @param short whether there is no room for the name
   */
  #onEdge(
    shape: ZoneShape,
    width: number,
    viewport: Viewport,
    pixelRatio: number,
    scene: ZoneScene,
    short: boolean,
  ) {
    const { colors, selected } = scene;
    const { look, bound, count, of } = scene.figures(shape.name);
    const isSelected = shape.name === selected;
    const background = isSelected
      ? colors.accent
      : look === "full"
      ? colors.full
      : colors.label;
    const onColor = isSelected || look === "full";
    const strong = css(onColor ? textColorOn(background) : colors.text);
    const weak = onColor ? strong : css(
      bound ? colors.bound : look === "unknown" ? colors.muted : colors.text,
    );
    const texts: Text[] = [
      ...(short ? [] : [
        { text: cut(zoneTitle(shape)), font: this.#font(650), color: strong },
      ]),
      { text: count + of, font: this.#font(450), color: weak },
    ];
    const room = isSelected || shape.name === scene.hovered
      ? Infinity
      : width + OVERHANG_PX;
    while (this.#widthOf(texts) > room) {
      if (texts.length === 1) return undefined;
      texts.shift();
    }
    const boxWidth = this.#widthOf(texts) * pixelRatio;
    const height = HEIGHT_PX * pixelRatio;
    const [left, top] = this.#anchor(shape, viewport, boxWidth, height);
    const box: ZoneLabel = {
      name: shape.name,
      left: left - boxWidth / 2,
      top: top - height / 2,
      width: boxWidth,
      height,
    };
    return {
      box,
      paint: (context: CanvasRenderingContext2D) => {
        context.beginPath();
        context.roundRect(box.left, box.top, boxWidth, height, height / 3);
        context.fillStyle = css(background);
        context.fill();
        context.lineWidth = pixelRatio;
        context.strokeStyle = css(
          onColor ? background : bound ? colors.bound : colors.labelLine,
        );
        const isDashed = bound && !onColor;
        context.setLineDash(isDashed ? [3 * pixelRatio, 2 * pixelRatio] : []);
        context.stroke();
        context.setLineDash([]);
        let x = box.left + PADDING_PX * pixelRatio;
        context.textAlign = "left";
        for (const { text, font, color } of texts) {
          context.font = scaled(font, pixelRatio);
          context.fillStyle = color;
          context.fillText(text, x, top + pixelRatio / 2);
          x += (this.#measure(text, font) + SPACE_PX) * pixelRatio;
        }
      },
    };
  }

  /** A label in the middle: the name above the percentage, or only that. */
  #inside(
    shape: ZoneShape,
    { width, height }: { readonly width: number; readonly height: number },
    viewport: Viewport,
    pixelRatio: number,
    { figures, colors }: ZoneScene,
  ) {
    const { look, fullness, percent } = figures(shape.name);
    const isUnknown = look === "unknown";
    const color = css(textColorOn(fillOf(colors, fullness)));
    const lines: Text[] = [
      { text: cut(zoneTitle(shape)), font: this.#font(450), color },
      { text: isUnknown ? "?" : percent, font: this.#font(700), color },
    ];
    const lineHeight = FONT_PX + 4;
    const fits = ({ text, font }: Text) =>
      this.#measure(text, font) <= width - 4;
    if (height < 2 * lineHeight || !fits(lines[0]!)) lines.shift();
    if (!lines.every(fits)) return undefined;
    const [left, top] = pixelOf(
      viewport,
      (shape.box[0] + shape.box[2]) / 2,
      (shape.box[1] + shape.box[3]) / 2,
    );
    const textWidth = Math.max(
      ...lines.map(({ text, font }) => this.#measure(text, font)),
    );
    const box: ZoneLabel = {
      name: shape.name,
      left: left - (textWidth / 2 + 3) * pixelRatio,
      top: top - lines.length * lineHeight / 2 * pixelRatio,
      width: (textWidth + 6) * pixelRatio,
      height: lines.length * lineHeight * pixelRatio,
    };
    return {
      box,
      paint: (context: CanvasRenderingContext2D) => {
        if (isUnknown) {
          // On the hatching a text could not be read.
          context.beginPath();
          context.roundRect(
            box.left,
            box.top,
            box.width,
            box.height,
            4 * pixelRatio,
          );
          context.fillStyle = css(colors.label);
          context.fill();
        }
        context.textAlign = "center";
        for (const [index, { text, font, color }] of lines.entries()) {
          context.font = scaled(font, pixelRatio);
          context.fillStyle = isUnknown ? css(colors.text) : color;
          context.fillText(
            text,
            left,
            box.top + (index + 0.5) * lineHeight * pixelRatio,
          );
        }
      },
    };
  }

  /**
   * The middle of a label: at the upper edge, or as near to it as the canvas
   * allows.
   */
  #anchor(
    shape: ZoneShape,
    viewport: Viewport,
    labelWidth: number,
    labelHeight: number,
  ): [left: number, top: number] {
    const { box } = shape;
    const edge = topEdgeOf(shape, viewport.yUp);
    const [left, top] = pixelOf(viewport, edge.x, edge.y);
    const zoneWidth = (box[2] - box[0]) * viewport.scale;
    const inView = Math.max(top, labelHeight / 2 + 2);
    if (zoneWidth < viewport.width) return [left, inView];
    const [from] = pixelOf(viewport, box[0], 0);
    const middle = viewport.width / 2;
    const half = labelWidth / 2;
    const to = from + zoneWidth;
    return [Math.min(Math.max(middle, from + half), to - half), inView];
  }

  #font(weight: number): string {
    return `${weight} ${FONT_PX}px ${this.#family}`;
  }

  #widthOf(texts: readonly Text[]): number {
    return texts.reduce(
      (width, { text, font }) => width + this.#measure(text, font),
      2 * PADDING_PX + SPACE_PX * (texts.length - 1),
    );
  }

  #measure(text: string, font: string): number {
    const key = `${font} ${text}`;
    let width = this.#widths.get(key);
    if (width === undefined) {
      if (this.#widths.size > 10 * MAX_LABELS) this.#widths.clear();
      MEASURE.font = font;
      width = MEASURE.measureText(text).width;
      this.#widths.set(key, width);
    }
    return width;
  }
}

const MEASURE = document.createElement("canvas").getContext("2d")!;

function scaled(font: string, pixelRatio: number): string {
  return font.replace(`${FONT_PX}px`, `${FONT_PX * pixelRatio}px`);
}

function cut(title: string): string {
  const characters = [...title];
  return characters.length <= MAX_TITLE_LENGTH
    ? title
    : `${characters.slice(0, MAX_TITLE_LENGTH - 1).join("")}…`;
}

function overlaps(a: ZoneLabel, b: ZoneLabel): boolean {
  return a.left < b.left + b.width && b.left < a.left + a.width &&
    a.top < b.top + b.height && b.top < a.top + a.height;
}
