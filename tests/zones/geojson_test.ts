/** Zones from GeoJSON, and back. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Polygon,
  readZones,
  readZonesInSteps,
  type Ring,
  writeZones,
  type Zone,
} from "../../src/zones/mod.ts";
import { collection, feature, pure, read, SQUARE } from "./support.ts";

const written = (zones: readonly Zone[]) => [...writeZones(zones)].join("");

/** Reads the zone of one feature. */
function zoneOf(properties: Record<string, unknown>): Zone {
  return read(collection(feature({ name: "lobby", ...properties })))[0]!;
}

pure("readZones() reads all properties", () => {
  assert.deepEqual(
    zoneOf({
      layer: "hall/l2",
      title: "The <b>lobby</b>",
      capacity: 20,
      occupiedWhen: { percent: 12.5 },
      clearAfter: "1.5s",
      staleAfter: 600,
    }),
    {
      name: "lobby",
      layer: "hall/l2",
      title: "The <b>lobby</b>",
      capacity: 20,
      occupiedWhen: { percent: 12.5 },
      clearAfter: 1500,
      staleAfter: 600_000,
      polygons: [SQUARE],
    },
  );
});

pure(
  "a property that is missing, null or an empty text has its default",
  () => {
    const zone = {
      name: "lobby",
      layer: "default",
      title: undefined,
      capacity: undefined,
      occupiedWhen: { cells: 1 },
      clearAfter: 0,
      staleAfter: undefined,
      polygons: [SQUARE],
    };
    const names = [
      ...["layer", "title", "capacity"],
      ...["occupiedWhen", "clearAfter", "staleAfter"],
    ];
    assert.deepEqual(zoneOf({}), zone);
    for (const empty of [null, ""]) {
      const properties = Object.fromEntries(names.map((name) => [name, empty]));
      assert.deepEqual(zoneOf(properties), zone);
    }
  },
);

pure("names that are allowed in a topic level are names of zones", () => {
  for (
    const name of ["<script>", "$x", "room 2.14", "Büro", "🚪", "x".repeat(200)]
  ) {
    assert.equal(zoneOf({ name }).name, name);
  }
});

pure("durations are texts, or numbers of seconds", () => {
  const cases: [value: unknown, ms: number][] = [
    ["30s", 30_000],
    ["2", 2000],
    [2, 2000],
    [0.25, 250],
    [1e-7, 0],
    ["10m", 600_000],
  ];
  for (const [value, ms] of cases) {
    assert.equal(zoneOf({ clearAfter: value }).clearAfter, ms);
  }
});

pure("occupiedWhen can be a text with JSON, as QGIS writes objects", () => {
  const { occupiedWhen } = zoneOf({ occupiedWhen: '{"count": 5}' });
  assert.deepEqual(occupiedWhen, { count: 5 });
  assert.deepEqual(
    zoneOf({ capacity: 4, occupiedWhen: { percent: 150 } }).occupiedWhen,
    { percent: 150 },
  );
});

pure("other properties and members of a feature are kept", () => {
  const json = `{"type":"FeatureCollection","name":"export","crs":{},
    "features":[{"type":"Feature","id":7,"bbox":[0,0,2,2],"x":{"y":[1]},
    "properties":{"name":"lobby","fill":"#f00","__proto__":1,"fid":null},
    "geometry":{"type":"Polygon","bbox":[0,0,2,2],"coordinates":
    ${JSON.stringify(SQUARE)}}}]}`;
  const zones = read(json);
  assert.deepEqual(JSON.parse(written(zones)), {
    type: "FeatureCollection",
    features: [{
      type: "Feature",
      id: 7,
      x: { y: [1] },
      properties: JSON.parse(
        '{"name":"lobby","fill":"#f00","__proto__":1,"fid":null}',
      ),
      geometry: { type: "Polygon", coordinates: SQUARE },
    }],
  });
});

pure("more than two numbers of a position, and -0, are not kept", () => {
  const [zone] = read(
    collection(
      feature({ name: "a" }, [[
        ...[[0, 0, 1], [2, 0, "high"], [2, 2, null, 4]],
        ...[[0, 2], [0, 0, 9]],
      ]]),
    ).replace("[0,2]", "[-0.0,2]"),
  );
  assert.deepEqual(zone!.polygons, [SQUARE]);
});

pure("both orientations and the edges of all cells are allowed", () => {
  const [low, high] = [-(2 ** 31), 2 ** 31];
  const all = [[low, low], [low, high], [high, high], [high, low], [low, low]];
  for (const ring of [all, all.toReversed()]) {
    const text = collection(feature({ name: "a" }, [ring]));
    assert.deepEqual(read(text)[0]!.polygons, [[ring]]);
  }
});

pure("bytes with a byte order mark and white space are allowed", () => {
  const text = "\ufeff" +
    JSON.stringify(JSON.parse(collection(feature({ name: "é" }))), null, "\t") +
    "\r\n";
  for (const input of [text, new TextEncoder().encode(text)]) {
    assert.equal(read(input)[0]!.name, "é");
  }
  assert.deepEqual(
    read(' {"features" : [ ] , "type":"FeatureCollection"}'),
    [],
  );
});

