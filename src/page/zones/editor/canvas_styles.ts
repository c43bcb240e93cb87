/// <reference lib="dom" />
/**
 * How the editor draws zones, their corners, and what is snapped to.
 *
 * @module
 */

import type { FeatureLike } from "ol/Feature.js";
import MultiPoint from "ol/geom/MultiPoint.js";
import type MultiPolygon from "ol/geom/MultiPolygon.js";
import Point from "ol/geom/Point.js";
import CircleStyle from "ol/style/Circle.js";
import Fill from "ol/style/Fill.js";
import RegularShape from "ol/style/RegularShape.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import type { CornerPath } from "./shapes.ts";

/** The colours of the theme, as CSS. */
export interface EditorColors {
  readonly accent: string;
  readonly accentSoft: string;
  readonly faint: string;
  readonly panel: string;
  readonly line: string;
  readonly text: string;
  readonly bad: string;
  readonly badSoft: string;
}

/** How a zone is drawn, apart from its colours. */
export interface ZoneLook {
  readonly title: string;
  readonly isSelected: boolean;
  readonly hasProblem: boolean;
  readonly isUnsaved: boolean;
  readonly activeCorner: CornerPath | undefined;
  /** Where edges cross, a position of the map. */
  readonly crossing: number[] | undefined;
}

/** Half the width of the handle of a corner, CSS pixels. */
const CORNER_PX = 5;
const TOUCH_CORNER_PX = 9;
/** Of labels, CSS pixels. */
const FONT_PX = 12;
const LABEL_PX = 20;
const PADDING_PX = 8;
/** Narrower zones have no label. */
const MIN_LABELLED_PX = 20;
/** How much wider than its zone a text may be, CSS pixels. */
const OVERHANG_PX = 8;
/** Longer titles are cut, in characters. */
const MAX_TITLE_LENGTH = 40;
const MIDDLE_PX = 3.5;
const TOUCH_MIDDLE_PX = 7;
const FONT =
  'Inter, system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';

/** Reads the colours of the present theme. */
export function readColors(): EditorColors {
  const probe = document.createElement("i");
  document.body.append(probe);
  const color = (css: string) => {
    probe.style.color = css;
    return getComputedStyle(probe).color;
  };
  const mix = (name: string, percent: number) =>
    color(`color-mix(in srgb, var(--${name}) ${percent}%, transparent)`);
  const colors = {
    accent: color("var(--accent)"),
    accentSoft: mix("accent", 22),
    faint: mix("accent", 8),
    panel: color("var(--raised)"),
    line: color("var(--line-strong)"),
    text: color("var(--text)"),
    bad: color("var(--bad)"),
    badSoft: mix("bad", 16),
  };
  probe.remove();
  return colors;
}

/** Returns the styles of a zone. */
export function zoneStyles(
  look: ZoneLook,
  colors: EditorColors,
  isTouch: boolean,
): Style[] {
  const { isSelected, hasProblem } = look;
  const line = hasProblem ? colors.bad : colors.accent;
  const styles = [
    new Style({
      fill: new Fill({
        color: hasProblem
          ? colors.badSoft
          : isSelected
          ? colors.accentSoft
          : colors.faint,
      }),
      stroke: new Stroke({
        color: line,
        width: isSelected ? 2.5 : 1.5,
        ...(look.isUnsaved && !isSelected ? { lineDash: [6, 4] } : {}),
      }),
      zIndex: isSelected ? 2 : 1,
    }),
    labelStyle(look, colors, line),
  ];
  if (isSelected) styles.push(...handleStyles(look, colors, line, isTouch));
  if (look.crossing) {
    styles.push(
      new Style({
        geometry: new Point(look.crossing),
        image: new CircleStyle({
          radius: 11,
          stroke: new Stroke({ color: colors.bad, width: 3 }),
        }),
        zIndex: 5,
      }),
    );
  }
  return styles;
}

