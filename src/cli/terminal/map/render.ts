import type { Region } from "../../../grid/mod.ts";
import { Canvas, flow, type Span } from "./canvas.ts";
import type { CountedCells } from "./counted_cells.ts";
import { BOLD, type ColorDepth, DIM } from "./palette.ts";
import { paintPoints } from "./paint.ts";
import { drawPoints } from "./points.ts";
import {
  describeScale,
  type Gaze,
  type Room,
  shownRegion,
  type Viewport,
  viewportOf,
} from "./viewport.ts";
import { corners, headline, legend } from "./caption.ts";

/** Columns between items of a line. */
const HEAD_GAP = 3;
const LEGEND_GAP = 2;
/** From so many columns on the map stands in from the edge. */
const ROOMY = 60;
const INDENT = 2;
/** Lines of map without which the legend, and then the rest, is left out. */
const LEAST_ROWS = 4;

/** What {@linkcode renderMap} is given. */
export interface MapPicture {
  readonly layer: string;
  readonly cells: CountedCells;
  /** What is shown. Default: the least that has all cells. */
  readonly region?: Region;
  /** Told in the legend, ms. */
  readonly staleAfter?: number;
  readonly depth: ColorDepth;
  /** The most columns and lines that there are. */
  readonly width: number;
  readonly height: number;
  /** Where a person looks. Default: at all of it. */
  readonly gaze?: Gaze;
  /** What a person must not miss, said below the legend before the rest. */
  readonly warning?: string;
  /** Said below the legend, each in one piece. */
  readonly notes?: readonly string[];
}

/** A map to look at. */
export interface RenderedMap {
  readonly canvas: Canvas;
  /** What of the map is on it; undefined if there is nothing to show. */
  readonly shown?: {
    readonly view: Viewport;
    readonly room: Room;
    readonly region: Region;
  };
}

/**
 * Draws the map with its numbers above and its legend below, no wider and no
 * higher than told.
 */
export function renderMap(picture: MapPicture): RenderedMap {
  const { layer, cells, width, height, depth, warning, notes = [] } = picture;
  const region = picture.region ?? cells.table.bounds;
  const counts = cells.counts();
  const head = flow(headline(layer, counts, region), width, HEAD_GAP);
  const foot = notes.map((note): Span[] => [[note, DIM]]);
  if (warning !== undefined) foot.unshift([[warning, BOLD]]);
  if (region === undefined) {
    const empty: Span[] = [["Nothing has been reported yet", DIM]];
    const lines = [...head, empty, ...flow(foot, width, LEGEND_GAP)];
    return { canvas: canvasOf(lines, width, height) };
  }
  const indent = width >= ROOMY ? INDENT : 0;
  const meaning = legend(counts, picture.staleAfter, depth);
  const framed = height >= head.length + LEAST_ROWS + 2;
  // The legend tells the scale, and its length decides on the room for the map.
  for (let legendRows = 1;; legendRows++) {
    const rest = height - head.length - (framed ? 2 : 0);
    const told = framed && rest - legendRows >= LEAST_ROWS;
    const rows = Math.max(1, told ? rest - legendRows : rest);
    const room: Room = {
      width: Math.max(1, width - 2 * indent),
      height: 2 * rows,
      // A character that is a cell has a blank after it, so as to be square.
      magnify: depth === "none" ? 2 : 8,
    };
    const view = viewportOf(region, room, picture.gaze);
    const scale = [describeScale(view)];
    if (view.cellsPerPoint > 1 && depth !== "none") {
      scale.push("faint: under half occupied");
    }
    const lines = flow(
      [...meaning, ...scale.map((words): Span[] => [[words, DIM]]), ...foot],
      width,
      LEGEND_GAP,
    );
    if (told && lines.length > legendRows) continue;

    const seen = shownRegion(view, region);
    const [above, below] = corners(seen, view.width);
    const used = Math.ceil(view.height / 2);
    const canvas = canvasOf(
      [
        ...head,
        ...(framed ? [[[" ".repeat(indent) + above, DIM]] as Span[]] : []),
        ...Array.from({ length: used }, (): Span[] => []),
        ...(framed ? [[[" ".repeat(indent) + below, DIM]] as Span[]] : []),
        ...(told ? lines : []),
      ],
      width,
      height,
    );
    const at = { column: indent, row: head.length + (framed ? 1 : 0) };
    const side = Math.max(1, Math.round(1 / view.cellsPerPoint));
    paintPoints(canvas, at, drawPoints(cells, view), { side, depth });
    return { canvas, shown: { view, room, region } };
  }
}

/** Lines of text, those that there is room for. */
function canvasOf(
  lines: readonly (readonly Span[])[],
  width: number,
  height: number,
): Canvas {
  const canvas = new Canvas(width, Math.min(lines.length, height));
  lines.forEach((line, row) => canvas.write(0, row, line));
  return canvas;
}