pure("features are those of the collection, not of a member", () => {
  const text = collection(
    feature({ name: "a", features: [{ features: [1, "]"] }], 'x\\"': "}" }),
  );
  const more = text.replace("{", '{"other":{"features":[1,2]},"a":"features",');
  assert.deepEqual(read(more).map(({ name }) => name), ["a"]);
});

pure("writeZones() writes one feature a line", () => {
  const zones = read(
    collection(feature({ name: "a" }), feature({ name: "b" })),
  );
  const lines = written(zones).split("\n");
  assert.equal(lines.length, 5);
  assert.deepEqual(JSON.parse(lines[2]!), feature({ name: "b" }));
  assert.deepEqual(read(written([])), []);
});

Deno.test({
  name: "readZones() reads in turns, and rejects",
  permissions: "none",
  fn: async () => {
    const text = collection(feature({ name: "a" }));
    assert.deepEqual(await readZones(text), read(text));
    await assert.rejects(readZones("{"), { code: "cut-off" });
  },
});

pure("a large zone, and many small ones, are read in short steps", () => {
  const ring = (x: number, corners: number) => {
    const ring = Array.from({ length: corners }, (_, i) => {
      const angle = 2 * Math.PI * i / corners;
      return [x + 1e4 * Math.cos(angle), 1e4 * Math.sin(angle)]
        .map(Math.round);
    });
    return [...ring, ring[0]!];
  };
  const small = (i: number) => [[[i, 0], [i + 1, 0], [i, 1], [i, 0]]];
  const numbers = Array.from({ length: 2000 }, (_, i) => i);
  const texts = {
    "many corners": collection(feature({ name: "a" }, [ring(0, 9000)])),
    "many polygons": collection(
      feature({ name: "a" }, numbers.map(small), "MultiPolygon"),
    ),
    "many rings": collection(
      feature({ name: "a" }, numbers.flatMap(small)),
    ),
    "many zones": collection(
      ...numbers.map((i) => feature({ name: `z${i}` }, small(i))),
    ),
    "many bytes": collection(
      ...[1, 2, 3].map((i) =>
        feature({ name: `${i}`, notes: "x".repeat(400_000) })
      ),
    ),
  };
  for (const [name, text] of Object.entries(texts)) {
    let steps = 0;
    const work = readZonesInSteps(text);
    while (!work.next().done) steps++;
    assert.ok(steps > text.length / 50_000 && steps > 15, `${name}: ${steps}`);
  }
});

const coordinate = fc.oneof(
  fc.integer({ min: -100, max: 100 }),
  fc.double({ min: -(2 ** 31), max: 2 ** 31 - 10, noNaN: true }),
);

/** Rectangles and triangles, with a hole or without. */
const polygon = fc.tuple(
  coordinate,
  coordinate,
  fc.integer({ min: 1, max: 9 }),
  fc.boolean(),
).map(([left, bottom, size, hasHole]): Polygon => {
  const [x, y] = [left + 0, bottom + 0];
  const [right, top] = [x + size, y + size];
  const outer: Ring = [[x, y], [right, y], [right, top], [x, top], [x, y]];
  const hole: Ring = [[x, y], [right, y], [right, top], [x, y]];
  return hasHole ? [outer, hole] : [outer];
});

const level = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((name) => name.trim() !== "" && !/[/+#\p{Cc}\ufffd]/u.test(name));
const PLAIN = { noNullPrototype: true };
const least = fc.integer({ min: 1 });
const durationMs = fc.integer({ min: 1, max: 3_153_600_000_000 });
const known = ["name", "layer", "title", "capacity", "occupiedWhen"];
const other = fc.dictionary(
  fc.string().filter((key) =>
    ![...known, "clearAfter", "staleAfter", "type", "properties", "bbox"]
      .includes(key) && key !== "geometry"
  ),
  fc.jsonValue({ maxDepth: 3 }),
  { minKeys: 1 },
).map((value) => JSON.parse(JSON.stringify(value)));

const zone: fc.Arbitrary<Zone> = fc.record({
  name: level,
  layer: level,
  title: fc.option(level, { nil: undefined }),
  capacity: fc.option(least, { nil: undefined }),
  occupiedWhen: fc.oneof(
    fc.record({ cells: least }, PLAIN),
    fc.record({ count: least }, PLAIN),
    fc.record(
      { percent: fc.double({ min: 1e-9, max: 100, noNaN: true }) },
      PLAIN,
    ),
  ),
  clearAfter: fc.oneof(fc.constant(0), durationMs),
  staleAfter: fc.option(durationMs, { nil: undefined }),
  polygons: fc.array(polygon, { minLength: 1, maxLength: 3 }),
  foreign: fc.record({ properties: other, members: other }, {
    requiredKeys: [],
    noNullPrototype: true,
  }),
}).map(({ foreign, ...zone }) =>
  Object.keys(foreign).length === 0 ? zone : { ...zone, foreign }
);

pure("zones that are written and read again are equal", () => {
  const zones = fc.uniqueArray(zone, {
    selector: ({ name }) => name,
    maxLength: 4,
  });
  fc.assert(
    fc.property(zones, (zones) => {
      const text = written(zones);
      assert.deepEqual(read(text), zones);
      assert.equal(written(read(text)), text);
    }),
    { numRuns: 500 },
  );
});
