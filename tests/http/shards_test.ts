/**
 * HTTP with a map of several shards: whatever is about a layer has the revision
 * of its shard.
 */
import assert from "node:assert/strict";
import { columns } from "../grid/model.ts";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { EventReader } from "./event_reader.ts";
import { RecordingViewer } from "./feed/recording_viewer.ts";
import { assertSame } from "./feed/viewer_model.ts";
import { startServer, type TestServer } from "./support.ts";

const CELLS = "/api/v1/cells?layer=";

/** A server with the layers `a` at revision 2, and `b` at revision 5. */
async function start(): Promise<TestServer> {
  const server = await startServer({ shards: 4 });
  const { map } = server;
  assert.notEqual(map.shardOf("a"), map.shardOf("b"));
  for (let value = 1; value <= 5; value++) {
    await server.post(`1,1,${value}`, "?layer=b");
  }
  await server.post("1,1,1", "?layer=a");
  await server.post("2,2,2", "?layer=a");
  return server;
}

Deno.test({
  name: "cells, since and results of readings have the revision of the layer",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const one = await server.get(`${CELLS}a&since=1`);
    assert.equal(one.headers.get("occupancy-revision"), "2");
    const { revision, cells } = await one.json();
    assert.equal(revision, 2);
    assert.deepEqual(cells.map(([x]: number[]) => x), [2]);
    const { cells: none } = await server.json(`${CELLS}a&since=2`);
    assert.deepEqual(none, []);
    // Above the revision of the layer, but not that of the map: another map's.
    const { cells: all } = await server.json(`${CELLS}a&since=5`);
    assert.equal(all.length, 2);
    const response = await server.post("9,9,9", "?layer=a");
    assert.equal((await response.json()).revision, 3);
  },
});

Deno.test({
  name: "an ETag changes with its layer only, also for a deletion",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const etag = async (layer: string) =>
      (await server.get(CELLS + layer)).headers.get("etag")!;
    const a = await etag("a");
    await server.post("1,1,9", "?layer=b");
    const conditional = { headers: { "if-none-match": a } };
    assert.equal((await server.get(`${CELLS}a`, conditional)).status, 304);
    await server.post("1,1,9", "?layer=a");
    assert.equal((await server.get(`${CELLS}a`, conditional)).status, 200);
    const remove = (etag: string) =>
      server.get("/api/v1/layers/a", {
        method: "DELETE",
        headers: { "if-match": etag },
      });
    assert.equal((await remove(a)).status, 412);
    const current = await etag("a");
    await server.post("1,1,1", "?layer=b");
    const deleted = await remove(current);
    assert.equal(deleted.status, 200);
    assert.equal((await deleted.json()).revision, 4);
    assert.equal(server.map.revisionOf("a"), 4);
  },
});

Deno.test({
  name: "layers have their own revisions, the whole answer has the sum",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const { revision, layers } = await server.json("/api/v1/layers");
    assert.equal(revision, 7);
    assert.deepEqual(
      Object.fromEntries(
        layers.map((one: { name: string; revision: number }) => [
          one.name,
          one.revision,
        ]),
      ),
      { a: 2, b: 5 },
    );
    assert.equal((await server.json("/api/v1/summary")).revision, 7);
    const names = ["f", "e", "d", "c"];
    for (const name of names) await server.post("1,1,1", `?layer=${name}`);
    const all = await server.json("/api/v1/layers");
    assert.deepEqual(
      all.layers.map(({ name }: { name: string }) => name),
      ["a", "b", "c", "d", "e", "f"],
    );
    await using viewer = new RecordingViewer(server.url);
    await until(() => viewer.status !== undefined);
    assert.deepEqual(
      viewer.status!.layers.map(({ name }) => name),
      ["a", "b", "c", "d", "e", "f"],
    );
  },
});

Deno.test({
  name: "GET changes of a layer is contiguous, whatever changes in others",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const open = async (lastEventId?: string) =>
      new EventReader(
        await fetch(`${server.url}/api/v1/changes?layer=a`, {
          headers: lastEventId === undefined
            ? {}
            : { "last-event-id": lastEventId },
        }),
      );
    let last: string | undefined;
    {
      await using events = await open();
      const first = (await events.next())!;
      assert.deepEqual([first.data.from, first.data.to], [0, 2]);
      for (let i = 3; i < 6; i++) {
        await server.post(`1,1,${10 + i}`, "?layer=b");
        await server.post(`1,1,${i}`, "?layer=a");
        const { id, data } = (await events.next())!;
        assert.deepEqual([data.from, data.to, data.cells.length], [
          i - 1,
          i,
          1,
        ]);
        last = id;
      }
    }
    await server.post("1,1,7", "?layer=b");
    await server.post("3,3,3", "?layer=a");
    await using events = await open(last);
    const { data } = (await events.next())!;
    assert.deepEqual([data.from, data.to, data.cells.length], [5, 6, 1]);
  },
});

Deno.test({
  name:
    "GET changes sends all cells of a layer again that has an earlier state",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const { map } = server;
    await using events = new EventReader(
      await fetch(`${server.url}/api/v1/changes?layer=a`),
    );
    assert.equal((await events.next())!.data.to, 2);
    const earlier = map.emptyShard();
    earlier.apply("a", columns([[7, 7, 7, Date.now()]]), Date.now());
    map.replaceShard(map.shardOf("a"), earlier);
    await server.post("8,8,8", "?layer=a"); // to the same revision
    const { from, to, part, cells } = (await events.next())!.data;
    assert.deepEqual([from, to, part], [0, 2, 1]);
    assert.deepEqual(cells.map(([x]: number[]) => x).sort(), [7, 8]);
  },
});

Deno.test({
  name: "a viewer of a layer has its revisions, and follows a deletion",
  ...needs(),
  fn: async () => {
    await using server = await start();
    const view = { layer: "a", region: null };
    await using viewer = new RecordingViewer(server.url, { view });
    await viewer.waitUntilComplete();
    assert.equal(viewer.revision, 2);
    for (let i = 0; i < 20; i++) {
      await server.post(`1,1,${20 + i}`, "?layer=b");
      await server.post(`${i},0,1`, "?layer=a");
    }
    await viewer.waitForValue(19, 0, 1);
    await until(() => viewer.revision === server.map.revisionOf("a"));
    assertSame(viewer.model, server.map, view);
    // The other layer has a higher revision than this view.
    viewer.client.view("b", null);
    await viewer.waitUntilComplete(2);
    assert.equal(viewer.revision, 25);
    viewer.client.view("a", null);
    await viewer.waitUntilComplete(3);
    await until(() => viewer.revision === 22); // of the snapshot or a delta
    server.server.deleteLayer("a");
    await viewer.waitUntilComplete(4);
    assert.deepEqual([viewer.model.cells.size, viewer.revision], [0, 23]);
    assert.deepEqual(viewer.lost, []);
  },
});
