/** Every error of a collection of zones: code, place and hint. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { ZoneError } from "../../src/zones/mod.ts";
import { collection, feature, pure, read, SQUARE } from "./support.ts";

/** Returns the error of a collection. */
function errorOf(
  input: Uint8Array | string,
  limits?: Parameters<typeof read>[1],
): ZoneError {
  try {
    read(input, limits);
  } catch (error) {
    if (error instanceof ZoneError) return error;
    throw error;
  }
  assert.fail(`no error: ${input.slice(0, 200)}`);
}

type Case = [input: string, code: string, message: RegExp];

function check(cases: readonly Case[]): void {
  for (const [input, code, message] of cases) {
    const error = errorOf(input);
    assert.equal(error.code, code, `${input}: ${error.message}`);
    assert.match(error.message, message);
    assert.ok(error.hint!.length > 10);
  }
}

const named = (more: Record<string, unknown>) =>
  collection(feature({ name: "hall" }), feature({ name: "lobby", ...more }));
const rings = (...coordinates: unknown[]) =>
  collection(feature({ name: "lobby" }, coordinates));
const ring = (...corners: unknown[]) => rings([...corners, corners[0]]);

pure("names that are no topic level are refused", () => {
  const bad = (name: unknown) =>
    collection(feature({ name: "hall" }), feature({ name }));
  check([
    [bad("#"), "bad-name", /^feature 2: the zone name "#" has a wildcard$/],
    [bad("a+b"), "bad-name", /has a wildcard/],
    [bad("a/b"), "bad-name", /^feature 2: .* "a\/b" has a slash/],
    [bad(""), "bad-name", /^feature 2: the zone has no name/],
    [bad(null), "bad-name", /has no name/],
    [bad(undefined), "bad-name", /has no name/],
    [bad("  "), "bad-name", /is blank/],
    [bad(7), "bad-name", /is not a text but 7/],
    [bad(["a"]), "bad-name", /is not a text but an array/],
    [bad("a\nb"), "bad-name", /"a\\nb" has a control character/],
    [bad("a\u0000"), "bad-name", /has a control character/],
    [bad("a\u009b31m"), "bad-name", /has a control character/],
    [bad("\ud800"), "bad-name", /half of a surrogate pair/],
    [bad("x".repeat(201)), "bad-name", /is over 200 bytes/],
    [bad("é".repeat(101)), "bad-name", /is over 200 bytes/],
    [bad("x".repeat(100_000)), "bad-name", /^.{1,120}$/],
    [
      collection(feature(null)),
      "bad-name",
      /^feature 1: the zone has no name/,
    ],
    [
      collection(...["a", "b", "a"].map((name) => feature({ name }))),
      "duplicate-name",
      /^feature 3: "a" is also the name of feature 1$/,
    ],
  ]);
});

pure("properties that are not valid are refused", () => {
  check([
    [named({ layer: "#" }), "bad-layer", /^zone "lobby": its layer .*wildcard/],
    [named({ layer: 2 }), "bad-layer", /is not a text but 2/],
    [named({ title: "a\tb" }), "bad-title", /"a\\tb" has a control character/],
    [named({ title: {} }), "bad-title", /is not a text but an object/],
    [named({ title: "x".repeat(201) }), "bad-title", /over 200 bytes/],
    [named({ title: "\udc00" }), "bad-title", /surrogate/],
    ...[0, -1, 1.5, "20", true, 2 ** 53, []].map((capacity): Case => [
      named({ capacity }),
      "bad-capacity",
      /^zone "lobby": its capacity is not a whole number above 0 but /,
    ]),
    ...[
      ...[1, [], {}, true, "cells", "{", { cells: 0 }, { cells: 1.5 }],
      ...[{ cells: 1, count: 1 }, { count: -1 }, { count: "3" }, { rows: 1 }],
      ...[{ percent: 0 }, { percent: -5 }, { percent: null }, { percent: 101 }],
      ...['{"cells":0}', " ".repeat(1000) + '{"cells":1}', { __proto__: null }],
    ].map((occupiedWhen): Case => [
      named({ occupiedWhen }),
      "bad-occupied-when",
      /^zone "lobby": its occupiedWhen /,
    ]),
    ...["30 seconds", "-1s", -1, 1e30, "40000d", true, [], {}].flatMap(
      (value): Case[] => [
        [named({ clearAfter: value }), "bad-duration", /its clearAfter is not/],
        [named({ staleAfter: value }), "bad-duration", /its staleAfter is not/],
      ],
    ),
    [named({ staleAfter: "0s" }), "bad-duration", /its staleAfter is 0/],
    [named({ staleAfter: 0 }), "bad-duration", /its staleAfter is 0/],
  ]);
});

