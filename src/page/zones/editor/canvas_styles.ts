/// <reference lib="dom" />
/**
 * How the editor draws zones, their corners, and what is snapped to.
 *
 * @module
 */

import type Feature from "ol/Feature.js";
import MultiPoint from "ol/geom/MultiPoint.js";
import Point from "ol/geom/Point.js";
import type { FeatureLike } from "ol/Feature.js";
import CircleStyle from "ol/style/Circle.js";
import Fill from "ol/style/Fill.js";
import RegularShape from "ol/style/RegularShape.js";
import Stroke from "ol/style/Stroke.js";
import Style from "ol/style/Style.js";
import Text from "ol/style/Text.js";

/** The colours of the theme, as CSS. */
export interface EditorColors {
  readonly accent: string;
  readonly accentSoft: string;
  readonly faint: string;
  readonly panel: string;
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
  /** Positions of the map. */
  readonly corners: readonly number[][];
  readonly middles: readonly number[][];
  readonly activeCorner: number[] | undefined;
  /** Where edges cross. */
  readonly crossing: number[] | undefined;
  /** Where the label is: the middle of the upper edge. */
  readonly label: number[];
}

/** Half the width of the handle of a corner, CSS pixels. */
const CORNER_PX = 5;
const TOUCH_CORNER_PX = 9;
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

function labelStyle(
  { title, label, isSelected }: ZoneLook,
  colors: EditorColors,
  line: string,
): Style {
  return new Style({
    geometry: new Point(label),
    text: new Text({
      text: title,
      font: `600 12px ${FONT}`,
      fill: new Fill({ color: isSelected ? colors.panel : colors.text }),
      backgroundFill: new Fill({ color: isSelected ? line : colors.panel }),
      backgroundStroke: new Stroke({ color: line, width: 1 }),
      padding: [3, 7, 2, 8],
      overflow: true,
    }),
    zIndex: isSelected ? 3 : 1,
  });
}

function handleStyles(
  { corners, middles, activeCorner }: ZoneLook,
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
      geometry: new MultiPoint([...middles]),
      image: new CircleStyle({
        radius: isTouch ? TOUCH_MIDDLE_PX : MIDDLE_PX,
        fill: new Fill({ color: colors.panel }),
        stroke: new Stroke({ color: line, width: 1.5 }),
      }),
      zIndex: 3,
    }),
    new Style({
      geometry: new MultiPoint([...corners]),
      image: square(colors.panel),
      zIndex: 4,
    }),
    ...(activeCorner
      ? [
        new Style({
          geometry: new Point(activeCorner),
          image: new CircleStyle({
            radius: radius + 9,
            fill: new Fill({ color: colors.accentSoft }),
            stroke: new Stroke({ color: line, width: 1.5 }),
          }),
          zIndex: 4,
        }),
        new Style({
          geometry: new Point(activeCorner),
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
  const [x0, y0, x1, y1] = (feature as Feature).getGeometry()!.getExtent() as [
    number,
    number,
    number,
    number,
  ];
  return (x1 - x0) * (y1 - y0);
}
