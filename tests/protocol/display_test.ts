import assert from "node:assert/strict";
import {
  MAX_UNIT_LENGTH,
  nounOf,
  parseUnit,
  readDisplay,
} from "../../src/protocol/display.ts";
import { parseReply, ReplyWriter } from "../../src/protocol/mod.ts";

function pure(name: string, fn: () => void): void {
  Deno.test({ name, permissions: "none", fn });
}

pure("parseUnit() reads a singular and a plural, or one word for both", () => {
  assert.deepEqual(parseUnit("car,cars"), ["car", "cars"]);
  assert.deepEqual(parseUnit(" Gast , Gäste "), ["Gast", "Gäste"]);
  assert.deepEqual(parseUnit("kg"), ["kg", "kg"]);
  const longest = "x".repeat(MAX_UNIT_LENGTH);
  assert.deepEqual(parseUnit(longest), [longest, longest]);
  for (
    const text of [
      "",
      ",",
      "car,",
      ",cars",
      "a,b,c",
      longest + "x",
      "a\nb",
      "a\x1b[31mb",
      "a\u202eb",
      "\ud800",
    ]
  ) assert.throws(() => parseUnit(text), RangeError, JSON.stringify(text));
});

pure("nounOf() returns people unless the layer has another unit", () => {
  assert.equal(nounOf(1), "person");
  assert.equal(nounOf(0), "people");
  assert.equal(nounOf(1, ["car", "cars"]), "car");
  assert.equal(nounOf(2, ["car", "cars"]), "cars");
});

pure("readDisplay() ignores what is not valid", () => {
  assert.deepEqual(readDisplay({ unit: ["a", "b"], later: 1 }), {
    unit: ["a", "b"],
  });
  assert.deepEqual(readDisplay({ yUp: true, unit: 1 }), { yUp: true });
  for (
    const value of [
      undefined,
      null,
      { yUp: false },
      { yUp: 1 },
      1,
      [],
      {},
      { unit: "a" },
      { unit: ["a"] },
      { unit: ["a", 1] },
      { unit: ["a", "b", "c"] },
      { unit: ["a", "b\x1b"] },
    ]
  ) assert.equal(readDisplay(value), undefined, JSON.stringify(value));
});

const HEADER = { layer: "default", revision: 1, time: 1 } as const;

pure("a reply has the display properties of its layer", () => {
  for (const format of ["json", "csv"] as const) {
    const display = { unit: ["car", "cars"] } as const;
    const writer = new ReplyWriter({
      ...HEADER,
      display,
      format,
      maxBytes: 1024,
    });
    writer.cell(1, 2, 3, 4);
    const reply = parseReply(writer.finish()[0]!);
    assert.ok(reply.status === "ok");
    assert.deepEqual(reply.display, display);
    assert.equal(reply.cells.length, 1);
  }
});

pure("a reply omits display properties that leave no room for a cell", () => {
  const word = "€".repeat(MAX_UNIT_LENGTH);
  const header = {
    ...HEADER,
    transaction: "t".repeat(254),
    layer: '"'.repeat(200),
    revision: Number.MAX_SAFE_INTEGER,
    time: 99_999_999_999_999.9,
    staleAfter: 1e15 / 3,
    began: 99_999_999_999_999.9,
    display: { unit: [word, word] },
  } as const;
  const write = (maxBytes: number) => {
    const writer = new ReplyWriter({ ...header, format: "csv", maxBytes });
    writer.cell(-1e9, -1e9, -1e9, 99_999_999_999_999);
    const reply = parseReply(writer.finish()[0]!);
    assert.ok(reply.status === "ok");
    return reply;
  };
  assert.equal(write(1024).display, undefined);
  assert.equal(write(1024).cells.length, 1);
  assert.deepEqual(write(2048).display, header.display);
});
