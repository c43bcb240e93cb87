/**
 * The plane, divided into polygons that share edges: each cell is in exactly
 * one of them.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { maskHolds } from "../../src/zones/tile_mask.ts";
import type { Position, Ring, Zone } from "../../src/zones/zone.ts";
import { ZoneIndex } from "../../src/zones/zone_index.ts";
import {
  cellsOf,
  closed,
  INT32_MAX,
  INT32_MIN,
  origin,
  zoneOf,
} from "./shapes.ts";

function test(name: string, fn: () => void) {
  Deno.test({ name, permissions: "none", fn });
}

/** Fields of the division in each direction. */
const FIELDS = 5;

/** How a field becomes polygons. */
interface FieldForm {
  /** Cut into two triangles; along which diagonal. */
  readonly cut: "no" | "rising" | "falling";
  /** Which edges get a vertex in their middle, on this side only. */
  readonly middles: number;
  /** Against the clock or with it. */
  readonly reversed: boolean;
}

const fieldForm: fc.Arbitrary<FieldForm> = fc.record({
  cut: fc.constantFrom("no", "rising", "falling"),
  middles: fc.nat(15),
  reversed: fc.boolean(),
});
const forms = fc.array(fieldForm, {
  minLength: FIELDS ** 2,
  maxLength: FIELDS ** 2,
});
/** Moves of the inner vertices, -1 to 1 in each direction. */
const moves = fc.array(
  fc.tuple(
    fc.oneof(
      fc.constantFrom(-1, 0, 1),
      fc.double({ min: -1, max: 1, noNaN: true }),
    ),
    fc.oneof(
      fc.constantFrom(-1, 0, 1),
      fc.double({ min: -1, max: 1, noNaN: true }),
    ),
  ),
  { minLength: (FIELDS + 1) ** 2, maxLength: (FIELDS + 1) ** 2 },
);

/**
 * Divides the square between two points.
 *
 * @param round makes the coordinates of vertices
 */
function divide(
  [x0, y0]: Position,
  size: number,
  moves: readonly Position[],
  forms: readonly FieldForm[],
  round: (coordinate: number) => number,
): Zone[] {
  const step = size / FIELDS;
  const vertex = (i: number, j: number): Position => {
    const [dx, dy] = moves[j * (FIELDS + 1) + i]!;
    // A quarter of a field: no field turns over.
    const move = (at: number, by: number) =>
      at === 0 || at === FIELDS ? 0 : by * step / 4;
    return [
      round(x0 + i * step + move(i, dx)),
      round(y0 + j * step + move(j, dy)),
    ];
  };
  return forms.flatMap((form, n) => {
    const i = n % FIELDS;
    const j = Math.floor(n / FIELDS);
    const corners = [
      ...[vertex(i, j), vertex(i + 1, j)],
      ...[vertex(i + 1, j + 1), vertex(i, j + 1)],
    ] as [Position, Position, Position, Position];
    return ringsOf(corners, form).map((ring, part) =>
      zoneOf(`${n}-${part}`, [form.reversed ? ring.toReversed() : ring])
    );
  });
}

function ringsOf(
  [a, b, c, d]: [Position, Position, Position, Position],
  { cut, middles }: FieldForm,
): Ring[] {
  switch (cut) {
    case "no":
      return [closed([a, b, c, d].flatMap((from, side, all) => {
        if ((middles >> side & 1) === 0) return [from];
        const to = all[(side + 1) % 4]!;
        const middle = [(from[0] + to[0]) / 2, (from[1] + to[1]) / 2];
        return [from, middle as unknown as Position];
      }))];
    case "rising":
      return [closed([a, b, c]), closed([a, c, d])];
    case "falling":
      return [closed([a, b, d]), closed([b, c, d])];
  }
}

/** Returns how many zones of an index hold each cell of a tile. */
function holders(index: ZoneIndex, tx: number, ty: number): number[] {
  const counts = new Array<number>(1024).fill(0);
  for (const { mask } of index.at(tx, ty)) {
    for (const [key, cell] of cellsOf(mask).entries()) counts[key]! += cell;
  }
  return counts;
}

test("each cell of a divided square is in one zone", () => {
  // Multiples of a half, so that the middle of an edge is on it.
  const round = (coordinate: number) => Math.round(2 * coordinate) / 2;
  fc.assert(fc.property(origin, moves, forms, ([x, y], moves, forms) => {
    const size = 150;
    const index = new ZoneIndex(divide([x, y], size, moves, forms, round));
    for (let ty = (y >> 5) - 1; ty <= (y + size) >> 5; ty++) {
      for (let tx = (x >> 5) - 1; tx <= (x + size) >> 5; tx++) {
        const expected = Array.from({ length: 1024 }, (_, key) => {
          const column = tx * 32 + key % 32 - x;
          const row = ty * 32 + (key >> 5) - y;
          const inside = Math.min(column, row) >= 0 &&
            Math.max(column, row) < size;
          return inside ? 1 : 0;
        });
        assert.deepEqual(holders(index, tx, ty), expected);
      }
    }
  }));
});

test("each cell of the whole plane is in one zone", () => {
  const cell = fc.tuple(fc.integer(), fc.integer());
  const cells = fc.array(cell, { minLength: 50, maxLength: 50, size: "max" });
  fc.assert(
    fc.property(moves, forms, cells, (moves, forms, cells) => {
      // Without middles: they would be rounded.
      const whole = forms.map((form) => ({ ...form, middles: 0 }));
      const low: Position = [INT32_MIN, INT32_MIN];
      const zones = divide(low, 2 ** 32, moves, whole, (value) => value);
      const index = new ZoneIndex(zones);
      // Anywhere, at the corners, and along the edges.
      const near = zones.flatMap(({ polygons: [polygon] }) => {
        const [[x1, y1], [x2, y2]] = polygon![0] as unknown as [
          Position,
          Position,
        ];
        return [0, 0.1, 0.7].map((t) =>
          [x1 + t * (x2 - x1), y1 + t * (y2 - y1)] as const
        );
      });
      const corners = [INT32_MIN, INT32_MAX].flatMap((x) =>
        [INT32_MIN, INT32_MAX].map((y) => [x, y] as const)
      );
      for (const position of [...cells, ...near, ...corners]) {
        const [x, y] = position.map((coordinate) =>
          Math.min(Math.floor(coordinate), INT32_MAX)
        ) as [number, number];
        const counts = holders(index, x >> 5, y >> 5);
        assert.ok(counts.every((count) => count === 1), `${x},${y}: ${counts}`);
      }
    }),
    { numRuns: 20 },
  );
});

test("a cell at a vertex of many zones is in one of them", () => {
  for (const centre of [[0.5, 0.5], [0, 0], [-7.5, 3.25]] as Position[]) {
    const around: Position[] = Array.from({ length: 12 }, (_, i) => {
      const angle = i * Math.PI / 6;
      return [100 * Math.cos(angle), 100 * Math.sin(angle)];
    });
    const zones = around.map((from, i) =>
      zoneOf(`${i}`, [closed([centre, from, around[(i + 1) % 12]!])])
    );
    const index = new ZoneIndex(zones);
    for (
      const [x, y] of [[0, 0], [-1, -1], [-8, 3], [-8, 2], [5, 5]] as const
    ) {
      const key = (y & 31) << 5 | (x & 31);
      const found = index.at(x >> 5, y >> 5)
        .filter(({ mask }) => maskHolds(mask, key));
      assert.equal(found.length, 1, `${x},${y}`);
    }
  }
});
