import assert from "node:assert/strict";
import fc from "fast-check";
import {
  formatHash,
  formatSearch,
  parseAddress,
  parseCoordinate,
  parseHash,
  type ViewState,
} from "../../../src/page/controls/view_hash.ts";

const options = { permissions: "none" } as const;

const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const region = fc.tuple(int32, int32, int32, int32).map(([a, b, c, d]) => ({
  x0: Math.min(a, c),
  y0: Math.min(b, d),
  x1: Math.max(a, c),
  y1: Math.max(b, d),
}));
const tenth = int32.map((number) => Math.round(number) / 10 + 0);
const anyView: fc.Arbitrary<ViewState> = fc.record({
  layer: fc.string({ unit: "grapheme", minLength: 1 }),
  center: fc.tuple(tenth, tenth),
  scale: fc.integer({ min: 1, max: 1e6 }).map((number) => number / 1e4),
  palette: fc.constantFrom("safe", "traffic", "rviz"),
  theme: fc.constantFrom("light", "dark"),
  box: region,
}, { requiredKeys: [], noNullPrototype: true });

Deno.test(
  "parseHash() returns the view that formatHash() formatted",
  options,
  () => {
    fc.assert(fc.property(anyView, (view) => {
      assert.deepEqual(parseHash(formatHash(view)), view);
      assert.deepEqual(parseHash(`#${formatHash(view)}`), view);
    }));
  },
);

Deno.test(
  "parseHash() accepts any text and ignores invalid parts",
  options,
  () => {
    fc.assert(fc.property(fc.string(), (text) => void parseHash(text)));
    for (
      const bad of [
        "",
        "#",
        "#at=1",
        "#at=1,x",
        "#scale=0",
        "#scale=-1",
        "#palette=pink",
        "#palette=toString",
        "#theme=sepia",
        "#box=1.5,2,3,4",
        "#box=0,0,3000000000,1",
        "#layer=%E0%A4%A",
        "#layer=",
      ]
    ) assert.deepEqual(parseHash(bad), {}, bad);
    // As everywhere, two opposite corners in any order.
    assert.deepEqual(parseHash("#box=1,2,0,3"), {
      box: { x0: 0, y0: 2, x1: 1, y1: 3 },
    });
  },
);

Deno.test(
  "formatHash() does not escape the slashes of a layer name",
  options,
  () => {
    assert.equal(
      formatHash({ layer: "hall a/l2", center: [1.25, -4], scale: 8 }),
      "layer=hall%20a/l2&at=1.3,-4&scale=8",
    );
  },
);

Deno.test("parseCoordinate() accepts the usual notations", options, () => {
  for (
    const [text, expected] of [
      ["12,-4", [12, -4]],
      [" 12 , -4 ", [12, -4]],
      ["12 -4", [12, -4]],
      ["(12, −4)", [12, -4]],
      ["x 12, y -4", [12, -4]],
      ["X=12;Y=-4", [12, -4]],
    ] as const
  ) assert.deepEqual(parseCoordinate(text), expected, text);
  for (
    const text of ["", "12", "12,", "a,b", "1.5,2", "1,2,3", "9999999999,0"]
  ) {
    assert.equal(parseCoordinate(text), undefined, text);
  }
});

Deno.test(
  "the selected zone is in the query, beside other parameters",
  options,
  () => {
    const zone = fc.string({ unit: "grapheme", minLength: 1 });
    const search = fc.constantFrom("", "?kiosk=1", "?kiosk=zones&zone=old");
    fc.assert(fc.property(anyView, zone, search, (view, zone, search) => {
      const written = formatSearch(search, { ...view, zone });
      const hash = `#${formatHash(view)}`;
      assert.deepEqual(parseAddress({ search: written, hash }), {
        ...view,
        zone,
      });
      const kiosk = new URLSearchParams(search).get("kiosk");
      assert.equal(new URLSearchParams(written).get("kiosk"), kiosk);
      const without = formatSearch(written, view);
      assert.deepEqual(parseAddress({ search: without, hash }), view);
    }));
    assert.equal(formatSearch("?zone=lobby", {}), "");
    assert.equal(formatSearch("?kiosk", {}), "?kiosk");
  },
);
