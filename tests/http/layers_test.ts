/** `DELETE /api/v1/layers/{layer}`, and what clients with a copy receive. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { EventReader } from "./event_reader.ts";
import { startServer, type TestServer } from "./support.ts";

const LAYERS = "/api/v1/layers";

function remove(
  server: TestServer,
  layer: string,
  headers: Record<string, string> = {},
) {
  return server.get(`${LAYERS}/${layer}`, { method: "DELETE", headers });
}

Deno.test({
  name: "DELETE of a layer returns what it had, after the commit",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,3\n2,2,0\n3,3,-1", "?layer=hall/l2");
    await server.post("1,1,1");
    const response = await remove(server, "hall%2Fl2");
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      layer: "hall/l2",
      revision: 3,
      cells: 3,
      free: 1,
      occupied: 1,
      unknown: 1,
      stale: 0,
      people: 3,
    });
    const { layers } = await server.json(LAYERS);
    assert.deepEqual(layers.map(({ name }: { name: string }) => name), [
      "default",
    ]);
    const { cells } = await server.json("/api/v1/cells?layer=hall/l2&since=1");
    assert.deepEqual(cells, []);
    const path = "/api/v1/cells?layer=hall/l2&since=1&format=csv";
    const csv = await server.get(path);
    assert.equal(
      csv.headers.get("occupancy-began"),
      String(server.map.beganOf("hall/l2")),
    );
    const again = await remove(server, "hall/l2");
    assert.equal(again.status, 404);
    assert.equal((await again.json()).code, "no-layer");
    assert.match(server.log.join("\n"), /hall\/l2 with 3 cells was deleted/);
  },
});

Deno.test({
  name:
    "DELETE of a layer refuses wrong names, parameters, origins and methods",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,1", "?layer=a");
    const status = async (path: string, init: RequestInit) =>
      (await server.get(path, init)).status;
    const method = "DELETE";
    assert.equal(await status(`${LAYERS}/a?all`, { method }), 400);
    assert.equal(await status(`${LAYERS}/%2B`, { method }), 400);
    assert.equal(await status(LAYERS, { method }), 405);
    for (
      const headers of [
        { "sec-fetch-site": "cross-site" },
        { "sec-fetch-site": "same-site" },
        { origin: "https://evil.example" },
      ]
    ) assert.equal(await status(`${LAYERS}/a`, { method, headers }), 403);
    const wrongMethod = await server.get(`${LAYERS}/a`);
    assert.equal(wrongMethod.status, 405);
    assert.equal(wrongMethod.headers.get("allow"), "DELETE, OPTIONS");
    assert.equal(server.map.layer("a")?.size, 1);
    const metrics = await (await server.get("/metrics")).text();
    assert.match(
      metrics,
      /duration_seconds_count\{method="DELETE",route="[^"]+",code="400"\}/,
    );
  },
});

Deno.test({
  name: "DELETE of a layer with If-Match deletes only the revision it names",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,1", "?layer=a");
    const etag = (await server.get("/api/v1/cells?layer=a")).headers.get(
      "etag",
    )!;
    await server.post("1,1,2", "?layer=a");
    const changed = await remove(server, "a", { "if-match": etag });
    assert.equal(changed.status, 412);
    const now = changed.headers.get("etag")!;
    assert.notEqual(now, etag);
    assert.equal((await remove(server, "a", { "if-match": now })).status, 200);
  },
});

Deno.test({
  name:
    "DELETE of a layer is refused while the store fails, and not done later",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,1", "?layer=a");
    server.store.failing = true;
    const response = await remove(server, "a");
    assert.equal(response.status, 503);
    assert.equal((await response.json()).code, "store-failing");
    server.store.failing = false;
    await until(() => server.server.storeProblem === undefined);
    assert.equal(server.map.layer("a")?.size, 1);
  },
});

Deno.test({
  name: "GET changes of a deleted layer sends its present cells, from 0",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,1\n2,2,2", "?layer=a");
    const open = async (lastEventId?: string) =>
      new EventReader(
        await fetch(`${server.url}/api/v1/changes?layer=a`, {
          headers: lastEventId === undefined
            ? {}
            : { "last-event-id": lastEventId },
        }),
      );
    await using events = await open();
    const first = (await events.next())!;
    assert.equal(first.data.cells.length, 2);
    await remove(server, "a");
    const second = (await events.next())!;
    assert.deepEqual([second.data.from, second.data.cells], [0, []]);
    assert.notEqual(second.data.began, first.data.began);
    await server.post("7,7,1", "?layer=a");
    const third = (await events.next())!;
    assert.equal(third.data.from, second.data.to);
    assert.deepEqual(third.data.cells[0].slice(0, 2), [7, 7]);
    assert.equal(third.data.began, second.data.began);
    // A client that was disconnected during the deletion.
    await using resumed = await open(first.id);
    const { data } = (await resumed.next())!;
    assert.deepEqual([data.from, data.cells.length], [0, 1]);
    await using current = await open(third.id);
    assert.equal((await current.next())!.data.from, third.data.to);
  },
});
