import assert from "node:assert/strict";
import { atOnce } from "../../../../src/common/at_once.ts";
import {
  changesOf,
  draftsOf,
  featureOf,
  newDraft,
  replaceZone,
  titleOf,
  withNewId,
  zoneOf,
} from "../../../../src/page/zones/editor/draft.ts";
import { readZonesInSteps } from "../../../../src/zones/geojson.ts";
import { toFeature } from "../../../../src/zones/write_geojson.ts";
import { lobby, zonesOf } from "./support.ts";

Deno.test("a zone that is not edited is written as it was read", () => {
  const zones = zonesOf(
    lobby({ id: 7, fill: "#fff" }, {
      title: "Main <b>lobby</b>",
      layer: "hall/l2",
      capacity: 40,
      occupiedWhen: { percent: 12.5 },
      clearAfter: "90s",
      staleAfter: "5m",
    }),
    lobby({}, { name: "b" }),
  );
  assert.deepEqual(draftsOf(zones).map(zoneOf), zones);
  assert.deepEqual(
    draftsOf(zones).map(featureOf),
    zones.map(toFeature),
  );
});

Deno.test("a renamed zone keeps its id and is a changed one, not a new one", () => {
  const saved = draftsOf(
    zonesOf(lobby({ id: "a1" }), lobby({}, { name: "b" })),
  );
  const renamed = saved.map((zone) => ({
    ...zone,
    fields: { ...zone.fields, name: `${zone.fields.name}-2` },
  }));
  const { added, changed, deleted } = changesOf(saved, renamed);
  assert.deepEqual([added.size, changed.size, deleted.size], [0, 2, 0]);
  assert.equal(zoneOf(renamed[0]!).foreign?.members?.["id"], "a1");
});

Deno.test("zones with the same id, as a tool copied them, are two zones", () => {
  const drafts = draftsOf(
    zonesOf(lobby({ id: 1 }), lobby({ id: 1 }, { name: "b" })),
  );
  assert.equal(new Set(drafts.map(({ key }) => key)).size, 2);
});

Deno.test("a new zone has an id, and a copy has another", () => {
  const zone = newDraft({
    name: "room",
    title: "Room",
    layer: "default",
    polygons: [[[[0, 0], [2, 0], [2, 2], [0, 0]]]],
  });
  const id = zoneOf(zone).foreign?.members?.["id"];
  assert.match(
    String(id),
    /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  );
  const copy = withNewId(zone);
  assert.notEqual(copy.key, zone.key);
  assert.notEqual(zoneOf(copy).foreign?.members?.["id"], id);
  // The server reads what the page writes.
  const text = JSON.stringify({
    type: "FeatureCollection",
    features: [featureOf(zone)],
  });
  assert.deepEqual(atOnce(readZonesInSteps(text)), [zoneOf(zone)]);
});

Deno.test("changes are counted against what is saved, also after they are taken back", () => {
  const saved = draftsOf(zonesOf(lobby(), lobby({}, { name: "b" })));
  const [first] = saved;
  const edited = replaceZone(saved, {
    ...first!,
    fields: { ...first!.fields, capacity: "5" },
  });
  assert.equal(changesOf(saved, edited).count, 1);
  const back = replaceZone(edited, {
    ...first!,
    fields: { ...first!.fields, capacity: "" },
  });
  assert.equal(changesOf(saved, back).count, 0);
  assert.equal(changesOf(saved, []).deleted.size, 2);
});

Deno.test("a zone without a title is called by its name", () => {
  const [zone] = draftsOf(zonesOf(lobby({}, { title: undefined })));
  assert.equal(titleOf(zone!), "lobby");
});
