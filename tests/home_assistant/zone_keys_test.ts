import assert from "node:assert/strict";
import {
  assignKeys,
  type KnownZone,
  shapeOf,
} from "../../src/home_assistant/mod.ts";
import type { Zone } from "../../src/zones/mod.ts";
import { zoneOf } from "./support.ts";

/** Assigns keys to one collection after the other. */
function assignAll(collections: readonly Zone[][], max = 100) {
  let known: KnownZone[] = [];
  let last = assignKeys([], known, max);
  for (const zones of collections) {
    last = assignKeys(zones, known, max);
    known = [...last.zones.values()];
  }
  return {
    ...last,
    keys: Object.fromEntries(known.map(({ name, key }) => [name, key])),
  };
}

const lobby = zoneOf("lobby");
const hall = zoneOf("hall", { x: 10 });

Deno.test("the key of a new zone is its name in ASCII", () => {
  const { keys } = assignAll([[
    lobby,
    zoneOf("Küche 2", { x: 1 }),
    zoneOf("会議室", { x: 2 }),
  ]]);
  assert.equal(keys["lobby"], "lobby");
  assert.equal(keys["Küche 2"], "kuche_2");
  assert.match(keys["会議室"]!, /^zone_[0-9a-f]{8}$/);
});

Deno.test("zones whose names are the same in ASCII have different keys", () => {
  const zones = ["Lobby", "lobby", "lobby!"].map((name, x) =>
    zoneOf(name, { x })
  );
  const { keys } = assignAll([zones]);
  assert.equal(new Set(Object.values(keys)).size, 3);
  // In another order they keep them.
  assert.deepEqual(assignAll([zones, zones.toReversed()]).keys, keys);
});

Deno.test("a renamed zone keeps its key, because it has the same place", () => {
  const { keys, removed } = assignAll([
    [lobby, hall],
    [hall, zoneOf("foyer")],
  ]);
  assert.deepEqual(keys, { hall: "hall", foyer: "lobby" });
  assert.deepEqual(removed, []);
});

Deno.test("a zone that is renamed twice, and one with its first name", () => {
  const { keys } = assignAll([
    [lobby],
    [zoneOf("foyer")],
    [zoneOf("entrance"), zoneOf("lobby", { x: 20 })],
  ]);
  assert.equal(keys.entrance, "lobby");
  assert.notEqual(keys.lobby, "lobby");
});

Deno.test("a zone of the same name elsewhere keeps its key", () => {
  const { keys } = assignAll([[lobby], [zoneOf("lobby", { x: 50 })]]);
  assert.deepEqual(keys, { lobby: "lobby" });
});

Deno.test("a feature id wins over name and place", () => {
  const { keys, removed } = assignAll([
    [zoneOf("lobby", { id: 7 }), zoneOf("hall", { x: 10, id: "8" })],
    // Both names are exchanged, and both zones moved.
    [
      zoneOf("hall", { x: 30, id: 7 }),
      zoneOf("lobby", { x: 40, id: "8" }),
    ],
  ]);
  assert.deepEqual(keys, { hall: "id_7", lobby: "id_8" });
  assert.deepEqual(removed, []);
});

Deno.test("without a memory, a zone with a feature id has the same key", () => {
  const before = assignAll([[zoneOf("lobby", { id: "a-1" })]]).keys;
  const after = assignAll([[zoneOf("foyer", { x: 9, id: "a-1" })]]).keys;
  assert.equal(after.foyer, before.lobby);
});

Deno.test("a zone that gets a feature id keeps its key", () => {
  const { keys } = assignAll([
    [lobby],
    [zoneOf("lobby", { id: 7 })],
    [zoneOf("foyer", { x: 5, id: 7 })],
  ]);
  assert.deepEqual(keys, { foyer: "lobby" });
});

Deno.test("a feature id that two zones have does not count", () => {
  const { keys } = assignAll([[
    zoneOf("lobby", { id: 7 }),
    zoneOf("hall", { id: 7, x: 10 }),
  ]]);
  assert.deepEqual(keys, { lobby: "lobby", hall: "hall" });
});

Deno.test('1 and "1" are different feature ids', () => {
  const { keys } = assignAll([[
    zoneOf("lobby", { id: 1 }),
    zoneOf("hall", { id: "1", x: 10 }),
  ]]);
  assert.equal(new Set(Object.values(keys)).size, 2);
});

Deno.test("a zone that is gone is removed", () => {
  const { keys, removed } = assignAll([[lobby, hall], [hall]]);
  assert.deepEqual(keys, { hall: "hall" });
  assert.deepEqual(removed, ["lobby"]);
});

Deno.test("a copy of a zone is a new zone, also when the first is deleted", () => {
  const copy = zoneOf("copy");
  assert.deepEqual(assignAll([[lobby], [lobby, copy]]).keys, {
    lobby: "lobby",
    copy: "copy",
  });
  const { keys, removed } = assignAll([[lobby], [lobby, copy], [copy]]);
  assert.deepEqual(keys, { copy: "copy" });
  assert.deepEqual(removed, ["lobby"]);
});

Deno.test("a zone on another layer is not the same place", () => {
  assert.notEqual(shapeOf(lobby), shapeOf(zoneOf("x", { layer: "floor2" })));
  assert.equal(shapeOf(lobby), shapeOf(zoneOf("x")));
});

Deno.test("at most so many zones are announced, and the known ones first", () => {
  const zones = ["a", "b", "c", "d"].map((name, x) => zoneOf(name, { x }));
  const { keys, excess } = assignAll([zones.slice(2), zones], 3);
  assert.deepEqual(Object.keys(keys), ["a", "c", "d"]);
  assert.equal(excess, 1);
  // One more has room when another one is deleted.
  const next = assignAll([zones.slice(2), zones, zones.slice(0, 3)], 3);
  assert.deepEqual(Object.keys(next.keys), ["a", "b", "c"]);
  assert.deepEqual(next.removed, ["d"]);
  assert.equal(next.excess, 0);
});

Deno.test("a lower maximum removes zones", () => {
  const { zones } = assignKeys([lobby, hall], [], 2);
  const next = assignKeys([lobby, hall], zones.values(), 1);
  assert.deepEqual([...next.zones.keys()], ["lobby"]);
  assert.deepEqual(next.removed, ["hall"]);
});

Deno.test("a key never becomes that of another zone", () => {
  // Each zone is renamed to the name of the next one, which is new elsewhere.
  const first = [zoneOf("a", { x: 1 })];
  const second = [zoneOf("b", { x: 1 }), zoneOf("a", { x: 2 })];
  const third = [
    zoneOf("c", { x: 1 }),
    zoneOf("b", { x: 2 }),
    zoneOf("a", { x: 3 }),
  ];
  const { keys } = assignAll([first, second, third]);
  assert.equal(new Set(Object.values(keys)).size, 3);
});

Deno.test("zones at different places have different shapes", () => {
  const shapes = Array.from(
    { length: 40_000 },
    (_, i) =>
      shapeOf(zoneOf("x", {
        polygons: [[[
          ...[[i % 200, 0], [4, 0], [4, 4 + Math.floor(i / 200) / 8]],
          [i % 200, 0],
        ] as unknown as [number, number][]]],
      })),
  );
  // A hash of 32 bits has a fifth of a collision.
  assert.ok(new Set(shapes).size >= shapes.length - 3);
});
