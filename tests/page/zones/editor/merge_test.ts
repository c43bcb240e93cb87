import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Draft,
  draftsOf,
  type ZoneDraft,
} from "../../../../src/page/zones/editor/draft.ts";
import {
  differencesOf,
  mergeDrafts,
} from "../../../../src/page/zones/editor/merge.ts";
import { lobby, zonesOf } from "./support.ts";

/** Zones with the capacities given, by key. */
function draft(capacities: Record<string, number>): Draft {
  return draftsOf(zonesOf(
    ...Object.entries(capacities).map(([id, capacity]) =>
      lobby({ id }, { name: `zone-${id}`, capacity })
    ),
  ));
}

function show(zones: Draft): Record<string, number> {
  return Object.fromEntries(
    zones.map(({ key, fields }) => [key.slice(3), Number(fields.capacity)]),
  );
}

Deno.test("zones that only one side has changed are merged", () => {
  const base = draft({ a: 1, b: 1, c: 1, d: 1 });
  const mine = draft({ a: 2, b: 1, c: 1, m: 1 });
  const theirs = draft({ t: 1, a: 1, b: 2, d: 1 });
  const { draft: merged, conflicts } = mergeDrafts(base, mine, theirs);
  assert.deepEqual(conflicts, []);
  // c was deleted by them, d by me.
  assert.deepEqual(Object.entries(show(merged)), [
    ["t", 1],
    ["a", 2],
    ["b", 2],
    ["m", 1],
  ]);
});

Deno.test("a zone that both have changed is a conflict until a choice is made", () => {
  const base = draft({ a: 1 });
  const mine = draft({ a: 2 });
  const theirs = draft({ a: 3 });
  const { conflicts } = mergeDrafts(base, mine, theirs);
  assert.deepEqual(conflicts, [
    { key: "id:a", base: base[0], mine: mine[0], theirs: theirs[0] },
  ]);
  const keep = (choice: "mine" | "theirs") => {
    const merge = mergeDrafts(base, mine, theirs, new Map([["id:a", choice]]));
    assert.deepEqual(merge.conflicts, []);
    return show(merge.draft);
  };
  assert.deepEqual(keep("mine"), { a: 2 });
  assert.deepEqual(keep("theirs"), { a: 3 });
});

Deno.test("a zone that one side has changed and the other deleted is a conflict", () => {
  const base = draft({ a: 1, b: 1 });
  const { conflicts } = mergeDrafts(base, draft({ a: 2 }), draft({ b: 2 }));
  assert.deepEqual(
    conflicts.map(({ key, mine, theirs }) => [
      key,
      mine?.fields.capacity,
      theirs?.fields.capacity,
    ]),
    [["id:b", undefined, "2"], ["id:a", "2", undefined]],
  );
  const choices = new Map([["id:a", "theirs"], ["id:b", "mine"]] as const);
  const merged = mergeDrafts(base, draft({ a: 2 }), draft({ b: 2 }), choices);
  assert.deepEqual(show(merged.draft), {});
});

Deno.test("the same change by both is none", () => {
  const merged = mergeDrafts(draft({ a: 1 }), draft({ a: 2 }), draft({ a: 2 }));
  assert.deepEqual(merged.conflicts, []);
  assert.deepEqual(show(merged.draft), { a: 2 });
});

Deno.test("property: a merge has what each side changed, and is the same from both sides", () => {
  const zones = fc.dictionary(
    fc.constantFrom("a", "b", "c", "d"),
    fc.integer({ min: 1, max: 3 }),
    { noNullPrototype: true },
  );
  fc.assert(fc.property(zones, zones, zones, (b, m, t) => {
    const [base, mine, theirs] = [draft(b), draft(m), draft(t)];
    const merged = mergeDrafts(base, mine, theirs);
    const other = mergeDrafts(base, theirs, mine);
    assert.deepEqual(
      new Set(merged.conflicts.map(({ key }) => key)),
      new Set(other.conflicts.map(({ key }) => key)),
    );
    const result = show(merged.draft);
    for (const key of ["a", "b", "c", "d"]) {
      if (merged.conflicts.some((one) => one.key === `id:${key}`)) {
        assert.ok(b[key] !== m[key] && b[key] !== t[key] && m[key] !== t[key]);
      } else {
        assert.equal(result[key], b[key] === m[key] ? t[key] : m[key]);
      }
    }
    // Nothing is lost or changed if only one side has edited.
    assert.deepEqual(show(mergeDrafts(base, base, theirs).draft), t);
  }));
});

Deno.test("differences are named in words", () => {
  const [zone] = draft({ a: 1 }) as [ZoneDraft];
  const other = {
    ...zone,
    fields: { ...zone.fields, capacity: "2", occupiedLeast: "3" },
  };
  assert.deepEqual(differencesOf(zone, other), [
    "capacity (1 → 2)",
    "occupied when (1 cells → 3 cells)",
  ]);
  assert.deepEqual(differencesOf(zone, { ...zone, polygons: [] }), ["outline"]);
  assert.deepEqual(differencesOf(zone, zone), []);
});