pure("geometries that are no polygons are refused", () => {
  const of = (geometry: unknown) =>
    collection({ type: "Feature", properties: { name: "lobby" }, geometry });
  check([
    [of(null), "bad-geometry", /^zone "lobby": it has no geometry/],
    [of(undefined), "bad-geometry", /it has no geometry/],
    [of([]), "bad-geometry", /is not an object but an array/],
    [of({ type: "Point", coordinates: [1, 2] }), "bad-geometry", /"Point"/],
    [
      of({ type: "GeometryCollection", geometries: [] }),
      "bad-geometry",
      /"Geo/,
    ],
    [of({ coordinates: SQUARE }), "bad-geometry", /missing/],
    [of({ type: "Polygon" }), "bad-geometry", /no array of rings but undef/],
    [of({ type: "Polygon", coordinates: [] }), "bad-geometry", /no rings/],
    [
      of({ type: "Polygon", coordinates: [[]] }),
      "bad-geometry",
      /ring 1: .*no/,
    ],
    [
      of({ type: "MultiPolygon", coordinates: SQUARE }),
      "bad-position",
      /^zone "lobby": polygon 1, ring 1, position 1: a position is 0/,
    ],
    [of({ type: "MultiPolygon", coordinates: [] }), "bad-geometry", /polygons/],
  ]);
});

pure("rings that are not valid are refused, with their place", () => {
  check([
    [
      rings(SQUARE[0], [[0, 0], [4, 0], [4, 4], [0, 4]]),
      "open-ring",
      /^zone "lobby": ring 2: the ring is open: it begins at 0,0 and ends at 0,4/,
    ],
    [rings([[0, 0], [4, 0], [0, 0]]), "short-ring", /ring 1: .* 3 positions/],
    [rings([[0, 0]]), "short-ring", /only 1 position$/],
    [
      ring([0, 0], [2, 2], [5, 5]),
      "empty-ring",
      /ring 1: the ring has no area/,
    ],
    [ring([3, 3], [3, 3], [3, 3]), "empty-ring", /no area/],
    [ring([0, 0], [4, 0], [4, 4], [4, 0]), "empty-ring", /no area/],
    [
      ring([0, 0], [4, 4], [4, 0], [0, 4]),
      "self-crossing",
      /from 0,0 to 4,4 \(ring 1, positions 1 and 2\) crosses/,
    ],
    [
      rings(SQUARE[0], [[1, 1], [3, 1], [3, 1.5], [1, 1]]),
      "self-crossing",
      /\(ring 2, positions 1 and 2\).*\(ring 1, positions 2 and 3\)/,
    ],
    [
      collection(feature(
        { name: "lobby" },
        [SQUARE, [[[0, 0], [4, 4], [4, 0], [0, 4], [0, 0]]]],
        "MultiPolygon",
      )),
      "self-crossing",
      /^zone "lobby": polygon 2: the edge/,
    ],
  ]);
});

pure("positions that are not valid are refused, with their place", () => {
  const at = (position: unknown) => ring([0, 0], [4, 0], position, [0, 4]);
  check([
    [at([4]), "bad-position", /ring 1, position 3: a position has 1 number/],
    [at(4), "bad-position", /a position is 4/],
    [at(null), "bad-position", /a position is null/],
    [at([4, "4"]), "bad-position", /position 3: y is not a finite .* but "4"/],
    [at([null, 4]), "bad-position", /x is not a finite number but null/],
    [
      at([4, 4]).replace("[4,4]", "[4,1e999]"),
      "bad-position",
      /y is not a finite number but Infinity/,
    ],
    [at([2 ** 31 + 1, 4]), "bad-position", /x is 2147483649, outside/],
    [at([4, -(2 ** 31) - 0.5]), "bad-position", /y is -2147483648.5, outside/],
    [
      at([4, 4]).replace("[4,4]", "[4,NaN]"),
      "bad-json",
      /^feature 1: line 1, column \d+: "NaN" where a value was expected/,
    ],
  ]);
});

