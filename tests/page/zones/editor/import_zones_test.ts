import assert from "node:assert/strict";
import {
  changesOf,
  draftsOf,
} from "../../../../src/page/zones/editor/draft.ts";
import { importZones } from "../../../../src/page/zones/editor/import_zones.ts";
import { lobby, zonesOf } from "./support.ts";

const DRAFT = draftsOf(zonesOf(
  lobby({ id: "a" }, { name: "a" }),
  lobby({ id: "b" }, { name: "b" }),
  lobby({}, { name: "c" }),
));

Deno.test("an exported file that is imported again changes nothing", () => {
  const zones = zonesOf(
    lobby({ id: "a" }, { name: "a" }),
    lobby({ id: "b" }, { name: "b" }),
    lobby({}, { name: "c" }),
  );
  const { draft, added, replaced } = importZones(DRAFT, zones);
  assert.deepEqual([added, replaced], [0, 3]);
  assert.equal(changesOf(DRAFT, draft).count, 0);
});

Deno.test("a zone of the same id or name is replaced and keeps its id", () => {
  const { draft, added, replaced } = importZones(
    DRAFT,
    zonesOf(
      lobby({ id: "b" }, { name: "renamed" }),
      lobby({ id: "other" }, { name: "a", capacity: 9 }),
      lobby({}, { name: "c", capacity: 7 }),
    ),
  );
  assert.deepEqual([added, replaced], [0, 3]);
  assert.deepEqual(
    draft.map(({ fields, foreign }) => [
      fields.name,
      fields.capacity,
      foreign?.members?.["id"],
    ]),
    [["a", "9", "a"], ["renamed", "", "b"], ["c", "7", undefined]],
  );
});

Deno.test("other zones are new, with an id", () => {
  const { draft, added, keys } = importZones(
    DRAFT,
    zonesOf(lobby({}, { name: "d" }), lobby({ id: "e" }, { name: "e" })),
  );
  assert.equal(added, 2);
  assert.equal(keys.length, 2);
  assert.match(String(draft[3]!.foreign?.members?.["id"]), /^[0-9a-f-]{36}$/);
  assert.equal(draft[4]!.key, "id:e");
  assert.equal(changesOf(DRAFT, draft).deleted.size, 0);
});
