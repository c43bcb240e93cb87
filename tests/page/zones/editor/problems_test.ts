import assert from "node:assert/strict";
import {
  draftsOf,
  type ZoneDraft,
  type ZoneFields,
} from "../../../../src/page/zones/editor/draft.ts";
import {
  problemsOf,
  problemsOfAll,
} from "../../../../src/page/zones/editor/problems.ts";
import { closeRing } from "../../../../src/page/zones/editor/shapes.ts";
import { lobby, zonesOf } from "./support.ts";

const [LOBBY] = draftsOf(zonesOf(lobby({ id: 1 }))) as [ZoneDraft];

function problemsWith(fields: Partial<ZoneFields>) {
  return problemsOf({ ...LOBBY, fields: { ...LOBBY.fields, ...fields } });
}

Deno.test("a valid zone has no problems", () => {
  assert.deepEqual(problemsOf(LOBBY), []);
  assert.deepEqual(
    problemsWith({
      capacity: " 40 ",
      occupiedKind: "percent",
      occupiedLeast: "12.5",
      clearAfter: "30s",
      staleAfter: "5m",
    }),
    [],
  );
});

for (
  const [fields, place, text] of [
    [{ name: "" }, "name", /no name/],
    [{ name: "#" }, "name", /wildcard/],
    [{ name: "a/b" }, "name", /slash/],
    [{ title: "x".repeat(300) }, "title", /200 bytes/],
    [{ layer: "/x" }, "layer", /empty level/],
    [{ capacity: "0" }, "capacity", /whole number above 0/],
    [{ capacity: "many" }, "capacity", /whole number above 0/],
    [{ capacity: "1e3" }, "capacity", /whole number above 0/],
    [{ occupiedLeast: "" }, "occupiedLeast", /whole number above 0/],
    [{ occupiedLeast: "1.5" }, "occupiedLeast", /whole number above 0/],
    [
      { occupiedKind: "percent", occupiedLeast: "120" },
      "occupiedLeast",
      /at most 100, or set a capacity/,
    ],
    [{ clearAfter: "soon" }, "clearAfter", /not a duration/],
    [{ staleAfter: "0" }, "staleAfter", /is 0/],
  ] as const
) {
  Deno.test(`a problem is at its field: ${JSON.stringify(fields).slice(0, 60)}`, () => {
    const problems = problemsWith(fields);
    assert.deepEqual(problems.map((problem) => problem.place), [place]);
    assert.match(problems[0]!.text, text);
  });
}

Deno.test("an invalid capacity does not hide that of another field", () => {
  const problems = problemsWith({
    capacity: "0",
    occupiedKind: "percent",
    occupiedLeast: "120",
  });
  assert.deepEqual(problems.map(({ place }) => place), [
    "capacity",
    "occupiedLeast",
  ]);
});

Deno.test("the place where edges cross is found", () => {
  const eight = closeRing([[0, 0], [4, 4], [4, 0], [0, 4]]);
  const [problem] = problemsOf({ ...LOBBY, polygons: [[eight]] });
  assert.equal(problem?.place, "outline");
  assert.match(problem.text, /^Its edges cross at x 2, y 2/);
  assert.deepEqual(problem.at, [2, 2]);
});

Deno.test("a ring without an area is a problem", () => {
  const line = closeRing([[0, 0], [4, 0], [8, 0]]);
  const [problem] = problemsOf({ ...LOBBY, polygons: [[line]] });
  assert.match(problem!.text, /no area/);
  assert.equal(problem!.at, undefined);
});

Deno.test("a name that two zones have is a problem of both", () => {
  const other = { ...LOBBY, key: "id:2" };
  const problems = problemsOfAll([LOBBY, other]);
  assert.deepEqual([...problems.keys()], ["id:1", "id:2"]);
  assert.match(problems.get("id:2")![0]!.text, /Another zone has this name/);
});
