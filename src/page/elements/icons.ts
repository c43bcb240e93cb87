/// <reference lib="dom" />
/**
 * The icons of the buttons, as SVG that is created in code.
 *
 * @module
 */

import { setAttributes } from "./dom.ts";

const SVG = "http://www.w3.org/2000/svg";

/** Each function creates a new icon of 20 × 20 in the colour of the text. */
export const ICONS = {
  zoomIn: () => icon("M10 4v12M4 10h12"),
  zoomOut: () => icon("M4 10h12"),
  fit: () => icon("M12 3h5v5M17 3l-5.5 5.5M8 17H3v-5M3 17l5.5-5.5"),
  box: () =>
    icon(
      "M3 6V4a1 1 0 0 1 1-1h2M9 3h2.5M14.5 3H16a1 1 0 0 1 1 1v2M17 8.5V10M10 17H8.5M6 17H4a1 1 0 0 1-1-1v-2M3 11V9M11.5 11.5l6 2.2-2.6 1.2-1.2 2.6z",
    ),
  plan: () => icon("M3 3h14v14H3zM3 9h5M11 3v8h6M8 17v-4"),
  zones: () => icon("M4 4.5l8-1.5 5 6-3 7.5-9-1.5z"),
  fill: () => icon("M3.5 16.5v-4M8 16.5v-8M12.5 16.5v-5M17 16.5v-13"),
  edit: () => icon("M4 16l.8-3.4 8.4-8.4 2.6 2.6-8.4 8.4z"),
  light: () =>
    icon(
      "M10 6.8a3.2 3.2 0 1 0 0 6.4 3.2 3.2 0 0 0 0-6.4M10 2v1.6M10 16.4V18M2 10h1.6M16.4 10H18M4.3 4.3l1.2 1.2M14.5 14.5l1.2 1.2M15.7 4.3l-1.2 1.2M5.5 14.5l-1.2 1.2",
    ),
  dark: () => icon("M16.5 11.6A7 7 0 1 1 8.4 3.5a5.6 5.6 0 0 0 8.1 8.1z"),
  auto: () =>
    icon(
      "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M10 3v14M10 6.5h4.9M10 10h6.8M10 13.5h4.9",
    ),
  help: () =>
    icon(
      "M7.4 7.4a2.7 2.7 0 1 1 3.9 2.5c-.9.4-1.3 1-1.3 1.9v.4M10 15.3v.1",
    ),
  close: () => icon("M5 5l10 10M15 5L5 15"),
  copy: () => icon("M7.5 7.5h9v9h-9zM4.5 12.5h-1v-9h9v1"),
  warning: () => icon("M10 3.2L18 16.8H2zM10 8.4v4M10 14.6v.1"),
  live: () =>
    icon(
      "M10 8.6a1.4 1.4 0 1 0 0 2.8 1.4 1.4 0 0 0 0-2.8M6.5 6.5a5 5 0 0 0 0 7M13.5 6.5a5 5 0 0 1 0 7M4 4a8.5 8.5 0 0 0 0 12M16 4a8.5 8.5 0 0 1 0 12",
    ),
  history: () => icon("M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14M10 6.2V10l2.6 1.6"),
  utilisation: () =>
    icon("M3.5 3.5h13v13h-13zM3.5 8h13M3.5 12.2h13M8 3.5v13M12.2 3.5v13"),
  done: () => icon("M4 10.5l4 4 8-9"),
} as const;

/** @param d the path data, as in the SVG attribute `d` */
export function icon(d: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  setAttributes(svg, {
    viewBox: "0 0 20 20",
    width: 20,
    height: 20,
    class: "icon",
    "aria-hidden": "true",
  });
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
}