/** A pill on the upper edge, as the outlines of the page have it. */
function labelStyle(
  { title, isSelected }: ZoneLook,
  colors: EditorColors,
  line: string,
): Style {
  const text = title.length > MAX_TITLE_LENGTH
    ? `${title.slice(0, MAX_TITLE_LENGTH - 1)}…`
    : title;
  return new Style({
    geometry: (feature) => {
      const [x0, , x1, y1] = extentOf(feature);
      return new Point([(x0 + x1) / 2, y1]);
    },
    renderer: (pixel, { context, pixelRatio, resolution, feature }) => {
      const [x0, , x1] = extentOf(feature);
      const widthPx = (x1 - x0) / resolution;
      // Before the text is measured, which is slow for thousands.
      if (widthPx < MIN_LABELLED_PX && !isSelected) return;
      const [x, y] = pixel as [number, number];
      context.save();
      context.font = `600 ${FONT_PX * pixelRatio}px ${FONT}`;
      const textWidth = context.measureText(text).width;
      const space = (widthPx + OVERHANG_PX) * pixelRatio;
      if (isSelected || textWidth <= space) {
        const w = textWidth + 2 * PADDING_PX * pixelRatio;
        const h = LABEL_PX * pixelRatio;
        context.beginPath();
        context.roundRect(x - w / 2, y - h / 2, w, h, 6 * pixelRatio);
        context.fillStyle = isSelected ? line : colors.panel;
        context.fill();
        context.lineWidth = pixelRatio;
        context.strokeStyle = isSelected ? line : colors.line;
        context.stroke();
        context.textAlign = "center";
        context.textBaseline = "middle";
        context.fillStyle = isSelected ? colors.panel : colors.text;
        context.fillText(text, x, y + pixelRatio / 2);
      }
      context.restore();
    },
    zIndex: isSelected ? 3 : 2,
  });
}

function handleStyles(
  { activeCorner }: ZoneLook,
  colors: EditorColors,
  line: string,
  isTouch: boolean,
): Style[] {
  const radius = isTouch ? TOUCH_CORNER_PX : CORNER_PX;
  const square = (fill: string) =>
    new RegularShape({
      points: 4,
      angle: Math.PI / 4,
      radius: radius * Math.SQRT2,
      fill: new Fill({ color: fill }),
      stroke: new Stroke({ color: line, width: 2 }),
    });
  return [
    new Style({
      geometry: (feature) => new MultiPoint(middlesOf(feature)),
      image: new CircleStyle({
        radius: isTouch ? TOUCH_MIDDLE_PX : MIDDLE_PX,
        fill: new Fill({ color: colors.panel }),
        stroke: new Stroke({ color: line, width: 1.5 }),
      }),
      zIndex: 3,
    }),
    new Style({
      geometry: (feature) => new MultiPoint(cornersOf(feature)),
      image: square(colors.panel),
      zIndex: 4,
    }),
    ...(activeCorner
      ? [
        new Style({
          geometry: (feature) => pointAt(feature, activeCorner),
          image: new CircleStyle({
            radius: radius + 9,
            fill: new Fill({ color: colors.accentSoft }),
            stroke: new Stroke({ color: line, width: 1.5 }),
          }),
          zIndex: 4,
        }),
        new Style({
          geometry: (feature) => pointAt(feature, activeCorner),
          image: square(line),
          zIndex: 5,
        }),
      ]
      : []),
  ];
}

/** The style of what is being drawn, and of the corner that is dragged. */
export function sketchStyles(colors: EditorColors): Style[] {
  return [
    new Style({
      fill: new Fill({ color: colors.accentSoft }),
      stroke: new Stroke({ color: colors.accent, width: 2, lineDash: [6, 4] }),
      image: new RegularShape({
        points: 4,
        angle: Math.PI / 4,
        radius: CORNER_PX * Math.SQRT2,
        fill: new Fill({ color: colors.accent }),
        stroke: new Stroke({ color: colors.panel, width: 2 }),
      }),
    }),
  ];
}

/** The style of the lines through the position that was snapped. */
export function guideStyle(colors: EditorColors): Style {
  return new Style({
    stroke: new Stroke({ color: colors.accent, width: 1, lineDash: [5, 5] }),
  });
}

/** Orders features so that small zones are above large ones. */
export function largestFirst(a: FeatureLike, b: FeatureLike): number {
  return areaOf(b) - areaOf(a);
}

function areaOf(feature: FeatureLike): number {
  const [x0, y0, x1, y1] = extentOf(feature);
  return (x1 - x0) * (y1 - y0);
}

/** The middles of all edges of a zone, as positions of the map. */
export function middlesOf(feature: FeatureLike): number[][] {
  return ringsOf(feature).flatMap((ring) =>
    ring.slice(1).map(([x, y], i) => {
      const [x0, y0] = ring[i]!;
      return [(x0! + x!) / 2, (y0! + y!) / 2];
    })
  );
}

function cornersOf(feature: FeatureLike): number[][] {
  return ringsOf(feature).flatMap((ring) => ring.slice(1));
}

function pointAt(
  feature: FeatureLike,
  { polygon, ring, corner }: CornerPath,
): Point | undefined {
  const at = polygonsOf(feature)[polygon]?.[ring]?.[corner];
  return at && new Point(at);
}

function ringsOf(feature: FeatureLike): number[][][] {
  return polygonsOf(feature).flat();
}

function polygonsOf(feature: FeatureLike): number[][][][] {
  return (feature.getGeometry() as MultiPolygon).getCoordinates();
}

function extentOf(feature: FeatureLike): [number, number, number, number] {
  return feature.getGeometry()!.getExtent() as [number, number, number, number];
}
