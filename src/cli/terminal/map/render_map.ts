/**
 * Renders the map with its counts above it and its legend below it.
 *
 * @module
 */
import type { Region } from "../../../grid/mod.ts";
import type { LayerDisplay } from "../../../protocol/display.ts";
import { Canvas, type Span, wrapItems } from "./canvas.ts";
import { corners, headline, legend } from "./caption.ts";
import type { CountedCells } from "./counted_cells.ts";
import { BOLD, type ColorDepth, DIM } from "./palette.ts";
import { drawPixels, flipRows, paintPixels } from "./pixels.ts";
import { writeValues } from "./values.ts";
import {
  type Camera,
  describeScale,
  type MapArea,
  shownRegion,
  type Viewport,
  viewportOf,
} from "./viewport.ts";

/** Columns between two items of the headline. */
const HEADLINE_GAP = 3;
/** Columns between two items of the legend. */
const LEGEND_GAP = 2;
/** Minimum width at which the map is indented, in columns. */
const MIN_INDENTED_WIDTH = 60;
const INDENT = 2;
/**
 * Minimum lines of the map: with fewer, the legend and then the frame are
 * omitted.
 */
const MIN_MAP_ROWS = 4;
/** Maximum width of a cell, in pixels. */
const MAX_CELL_WIDTH = 8;
/**
 * The same without colors: a character and a space; zoomed in, a value of up to
 * three digits and a space.
 */
const MAX_GLYPH_WIDTH = 2;
const MAX_ZOOMED_GLYPH_WIDTH = 4;

/** What to render, and how. */
export interface MapOptions {
  readonly layer: string;
  readonly cells: CountedCells;
  /** The region to show. Default: the smallest one with all cells. */
  readonly region?: Region;
  /** Named in the legend, ms. */
  readonly staleAfter?: number;
  /** How to show the layer. */
  readonly display?: LayerDisplay | undefined;
  readonly depth: ColorDepth;
  /** Maximum width, in columns. */
  readonly width: number;
  /** Maximum height, in lines. */
  readonly height: number;
  /** Default: the whole region. */
  readonly camera?: Camera;
  /** Written in bold below the legend, before the notes. */
  readonly warning?: string;
  /** Written below the legend. Each is kept on one line. */
  readonly notes?: readonly string[];
}

/** A rendered map. */
export interface RenderedMap {
  readonly canvas: Canvas;
  /** The part of the map on the canvas; undefined if there are no cells. */
  readonly shown?: {
    readonly viewport: Viewport;
    readonly area: MapArea;
    readonly region: Region;
  };
}

/** Renders the map within the given width and height. */
export function renderMap(options: MapOptions): RenderedMap {
  const { layer, cells, width, height, depth, warning, notes = [] } = options;
  const region = options.region ?? cells.table.bounds;
  const counts = cells.counts();
  const { unit, yUp = false } = options.display ?? {};
  const head = wrapItems(
    headline(layer, counts, region, unit),
    width,
    HEADLINE_GAP,
  );
  const foot = notes.map((note): Span[] => [[note, DIM]]);
  if (warning !== undefined) foot.unshift([[warning, BOLD]]);
  if (region === undefined) {
    const empty: Span[] = [["Nothing has been reported yet", DIM]];
    const lines = [...head, empty, ...wrapItems(foot, width, LEGEND_GAP)];
    return { canvas: canvasOf(lines, width, height) };
  }
  const indent = width >= MIN_INDENTED_WIDTH ? INDENT : 0;
  const hasFrame = height >= head.length + MIN_MAP_ROWS + 2;
  // The scale is part of the legend, and the height of the legend limits the
  // scale: try legends of one line, two lines and so on.
  for (let legendRows = 1;; legendRows++) {
    const rest = height - head.length - (hasFrame ? 2 : 0);
    const hasLegend = hasFrame && rest - legendRows >= MIN_MAP_ROWS;
    const rows = Math.max(1, hasLegend ? rest - legendRows : rest);
    const area: MapArea = {
      width: Math.max(1, width - 2 * indent),
      height: 2 * rows,
      ...(depth === "none"
        ? {
          maxCellWidth: MAX_ZOOMED_GLYPH_WIDTH,
          maxFittedWidth: MAX_GLYPH_WIDTH,
        }
        : { maxCellWidth: MAX_CELL_WIDTH }),
    };
    const viewport = viewportOf(region, area, options.camera);
    const scale = [describeScale(viewport)];
    const isMany = viewport.cellsPerPixel > 1;
    const meanings = legend(counts, {
      staleAfter: options.staleAfter,
      depth,
      unit,
      isMany,
    });
    if (isMany && depth !== "none") {
      scale.push("faint: under half occupied");
    }
    const lines = wrapItems(
      [...meanings, ...scale.map((text): Span[] => [[text, DIM]]), ...foot],
      width,
      LEGEND_GAP,
    );
    if (hasLegend && lines.length > legendRows) continue;

    const [above, below] = corners(
      shownRegion(viewport, region),
      viewport.width,
      yUp,
    );
    const frameLine = (text: string): Span[][] =>
      hasFrame ? [[[" ".repeat(indent) + text, DIM]]] : [];
    const canvas = canvasOf(
      [
        ...head,
        ...frameLine(above),
        ...Array.from(
          { length: Math.ceil(viewport.height / 2) },
          (): Span[] => [],
        ),
        ...frameLine(below),
        ...(hasLegend ? lines : []),
      ],
      width,
      height,
    );
    const at = { column: indent, row: head.length + (hasFrame ? 1 : 0) };
    const side = Math.max(1, Math.round(1 / viewport.cellsPerPixel));
    const pixels = drawPixels(cells, viewport);
    paintPixels(canvas, at, yUp ? flipRows(pixels) : pixels, {
      side,
      depth,
      isMany,
    });
    // Where all values are 0 and 1, the color says all.
    if (counts.people !== counts.occupied) {
      writeValues(canvas, at, cells, viewport, { side, depth, yUp });
    }
    return { canvas, shown: { viewport, area, region } };
  }
}

/** Writes lines onto a canvas, as many as the height allows. */
function canvasOf(
  lines: readonly (readonly Span[])[],
  width: number,
  height: number,
): Canvas {
  const canvas = new Canvas(width, Math.min(lines.length, height));
  lines.forEach((line, row) => canvas.write(0, row, line));
  return canvas;
}
