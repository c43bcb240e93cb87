/**
 * The map as text: cells in, lines of characters out. Pure: no clock, no IO; the
 * size of the terminal and what it can show are passed in.
 *
 * @module
 */

export { Canvas, columnsOf, flow, type Span } from "./canvas.ts";
export { encodeChanges, encodeLines } from "./encode.ts";
export { CountedCells } from "./counted_cells.ts";
export {
  BOLD,
  type ColorDepth,
  colorOfLevel,
  DIM,
  glyphOfLevel,
  PLAIN,
  type Style,
  styleOf,
} from "./palette.ts";
export { type MapPicture, type RenderedMap, renderMap } from "./render.ts";
export {
  further,
  type Gaze,
  moved,
  nearer,
  type Room,
  type Viewport,
  viewportOf,
} from "./viewport.ts";
export { grouped, headline } from "./caption.ts";
