/** The API of a real server: cells, layers, summary and errors. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { startServer } from "./support.ts";

const NOW = 1_760_000_000_000;

Deno.test({
  name: "GET cells returns the map as JSON, all cells of one revision",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      clock: () => NOW,
      ageing: { staleAfter: 60_000 },
    });
    await server.post("1,2,1\n-3,4,0\n");
    const response = await server.get("/api/v1/cells");
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("occupancy-revision"), "1");
    const { cells, ...head } = await response.json();
    assert.deepEqual(head, {
      layer: "default",
      revision: 1,
      time: NOW,
      staleAfter: 60_000,
      began: NOW,
    });
    assert.deepEqual(cells.sort(), [[-3, 4, 0, NOW], [1, 2, 1, NOW]]);
  },
});

Deno.test({
  name: "GET cells returns only the region, and only changes since a revision",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    await server.post("1,1,1\n2,2,1\n9,9,1\n");
    await server.post("2,2,0\n");
    const region = await server.json("/api/v1/cells?region=0,0,5,5");
    assert.deepEqual(region.cells.sort(), [[1, 1, 1, NOW], [2, 2, 0, NOW]]);
    const since = await server.json("/api/v1/cells?since=1");
    assert.deepEqual(since.cells, [[2, 2, 0, NOW]]);
    const other = await server.json("/api/v1/cells?layer=hall/l2");
    assert.deepEqual(other.cells, []);
  },
});

Deno.test({
  name: "GET cells returns CSV with the status of each cell",
  ...needs(),
  fn: async () => {
    let now = NOW;
    await using server = await startServer({
      clock: () => now,
      ageing: { staleAfter: 1000 },
    });
    await server.post("1,1,1\n2,2,0\n3,3,-5\n");
    now += 2000;
    await server.post("4,4,2\n5,5,0\n");
    const response = await server.get("/api/v1/cells?format=csv");
    assert.match(response.headers.get("content-type")!, /^text\/csv/);
    const [header, ...rows] = (await response.text()).trimEnd().split("\n");
    assert.equal(header, "x,y,value,status,time");
    assert.deepEqual(rows.sort(), [
      `1,1,1,stale,${NOW}`,
      `2,2,0,stale,${NOW}`,
      `3,3,-5,unknown,${NOW}`,
      `4,4,2,occupied,${NOW + 2000}`,
      `5,5,0,free,${NOW + 2000}`,
    ]);
  },
});

Deno.test({
  name:
    "GET cells as CSV names layers but default, and takes the form of times",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    const csv = async (query: string) =>
      await (await server.get(`/api/v1/cells?${query}&format=csv`)).text();
    await server.post("1,2,3", "?layer=hall/l2");
    assert.equal(
      await csv("layer=hall/l2"),
      `x,y,value,status,time,layer\n1,2,3,occupied,${NOW},hall/l2\n`,
    );
    await server.post("1,2,3", '?layer=a,"b"');
    const iso = new Date(NOW).toISOString();
    assert.equal(
      await csv('layer=a,"b"&times=rfc3339'),
      `x,y,value,status,time,layer\n1,2,3,occupied,${iso},"a,""b"""\n`,
    );
    const { cells } = await server.json(
      "/api/v1/cells?layer=hall/l2&times=rfc3339",
    );
    assert.deepEqual(cells, [[1, 2, 3, iso]]);
    assert.equal((await server.get("/api/v1/cells?times=s")).status, 400);
  },
});

Deno.test({
  name:
    "GET cells sorts the corners of a region, and reads numbers as JSON does",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    await server.post("1,1,1\n2,2,0\n9,9,3\n");
    for (const region of ["0,0,5,5", "5,5,0,0", "5,0,0,5", "0.0,0,5e0,5"]) {
      const { cells } = await server.json(`/api/v1/cells?region=${region}`);
      assert.equal(cells.length, 2, region);
    }
    const cell = await server.json("/api/v1/cell?x=1.0&y=1e0");
    assert.equal(cell.value, 1);
    assert.equal((await server.get("/api/v1/cells?since=1.0")).status, 200);
  },
});

Deno.test({
  name: "GET cells and changes since a revision of the future return all cells",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    await server.post("1,1,1\n2,2,0\n");
    const map = await server.json("/api/v1/cells?since=5000");
    assert.equal(map.revision, 1);
    assert.equal(map.cells.length, 2);
    const none = await server.json("/api/v1/cells?since=1");
    assert.equal(none.cells.length, 0);
  },
});

Deno.test({
  name: "names in an address that are not UTF-8 are refused, on every route",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (const name of ["B%FCro", "B%E4ro", "%FF", "%C3"]) {
      const gets = [
        `/api/v1/cells?layer=${name}`,
        `/api/v1/cell?layer=${name}&x=1&y=2`,
        `/api/v1/changes?layer=${name}`,
      ];
      for (const path of gets) {
        const response = await server.get(path);
        assert.equal(response.status, 400, path);
        const { code, detail } = await response.json();
        assert.equal(code, "bad-layer");
        assert.match(detail, /not valid UTF-8/);
      }
      const post = await server.post("1,2,3", `?layer=${name}`);
      assert.equal(post.status, 400);
      await post.body?.cancel();
      const image = await server.get(`/api/v1/plans/${name}/image`);
      assert.equal(image.status, 404);
    }
    const good = await server.post("1,2,3", "?layer=B%C3%BCro");
    assert.equal((await good.json()).layer, "Büro");
    assert.deepEqual([...server.map.layers()].map(([name]) => name), ["Büro"]);
  },
});

Deno.test({
  name: "POST readings takes back what GET cells returns",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,2,3\n-4,5,0\n6,7,-1\n", '?layer=a,"b"');
    const forms = ["format=json", "format=csv", "format=csv&times=rfc3339"];
    for (const form of forms) {
      const url = `/api/v1/cells?layer=a,"b"&${form}`;
      const text = await (await server.get(url)).text();
      const back = await server.post(text, '?layer=a,"b"');
      assert.equal(back.status, 200, text);
      const { accepted, refused } = await back.json();
      assert.deepEqual({ accepted, refused }, { accepted: 3, refused: 0 });
      const other = await server.post(text, "?layer=other");
      assert.equal(other.status, 400, text);
      assert.match(await other.text(), /bad-layer/);
    }
  },
});

Deno.test({
  name: "GET cells returns 200,000 cells, plain and compressed",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const rows = Array.from({ length: 200_000 }, (_, i) => `${i % 500},${i},1`);
    assert.equal((await server.post(rows.join("\n"))).status, 200);
    for (const coding of ["identity", "gzip"]) {
      const response = await server.get("/api/v1/cells", {
        headers: { "accept-encoding": coding },
      });
      const { cells } = await response.json();
      assert.equal(cells.length, 200_000, coding);
      assert.equal(new Set(cells.map(String)).size, 200_000, coding);
    }
  },
});

Deno.test({
  name: "GET cells returns 304 while nothing has changed",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,1");
    const revalidate = (etag: string) =>
      server.get("/api/v1/cells", { headers: { "if-none-match": etag } });
    const first = await server.get("/api/v1/cells");
    const etag = first.headers.get("etag")!;
    assert.equal((await revalidate(etag)).status, 304);
    await server.post("1,1,1"); // a repeated value is no change
    assert.equal((await revalidate(etag)).status, 304);
    await server.post("1,1,0");
    const changed = await revalidate(etag);
    assert.equal(changed.status, 200);
    assert.deepEqual((await changed.json()).cells[0].slice(0, 3), [1, 1, 0]);
  },
});

Deno.test({
  name: "GET cell returns everything about a coordinate, including its source",
  ...needs(),
  fn: async () => {
    let now = NOW;
    await using server = await startServer({ clock: () => now });
    await server.post('{"source":"<b>cam</b>","cells":[[1,2,3]]}');
    now += 500;
    assert.deepEqual(await server.json("/api/v1/cell?x=1&y=2"), {
      layer: "default",
      x: 1,
      y: 2,
      value: 3,
      status: "occupied",
      time: NOW,
      age: 500,
      revision: 1,
      source: "<b>cam</b>",
    });
    await server.post("1,2,4"); // without a source
    const { value, source } = await server.json("/api/v1/cell?x=1&y=2");
    assert.deepEqual([value, source], [4, null]);
    const never = await server.json("/api/v1/cell?x=-7&y=7");
    assert.deepEqual([never.value, never.status], [null, "unknown"]);
  },
});

Deno.test({
  name: "GET layers and summary return the counts of cells",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,5\n1,2,0\n1,3,-1\n");
    await server.post("1,1,2\n", "?layer=hall/l2");
    const { layers } = await server.json("/api/v1/layers");
    assert.deepEqual(
      layers.map(({ name, people, cells }: Record<string, unknown>) => [
        name,
        people,
        cells,
      ]),
      [["default", 5, 3], ["hall/l2", 2, 1]],
    );
    const summary = await server.json("/api/v1/summary");
    assert.equal(summary.people, 7);
    assert.equal(summary.cells, 4);
    assert.equal(summary.unknown, 1);
    assert.deepEqual(summary.readings, {
      accepted: 4,
      changed: 4,
      refused: {},
    });
    assert.equal(summary.broker.up, true);
    assert.equal(summary.store.durable, false);
  },
});

Deno.test({
  name: "an invalid parameter is answered with a reason and a hint",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (
      const [path, code] of [
        ["/api/v1/cells?region=1,2,3", "bad-region"],
        ["/api/v1/cells?region=5,0,%2B1,9", "bad-region"],
        ["/api/v1/cells?region=5,0,+1,9", "bad-region"],
        ["/api/v1/cells?region=0,0,1,99999999999", "bad-region"],
        ["/api/v1/cells?since=-1", "bad-since"],
        ["/api/v1/cells?since=1.5", "bad-since"],
        ["/api/v1/cells?since=%2B1", "bad-since"],
        ["/api/v1/cells?since=01", "bad-since"],
        ["/api/v1/cells?format=xml", "bad-format"],
        ["/api/v1/cells?layer=a//b", "bad-layer"],
        ["/api/v1/cells?layer=", "bad-layer"],
        ["/api/v1/cells?regoin=0,0,1,1", "bad-parameter"],
        ["/api/v1/cells?layer=a&layer=b", "bad-parameter"],
        ["/api/v1/cell?x=1", "bad-y"],
        ["/api/v1/cell?x=1.5&y=1", "bad-x"],
        ["/api/v1/changes?layer=%2B", "bad-layer"],
      ] as const
    ) {
      const response = await server.get(path);
      assert.equal(response.status, 400, path);
      assert.equal(
        response.headers.get("content-type"),
        "application/problem+json",
      );
      const problem = await response.json();
      assert.equal(problem.code, code, path);
      assert.match(problem.detail, /^[A-Z].*\.$/s, path);
      assert.match(problem.hint, /^[A-Z].*\.$/s, path);
    }
  },
});

Deno.test({
  name: "an unknown path is 404 with all routes, a wrong method 405 with Allow",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const missing = await server.get("/api/v1/nothing");
    assert.equal(missing.status, 404);
    const { routes } = await missing.json();
    assert.ok(routes.includes("GET /api/v1/cells"));
    const wrong = await server.get("/api/v1/cells", { method: "DELETE" });
    assert.equal(wrong.status, 405);
    assert.equal(wrong.headers.get("allow"), "GET, HEAD, OPTIONS");
    const options = await server.get("/api/v1/readings", { method: "OPTIONS" });
    assert.equal(options.status, 204);
    assert.equal(options.headers.get("allow"), "POST, OPTIONS");
    const head = await server.get("/api/v1/cells", { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(await head.text(), "");
    assert.ok(head.headers.get("etag"));
  },
});

Deno.test({
  name: "a layer name with markup is returned as text",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const name = "<img src=x onerror=alert(1)>";
    await server.post("1,1,1", `?layer=${encodeURIComponent(name)}`);
    const response = await server.get("/api/v1/layers");
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal((await response.json()).layers[0].name, name);
  },
});