pure("coordinates in degrees are refused with a hint", () => {
  const room = (x: number, y: number, size: number) => [[
    ...[[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]],
  ]];
  const error = errorOf(collection(
    feature({ name: "lobby" }, room(13.376198, 52.518623, 0.00012)),
    feature({ name: "hall" }, room(13.377001, 52.518701, 0.00031)),
  ));
  assert.equal(error.code, "degrees");
  assert.match(error.message, /^zone "lobby": .*13.376198,52.518623/);
  assert.match(error.hint!, /cells/);
  // One zone in cells: small ones beside it are allowed.
  const cells = collection(
    feature({ name: "lobby" }, room(13.376198, 52.518623, 0.00012)),
    feature({ name: "hall" }, room(13.1, 52.1, 3)),
  );
  assert.equal(read(cells).length, 2);
  // Around the centre of a cell.
  assert.equal(
    read(collection(feature({ name: "a" }, room(3.3, 4.3, 0.4)))).length,
    1,
  );
  assert.equal(read(collection()).length, 0);
});

pure("JSON that is no FeatureCollection is refused with a hint", () => {
  check([
    ["[]", "bad-form", /is not an object but an array/],
    ["1", "bad-form", /is not an object but 1/],
    ["null", "bad-form", /is not an object but null/],
    ["{}", "bad-form", /has no type/],
    [JSON.stringify(feature({ name: "a" })), "bad-form", /but "Feature"/],
    ['{"type":"FeatureCollection"}', "bad-form", /has no features/],
    ['{"type":"FeatureCollection","features":{}}', "bad-form", /no array/],
    [
      '{"type":"FeatureCollection","features":[],"features":[]}',
      "bad-form",
      /"features" twice/,
    ],
    [
      `{"type":"FeatureCollection","features":[],"f\\u0065atures":[1]}`,
      "bad-form",
      /"features" twice/,
    ],
    [collection(1), "bad-form", /^feature 1: it is not an object but 1/],
    [collection({}), "bad-form", /^feature 1: it has no type/],
    [
      collection({ type: "feature", properties: { name: "x" } }),
      "bad-form",
      /^zone "x": its type is not "Feature" but "feature"/,
    ],
    [
      collection({ type: "Feature", properties: 7 }),
      "bad-form",
      /properties are not an object but 7/,
    ],
  ]);
});

pure("JSON that does not parse is refused with its line and column", () => {
  const text = collection(feature({ name: "a" }), feature({ name: "b" }))
    .replaceAll("{", "{\n");
  const edit = (from: string, to: string) => {
    const at = text.lastIndexOf(from);
    return text.slice(0, at) + to + text.slice(at + from.length);
  };
  check([
    ["nonsense", "bad-json", /^line 1, column 1: "nonsense"/],
    [edit('"b"', "b"), "bad-json", /^feature 2: line 7, column 8: "b" where/],
    [edit('"b"', '"b'), "bad-json", /line 7, column 13: "geometry" where/],
    [edit('"b"', '"b",'), "bad-json", /^feature 2: line 7, .*"}" where a name/],
    [
      edit("]]]}}", "]]]}}}"),
      "bad-json",
      /^line 8, column 67: "}" where a comma/,
    ],
    [edit("]]]}}", "]]]]}}"), "bad-json", /^feature 2: line 8, .*"]" where/],
    [edit("]]]}}", "]]]}},"), "bad-json", /^feature 3: .* value is missing/],
    [edit("]]]}}]", "]]]}}"), "bad-json", /"}" where a value was expected/],
    [text + "x", "bad-json", /^line 8, column \d+: "x" where the end/],
    [
      collection(feature({ name: "a", deep: "@" }))
        .replace('"@"', "[".repeat(100) + "]".repeat(100)),
      "bad-json",
      /^feature 1: arrays and objects are more than 64 levels deep/,
    ],
  ]);
});

pure("a collection that was cut off is refused, at any place", () => {
  const text = collection(
    feature({ name: "é", title: "a\\b", capacity: 20, x: [true, null, -1e-5] }),
    feature({ name: "b" }),
  );
  const bytes = new TextEncoder().encode(text);
  for (let length = 0; length < bytes.length; length++) {
    const error = errorOf(bytes.subarray(0, length));
    assert.equal(error.code, "cut-off", `${length}: ${error.message}`);
    assert.match(error.hint!, /copied only in part/);
  }
});

