/**
 * The icons of the editor's buttons.
 *
 * @module
 */

import { icon } from "../../elements/icons.ts";

/** Each function creates a new icon in the colour of the text. */
export const EDITOR_ICONS = {
  select: () => icon("M4 3l5 13 2-5.5 5.5-2z"),
  rectangle: () => icon("M3.5 4.5h13v11h-13z"),
  polygon: () => icon("M10 3l7 5-2.5 8.5h-8L3 9.5z"),
  hole: () => icon("M3 4h14v12H3zM7.5 8h5v4h-5z"),
  snap: () =>
    icon("M4 3v7a6 6 0 0 0 12 0V3h-4v7a2 2 0 0 1-4 0V3zM4 6.5h4M12 6.5h4"),
  undo: () => icon("M7 4L3.5 7.5 7 11M4 7.5h7.5a4.5 4.5 0 0 1 0 9H8"),
  redo: () => icon("M13 4l3.5 3.5L13 11M16 7.5H8.5a4.5 4.5 0 0 0 0 9H12"),
  import: () => icon("M10 3v9M6.5 8.5L10 12l3.5-3.5M3.5 13v3.5h13V13"),
  export: () => icon("M10 12V3M6.5 6.5L10 3l3.5 3.5M3.5 13v3.5h13V13"),
  save: () => icon("M4 10.5l4 4 8-9"),
  remove: () =>
    icon(
      "M4 5.5h12M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.600l.7-11M8.5 8.5v5M11.5 8.5v5",
    ),
  copy: () => icon("M7.5 7.5h9v9h-9zM4.5 12.5h-1v-9h9v1"),
  add: () => icon("M10 4v12M4 10h12"),
  keys: () =>
    icon(
      "M2.5 5.5h15v9h-15zM5.5 8.5v.1M8.5 8.5v.1M11.5 8.5v.1M14.5 8.5v.1M6.5 11.700h7",
    ),
} as const;
