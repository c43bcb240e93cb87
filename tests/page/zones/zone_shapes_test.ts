/** The outlines of zones, beside the rule of the server for cells of a zone. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { definitionOf } from "../../../src/page/zones/zone_definitions.ts";
import {
  shapeOf,
  topEdgeOf,
  ZoneShapes,
} from "../../../src/page/zones/zone_shapes.ts";
import type { Polygon } from "../../../src/zones/zone.ts";

const permissions = "none";

function zoneOf(name: string, ...polygons: Polygon[]) {
  return definitionOf({
    type: "Feature",
    properties: { name },
    geometry: { type: "MultiPolygon", coordinates: polygons },
  });
}

function square(x: number, y: number, side: number): [number, number][] {
  return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]];
}

Deno.test({
  name: "ZoneShapes.withCell() finds the zones of a cell, the smallest first",
  permissions,
  fn: () => {
    const shapes = new ZoneShapes([
      zoneOf("desk", [square(2, 2, 2)]),
      zoneOf("hall", [square(0, 0, 10), square(6, 6, 2)]),
      zoneOf("two", [square(20, 0, 1)], [square(30, 0, 1)]),
    ]);
    const at = (x: number, y: number) =>
      shapes.withCell(x, y).map(({ name }) => name);
    assert.deepEqual(at(2, 3), ["desk", "hall"]);
    assert.deepEqual(at(0, 0), ["hall"]);
    assert.deepEqual(at(9, 9), ["hall"]);
    assert.deepEqual(at(10, 9), [], "an edge is the end");
    assert.deepEqual(at(7, 7), [], "a hole");
    assert.deepEqual(at(20, 0), ["two"]);
    assert.deepEqual(at(30, 0), ["two"]);
    assert.deepEqual(at(25, 0), []);
    assert.deepEqual(shapes.edges, [0, 0, 31, 10]);
    assert.equal(shapes.byName.get("hall")!.area, 96);
  },
});

Deno.test({
  name:
    "outer rings and holes have opposite directions, however they are given",
  permissions,
  fn: () => {
    fc.assert(fc.property(fc.boolean(), fc.boolean(), (outer, hole) => {
      const ring = (points: [number, number][], turned: boolean) =>
        turned ? points.toReversed() : points;
      const { rings, area } = shapeOf(
        zoneOf("a", [
          ring(square(0, 0, 9), outer),
          ring(square(1, 1, 2), hole),
        ]),
      );
      assert.equal(area, 77);
      const [first, second] = rings.map((points) => {
        let sum = 0;
        for (let i = 0; i < points.length; i += 2) {
          const [px, py] = [points.at(i - 2)!, points.at(i - 1)!];
          sum += (px - points[i]!) * (py + points[i + 1]!);
        }
        return Math.sign(sum);
      });
      assert.deepEqual([first, second], [1, -1]);
    }));
  },
});

Deno.test({
  name: "topEdgeOf() is the middle of the upper edge, whichever way y grows",
  permissions,
  fn: () => {
    // An L: wide at the bottom in axes that grow downwards.
    const shape = shapeOf(zoneOf("l", [[
      ...[[0, 0], [2, 0], [2, 8], [10, 8], [10, 10], [0, 10], [0, 0]],
    ] as [number, number][]]));
    assert.deepEqual(topEdgeOf(shape, false), { x: 1, y: 0 });
    assert.deepEqual(topEdgeOf(shape, true), { x: 5, y: 10 });
  },
});
