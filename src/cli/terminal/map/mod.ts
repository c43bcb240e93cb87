/**
 * Renders the cells of a map as lines of characters. Pure: the size of the
 * terminal and its colors are passed in.
 *
 * @module
 */

export { Canvas, type Span, textWidth, wrapItems } from "./canvas.ts";
export { formatCount, headline } from "./caption.ts";
export { CountedCells } from "./counted_cells.ts";
export { encodeChanges, encodeLines } from "./encode.ts";
export {
  BOLD,
  type ColorDepth,
  colorOfLevel,
  DIM,
  PLAIN,
  type Style,
  styleOf,
} from "./palette.ts";
export { type MapOptions, type RenderedMap, renderMap } from "./render_map.ts";
export {
  type Camera,
  type MapArea,
  pan,
  type Viewport,
  viewportOf,
  zoomIn,
  zoomOut,
} from "./viewport.ts";