pure("bytes that are not UTF-8 are refused with their place", () => {
  const bytes = new TextEncoder().encode(
    "\n" + collection(feature({ name: "B?ro" })),
  );
  const at = bytes.indexOf(0x3f);
  bytes[at] = 0xfc;
  const error = errorOf(bytes);
  assert.equal(error.code, "bad-utf8");
  assert.match(error.message, new RegExp(`line 2, byte ${at + 1}$`));
  // Across the parts in which bytes are checked.
  const long = new Uint8Array(70_000).fill(0x20);
  for (const at of [65_534, 65_535, 65_536, 69_999]) {
    const copy = long.slice();
    copy.set([0xe2, 0x82], at - 1);
    assert.equal(errorOf(copy).code, at === 69_999 ? "cut-off" : "bad-utf8");
  }
});

pure("a collection over a limit is refused as a whole", () => {
  const text = collection(feature({ name: "a" }), feature({ name: "b" }));
  const { length } = text;
  const over = (limits: Parameters<typeof read>[1]) =>
    errorOf(text, limits).code;
  assert.equal(
    read(text, { bytes: length, zones: 2, positions: 10 }).length,
    2,
  );
  assert.equal(over({ bytes: length - 1 }), "too-large");
  assert.equal(over({ zones: 1 }), "too-many-zones");
  assert.equal(over({ positions: 9 }), "too-many-positions");
  assert.equal(over({ featureBytes: 60 }), "too-large");
  assert.equal(errorOf(new Uint8Array(16 * 2 ** 20 + 1)).code, "too-large");
  const outer = `{"a":"${"x".repeat(2 ** 20)}",${text.slice(1)}`;
  assert.equal(errorOf(outer).code, "too-large");
});

pure("a collection of 100 MB is refused without being read", () => {
  const bytes = new Uint8Array(100_000_000);
  const untouchable = new Proxy(bytes, {
    get(target, key) {
      if (key === "length") return target.length;
      throw new Error(`read ${String(key)}`);
    },
  });
  assert.equal(errorOf(untouchable).code, "too-large");
});

pure("a message names only what a terminal can show", () => {
  const error = errorOf(
    collection(feature({ name: "\u202e\u200b<b>", capacity: 0 })),
  );
  assert.match(error.message, /^zone "\\u\{202e\}\\u\{200b\}<b>": /);
});

pure("any change of a collection is read or refused with a ZoneError", () => {
  const text = collection(
    feature({ name: "a", occupiedWhen: { count: 3 }, clearAfter: "30s" }),
    feature({ name: "b", layer: "l2" }, [SQUARE, SQUARE], "MultiPolygon"),
  );
  const edit = fc.tuple(
    fc.nat(),
    fc.nat(6),
    fc.oneof(
      fc.constantFrom(...'{}[],:"\\-19.e', "null", "1e999", "\u0000", "[]"),
      fc.string({ maxLength: 3, unit: "binary" }),
    ),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
      let changed = text;
      for (const [at, cut, insert] of edits) {
        const from = at % (changed.length + 1);
        changed = changed.slice(0, from) + insert + changed.slice(from + cut);
      }
      try {
        read(changed);
      } catch (error) {
        if (!(error instanceof ZoneError)) throw error;
        assert.ok(error.message.length < 500);
      }
    }),
    { numRuns: 5000 },
  );
});

pure("any bytes are refused with a ZoneError", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    errorOf(bytes);
  }));
});

pure("any JSON in place of a part is read or refused with a ZoneError", () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(json, json, fc.nat(6), (a, b, where) => {
      const inputs = [
        JSON.stringify(a),
        collection(a, b),
        collection(feature(a)),
        collection(feature({ name: "a" }, a)),
        collection(feature({ name: "a" }, [[a, b]], "MultiPolygon")),
        collection(feature({ name: "a" }, [[[0, 0], [a, b], [1, 1], [0, 0]]])),
        collection(feature({ name: "a", occupiedWhen: a, clearAfter: b })),
      ];
      try {
        read(inputs[where]!);
      } catch (error) {
        if (!(error instanceof ZoneError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
