/**
 * The map at a time.
 *
 * @module
 */
import type { WaitingWork } from "../../../common/turns.ts";
import { TILE_CELLS, xOf, yOf } from "../../../grid/tiles.ts";
import type { MapAtQuery, PastMap } from "../../../history/answers.ts";
import { TileFrame } from "../../../history/tile_frame.ts";
import { checkMoment, MAX_CELLS, tooManyCells } from "./checks.ts";
import { cellsOfRegion, PastCellsWriter } from "./past_cells.ts";
import type { Question } from "./question.ts";

/** Reads a map, in steps of a tile. */
export function* mapAt(
  question: Question,
  { layer, region, at }: MapAtQuery,
): WaitingWork<PastMap> {
  const second = checkMoment("at", at, question.recorded);
  const cells = newCells();
  const state = new TileFrame();
  const tiles = question.tiles(layer, region);
  for (let tile; (tile = yield* tiles.next()) !== undefined;) {
    const damaged = yield* question.reader.stateAt(tile, second, state);
    question.noteDamagedHour(damaged);
    pushState(cells, state, tile.tx, tile.ty, region);
    yield;
  }
  const { damaged } = question;
  return {
    layer,
    at,
    gap: question.gaps({ from: second, to: second + 1 }).length > 0,
    ...(damaged !== undefined && { damaged: true }),
    cells: cells.finish(),
  };
}

/** Columns for the cells of a map. */
export function newCells(): PastCellsWriter {
  return new PastCellsWriter(MAX_CELLS, () => tooManyCells(MAX_CELLS));
}

const isInRegion = new Uint8Array(TILE_CELLS);

/** Adds the cells of a tile that are in a region. */
export function pushState(
  cells: PastCellsWriter,
  { has, value, stale, since }: TileFrame,
  tx: number,
  ty: number,
  region: MapAtQuery["region"],
): void {
  const inRegion = cellsOfRegion(region, tx, ty, isInRegion);
  for (let key = 0; key < TILE_CELLS; key++) {
    if (has[key] === 0 || inRegion?.[key] === 0) continue;
    cells.push(
      xOf(tx, key),
      yOf(ty, key),
      value[key]!,
      stale[key]!,
      since[key]! * 1000,
    );
  }
}
