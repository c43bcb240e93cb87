/** Edits of a collection of zones, and its limits. */
import assert from "node:assert/strict";
import {
  DEFAULT_ZONE_LIMITS,
  type EditedZones,
  readZones,
  type ZoneEdit,
  ZoneEditor,
  type Zones,
} from "../../src/zones/mod.ts";
import { inTurns } from "../../src/common/turns.ts";

const square = (name: string, more: object = {}) => ({
  type: "Feature",
  properties: { name, ...more },
  geometry: {
    type: "Polygon",
    coordinates: [[[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]]],
  },
});

async function zonesOf(...features: object[]): Promise<Zones> {
  const zones = await readZones(
    JSON.stringify({ type: "FeatureCollection", features }),
  );
  return new Map(zones.map((zone) => [zone.name, zone]));
}

async function apply(
  zones: Zones,
  edit: ZoneEdit,
  limits = {},
): Promise<EditedZones> {
  const editor = new ZoneEditor({ ...DEFAULT_ZONE_LIMITS, ...limits });
  const edited = await inTurns(editor.apply(zones, edit));
  assert.ok(typeof edited === "object", `${edited}`);
  return edited;
}

const one = async (name: string, more: object = {}) =>
  [...(await zonesOf(square(name, more))).values()][0]!;

Deno.test({
  name: "a zone that is set keeps its place; a new one comes last",
  permissions: "none",
  fn: async () => {
    const zones = await zonesOf(square("a"), square("b"));
    const zone = await one("a", { capacity: 3 });
    const edited = await apply(zones, { kind: "set", zone });
    assert.deepEqual([...edited.zones.keys()], ["a", "b"]);
    assert.deepEqual([...edited.set.keys()], ["a"]);
    assert.deepEqual([edited.added, edited.deleted], [0, []]);
    const more = await apply(edited.zones, {
      kind: "set",
      zone: await one("c"),
    });
    assert.deepEqual([...more.zones.keys()], ["a", "b", "c"]);
    assert.equal(more.added, 1);
    assert.equal(zones.get("a")?.capacity, undefined, "unchanged");
  },
});

Deno.test({
  name: "a replacement says what is new, different and gone; equal zones stay",
  permissions: "none",
  fn: async () => {
    const zones = await zonesOf(square("a"), square("b"), square("c"));
    const next = await zonesOf(
      square("d"),
      square("b", { fill: "red" }),
      square("a"),
    );
    const edited = await apply(zones, {
      kind: "replace",
      zones: [...next.values()],
    });
    assert.deepEqual([...edited.zones.keys()], ["d", "b", "a"]);
    assert.deepEqual([...edited.set.keys()], ["d", "b"]);
    assert.deepEqual(JSON.parse(edited.set.get("b")!).properties.fill, "red");
    assert.deepEqual([edited.added, edited.deleted], [1, ["c"]]);
    assert.equal(edited.zones.get("a"), zones.get("a"), "the same object");
  },
});

Deno.test({
  name: "an edit above a limit is refused, also when zones are set one by one",
  permissions: "none",
  fn: async () => {
    const zones = await zonesOf(square("a"), square("b"));
    const zone = await one("c");
    const bytes = 3 * JSON.stringify(square("a")).length;
    const refused = async (limits: object) => {
      const editor = new ZoneEditor({ ...DEFAULT_ZONE_LIMITS, ...limits });
      return await inTurns(editor.apply(zones, { kind: "set", zone }));
    };
    assert.equal(await refused({ zones: 2 }), "too-large");
    assert.equal(await refused({ positions: 14 }), "too-large");
    assert.equal(await refused({ bytes: bytes - 1 }), "too-large");
    for (const limits of [{ zones: 3 }, { positions: 15 }, { bytes }]) {
      await apply(zones, { kind: "set", zone }, limits);
    }
    // What is there already can be made smaller.
    await apply(zones, { kind: "delete", name: "a" }, { zones: 1 });
  },
});

Deno.test({
  name: "a zone that is not there cannot be deleted",
  permissions: "none",
  fn: async () => {
    const editor = new ZoneEditor(DEFAULT_ZONE_LIMITS);
    const edit = { kind: "delete", name: "b" } as const;
    const zones = await zonesOf(square("a"));
    assert.equal(await inTurns(editor.apply(zones, edit)), "no-zone");
  },
});
