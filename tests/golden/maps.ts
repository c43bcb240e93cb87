/** The maps whose golden texts are in maps.json. */
import {
  type ColorDepth,
  CountedCells,
  encodeLines,
  renderMap,
} from "../../src/cli/terminal/map/mod.ts";
import { ReadingBatch } from "../../src/protocol/mod.ts";

const NOW = 1_760_000_000_000;
const STALE_AFTER = 300_000;

/** A map and the size of the terminal. */
export interface GoldenMap {
  readonly name: string;
  readonly cells: CountedCells;
  readonly layer: string;
  readonly width: number;
  readonly height: number;
  readonly depth: ColorDepth;
}

/** Returns all maps. */
export function goldenMaps(): GoldenMap[] {
  const widths = [[40, 20], [80, 24], [200, 50]] as const;
  const depths = ["none", "256", "truecolor"] as const;
  const maps = [
    { name: "floor", layer: "campus2/l2", cells: floor() },
    { name: "tiny", layer: "default", cells: tiny() },
  ];
  return maps.flatMap(({ name, ...map }) =>
    widths.flatMap(([width, height]) =>
      depths.map((depth) => ({
        ...map,
        name: `${name}_${width}_${depth}`,
        width,
        height,
        depth,
      }))
    )
  );
}

/** Returns a map as it is printed, with `␛` for ESC. */
export function textOf(map: GoldenMap): string {
  const { canvas } = renderMap({ ...map, staleAfter: STALE_AFTER });
  return encodeLines(canvas, map.depth).replaceAll("\x1b", "␛");
}

/** 120×80 cells: desks, a hall with counts, stale, unknown and missing cells. */
function floor(): CountedCells {
  const cells = new ReadingBatch();
  for (let y = 0; y < 80; y++) {
    for (let x = 0; x < 120; x++) {
      if (x >= 100 && y < 12) continue;
      const stale = x >= 80 && y >= 56;
      cells.push(x - 10, y - 5, valueAt(x, y), NOW - (stale ? 600_000 : 1000));
    }
  }
  return counted(cells);
}

function valueAt(x: number, y: number): number {
  if (x >= 50 && x < 70 && y >= 60) return -1;
  const desk = x % 12 < 6 && y % 10 < 4;
  if (y < 30) return desk && (x / 12 + y / 10 | 0) % 3 !== 0 ? 1 : 0;
  if (x < 40) return desk ? 1 + (x * 7 + y * 3) % 12 : 0;
  return desk && x >= 76 ? 1 : 0;
}

/** Six cells, one of each status. */
function tiny(): CountedCells {
  const cells = new ReadingBatch();
  cells.push(1, 2, 1, NOW);
  cells.push(2, 2, 0, NOW);
  cells.push(1, 3, 12, NOW);
  cells.push(3, 3, 0, NOW - 600_000);
  cells.push(4, 4, 1, NOW - 600_000);
  cells.push(2, 4, -1, NOW);
  return counted(cells);
}

function counted(cells: ReadingBatch): CountedCells {
  const counted = new CountedCells();
  counted.add({ cells, time: NOW, staleAfter: STALE_AFTER });
  return counted;
}
