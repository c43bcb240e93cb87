/** Reading one zone from a Feature. */
import assert from "node:assert/strict";
import { readFeatureInSteps, ZoneError } from "../../src/zones/mod.ts";
import { atOnce } from "../../src/common/at_once.ts";
import { collection, feature, pure, read, SQUARE } from "./support.ts";

function readOne(input: Uint8Array | string, name?: string) {
  return atOnce(readFeatureInSteps(input, name));
}

function errorOf(input: Uint8Array | string, name?: string): ZoneError {
  try {
    readOne(input, name);
  } catch (error) {
    if (error instanceof ZoneError) return error;
    throw error;
  }
  return assert.fail("no error");
}

const text = (properties: unknown) => JSON.stringify(feature(properties));

pure("a feature is read as that of a collection", () => {
  const lobby = { ...feature({ name: "lobby", fill: "#f00" }), id: 7 };
  assert.deepEqual(
    [readOne(`\ufeff ${JSON.stringify(lobby)}\n`)],
    read(collection(lobby)),
  );
});

pure("a feature without a name gets the given one", () => {
  for (const properties of [{}, null, { name: null }, { name: "" }]) {
    assert.equal(readOne(text(properties), "hall").name, "hall");
  }
  assert.equal(readOne(text({ name: "hall" }), "hall").name, "hall");
  const { foreign } = readOne(
    `{"type":"Feature","properties":{"__proto__":{"a":1}},"geometry":${
      JSON.stringify({ type: "Polygon", coordinates: SQUARE })
    }}`,
    "hall",
  );
  assert.deepEqual(Object.keys(foreign!.properties!), ["__proto__"]);
});

pure("a feature with another name is refused", () => {
  const error = errorOf(text({ name: "lob\x1bby" }), "hall");
  assert.equal(error.code, "bad-name");
  assert.equal(
    error.message,
    'the name of the feature is "lob\\x1bby", not "hall"',
  );
  assert.equal(errorOf(text({ name: 7 }), "hall").code, "bad-name");
  assert.equal(errorOf(text({}), "a/b").code, "bad-name");
});

pure("what is not one feature is refused, with the place", () => {
  const one = text({ name: "a" });
  const refused: [string | Uint8Array, string, RegExp][] = [
    ["", "cut-off", /line 1, column 1/],
    [one.slice(0, -3), "cut-off", /line 1, column \d+/],
    ['{\n "type" "Feature"}', "bad-json", /^line 2, column 9: /],
    // As an element of an array, each of these would be more than one.
    [`${one},${one}`, "bad-json", /line 1/],
    [`${one}],"more":[${one}`, "bad-json", /line 1/],
    [collection(feature({ name: "a" })), "bad-form", /FeatureCollection/],
    ["[]", "bad-form", /an array/],
    [new Uint8Array([0x22, 0xff, 0x22]), "bad-utf8", /byte 2/],
    [`{"a":"${"x".repeat(524_288)}"}`, "too-large", /524296 bytes/],
    ["[".repeat(100_000) + "]".repeat(100_000), "bad-json", /levels deep/],
  ];
  for (const [input, code, message] of refused) {
    const error = errorOf(input, "a");
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    assert.ok(error.hint !== undefined);
  }
});
