/** HTTP of servers that share a store: one may be behind another. */
import assert from "node:assert/strict";
import { FakeJournal } from "../support/fake_shared_store.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { EventReader } from "./event_reader.ts";
import { startServer } from "./support.ts";

/** A server that has all, and one that applies nothing until it is thawed. */
async function start() {
  const journal = new FakeJournal({ shards: 4 });
  const sharedStore = journal.open("behind");
  const ahead = await startServer({ sharedStore: journal.open("ahead") });
  const behind = await startServer({ sharedStore });
  await ahead.post("1,1,1", "?layer=a");
  await until(() => behind.map.revisionOf("a") === 1);
  sharedStore.frozen = true;
  await ahead.post("2,2,2", "?layer=a");
  await ahead.post("3,3,3", "?layer=b");
  const thaw = async () => {
    // The request below waits, or was answered too early.
    await until(() => sharedStore.syncs > 0);
    sharedStore.frozen = false;
  };
  return {
    ...{ ahead, behind, thaw },
    [Symbol.asyncDispose]: async () => {
      await ahead[Symbol.asyncDispose]();
      await behind[Symbol.asyncDispose]();
    },
  };
}

Deno.test({
  name: "cells since a revision of another server are those that changed",
  ...needs(),
  fn: async () => {
    await using started = await start();
    const { behind, thaw } = started;
    const now = await behind.json("/api/v1/cells?layer=a&since=1");
    assert.deepEqual([now.revision, now.cells], [1, []], "does not wait");
    const later = behind.json("/api/v1/cells?layer=a&since=2");
    await thaw();
    const { revision, cells } = await later;
    assert.deepEqual([revision, cells], [2, []]);
  },
});

Deno.test({
  name: "a stream of changes continues at another server",
  ...needs(),
  fn: async () => {
    await using started = await start();
    const { ahead, behind, thaw } = started;
    const response = fetch(`${behind.url}/api/v1/changes?layer=a`, {
      headers: { "last-event-id": "2" },
    });
    await thaw();
    await using events = new EventReader(await response);
    const first = (await events.next())!.data;
    assert.deepEqual([first.from, first.to, first.cells], [2, 2, []]);
    await ahead.post("4,4,4", "?layer=a");
    const next = (await events.next())!.data;
    assert.deepEqual([next.from, next.to, next.cells.length], [2, 3, 1]);
  },
});

Deno.test({
  name: "a layer that another server has just made can be deleted",
  ...needs(),
  fn: async () => {
    await using started = await start();
    const { ahead, behind, thaw } = started;
    const deleted = behind.get("/api/v1/layers/b", { method: "DELETE" });
    await thaw();
    assert.equal((await deleted).status, 200);
    await until(() => ahead.map.layer("b") === undefined);
  },
});
