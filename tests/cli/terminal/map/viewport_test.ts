import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Camera,
  pan,
  shownRegion,
  viewportOf,
  zoomIn,
  zoomOut,
} from "../../../../src/cli/terminal/map/viewport.ts";

Deno.test({
  name:
    "pan(), zoomIn() and zoomOut() stay on the map, and lead back to all of it",
  permissions: "none",
  fn: () => {
    const span = fc.integer({ min: 0, max: 5000 });
    fc.assert(fc.property(
      fc.record({
        x: fc.integer({ min: -(2 ** 31), max: 2 ** 30 }),
        y: fc.integer({ min: -(2 ** 31), max: 2 ** 30 }),
        across: span,
        down: span,
      }),
      fc.record({
        width: fc.integer({ min: 1, max: 200 }),
        height: fc.integer({ min: 2, max: 100 }),
        maxCellWidth: fc.constantFrom(2, 8),
      }),
      fc.array(fc.constantFrom("+", "-", "left", "right", "up", "down")),
      ({ x, y, across, down }, area, keys) => {
        const region = { x0: x, y0: y, x1: x + across, y1: y + down };
        let camera: Camera | undefined;
        const viewport = () => viewportOf(region, area, camera);
        for (const key of keys) {
          if (key === "+") camera = zoomIn(viewport(), area);
          else if (key === "-") camera = zoomOut(viewport(), area, region);
          else if (camera) {
            const by = key === "left" || key === "up" ? -1 : 1;
            const aside = key === "left" || key === "right";
            camera = pan(viewport(), aside ? by : 0, aside ? 0 : by);
          }
          const { x0, y0, x1, y1 } = shownRegion(viewport(), region);
          assert.ok(x0 >= region.x0 && x0 <= x1 && x1 <= region.x1);
          assert.ok(y0 >= region.y0 && y0 <= y1 && y1 <= region.y1);
        }
        for (let i = 0; camera && i < 40; i++) {
          camera = zoomOut(viewport(), area, region);
        }
        assert.equal(camera, undefined);
        assert.deepEqual(shownRegion(viewport(), region), region);
      },
    ));
  },
});
