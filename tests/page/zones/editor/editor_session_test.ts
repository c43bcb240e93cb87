import assert from "node:assert/strict";
import {
  type Draft,
  draftsOf,
  replaceZone,
  type ZoneFields,
} from "../../../../src/page/zones/editor/draft.ts";
import {
  EditorSession,
  type ZonesApi,
} from "../../../../src/page/zones/editor/editor_session.ts";
import type { SavedZones } from "../../../../src/page/zones/editor/zones_api.ts";
import { lobby, zonesOf } from "./support.ts";

/** The zones a, b and c. */
const DRAFT = draftsOf(zonesOf(
  ...["a", "b", "c"].map((id) => lobby({ id }, { name: id, title: id })),
));

/** A server with zones. */
class FakeApi implements ZonesApi {
  version = 1;
  draft: Draft = DRAFT;
  saves = 0;

  get saved(): SavedZones {
    return { draft: this.draft, etag: `"${this.version}"` };
  }

  load(): Promise<SavedZones> {
    return Promise.resolve(this.saved);
  }

  save(draft: Draft, etag: string) {
    this.saves++;
    if (etag !== `"${this.version}"`) {
      return Promise.resolve("changed" as const);
    }
    this.replace(draft);
    return Promise.resolve({ etag: `"${this.version}"` });
  }

  replace(draft: Draft): void {
    this.draft = draft;
    this.version++;
  }
}

function edit(draft: Draft, id: string, fields: Partial<ZoneFields>): Draft {
  const zone = draft.find(({ key }) => key === `id:${id}`)!;
  return replaceZone(draft, {
    ...zone,
    fields: { ...zone.fields, ...fields },
  });
}

function capacities(draft: Draft): Record<string, string> {
  return Object.fromEntries(
    draft.map(({ key, fields }) => [key.slice(3), fields.capacity]),
  );
}

function open(): { api: FakeApi; session: EditorSession } {
  const api = new FakeApi();
  return { api, session: new EditorSession(api.saved, api) };
}

Deno.test("changes are saved, and can be undone afterwards", async () => {
  const { api, session } = open();
  assert.equal(await session.save(), "nothing");
  session.commit(edit(session.draft, "a", { capacity: "5" }), "Capacity");
  assert.equal(session.changes.count, 1);
  assert.equal(await session.save(), "saved");
  assert.equal(session.changes.count, 0);
  assert.deepEqual(capacities(api.draft), { a: "5", b: "", c: "" });
  session.undo();
  assert.equal(session.changes.count, 1);
  assert.equal(await session.save(), "saved");
  assert.deepEqual(capacities(api.draft), { a: "", b: "", c: "" });
});

Deno.test("zones that are not valid are not sent", async () => {
  const { api, session } = open();
  session.commit(edit(session.draft, "a", { capacity: "0" }), "Capacity");
  assert.equal(await session.save(), "problems");
  assert.equal(api.saves, 0);
  assert.deepEqual([...session.problems.keys()], ["id:a"]);
});

Deno.test("changes of others in other zones are merged without a question", async () => {
  const { api, session } = open();
  session.commit(edit(session.draft, "a", { capacity: "5" }), "Capacity");
  api.replace(edit(api.draft, "b", { capacity: "7" }));
  assert.equal(await session.save(), "saved");
  assert.deepEqual(capacities(api.draft), { a: "5", b: "7", c: "" });
  // An undo takes back what I did, not what they did.
  session.undo();
  assert.equal(await session.save(), "saved");
  assert.deepEqual(capacities(api.draft), { a: "", b: "7", c: "" });
});

for (const choice of ["mine", "theirs"] as const) {
  Deno.test(`a zone that both have changed is saved after a choice: ${choice}`, async () => {
    const { api, session } = open();
    session.commit(edit(session.draft, "a", { capacity: "5" }), "Capacity");
    session.commit(edit(session.draft, "c", { capacity: "6" }), "Capacity");
    api.replace(edit(api.draft, "a", { capacity: "7" }));
    assert.equal(await session.save(), "conflicts");
    assert.deepEqual(session.conflicts.map(({ key }) => key), ["id:a"]);
    assert.equal(capacities(api.draft)["c"], "", "all or nothing");
    session.resolve(new Map([["id:a", choice]]));
    assert.deepEqual(session.conflicts, []);
    assert.equal(await session.save(), "saved");
    const a = choice === "mine" ? "5" : "7";
    assert.deepEqual(capacities(api.draft), { a, b: "", c: "6" });
  });
}

Deno.test("what others save is shown while nothing conflicts", async () => {
  const { api, session } = open();
  assert.equal(await session.pull(), false);
  api.replace(edit(api.draft, "b", { capacity: "7" }).slice(1));
  session.select("id:a");
  assert.equal(await session.pull(), true);
  assert.deepEqual(capacities(session.draft), { b: "7", c: "" });
  assert.equal(session.zone, undefined, "it was deleted");
  assert.equal(session.changes.count, 0);
});

Deno.test("a save is one request, also if it is asked for twice", async () => {
  const { api, session } = open();
  session.commit(edit(session.draft, "a", { capacity: "5" }), "Capacity");
  const outcomes = await Promise.all([session.save(), session.save()]);
  assert.deepEqual(outcomes, ["saved", "saved"]);
  assert.equal(api.saves, 1);
});

Deno.test("a save that the server did not answer can be repeated", async () => {
  const { api, session } = open();
  session.commit(edit(session.draft, "a", { capacity: "5" }), "Capacity");
  const save = api.save.bind(api);
  api.save = async (draft, etag) => {
    await save(draft, etag);
    throw new Error("connection lost");
  };
  await assert.rejects(session.save(), /connection lost/);
  assert.equal(session.changes.count, 1);
  api.save = save;
  // The zones are already there: no conflict.
  assert.equal(await session.save(), "nothing");
  assert.equal(session.changes.count, 0);
});

Deno.test("an undo selects the zone that it changes", () => {
  const { session } = open();
  session.select("id:a");
  session.commit(edit(session.draft, "a", { capacity: "5" }), "Capacity");
  session.select("id:b");
  session.commit(session.draft.filter(({ key }) => key !== "id:b"), "Delete");
  session.select(undefined);
  assert.equal(session.undo(), "Delete");
  assert.equal(session.zone?.key, "id:b");
  session.undo();
  assert.equal(session.zone?.key, "id:a");
});
