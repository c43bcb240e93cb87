/** `POST /api/v1/readings`: the responses, and their effect on the map. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { until } from "../support/until.ts";
import { startServer } from "./support.ts";

const NOW = 1_760_000_000_000;

Deno.test({
  name: "POST readings returns accepted readings and each refused row",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    const response = await server.post("1,2,1\nx,2,1\n1,3,0\n1,2\n1,3,0\n");
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {
      layer: "default",
      revision: 1,
      accepted: 3,
      changed: 2,
      refused: 2,
      reasons: { "bad-x": 1, "bad-fields": 1 },
      problems: [
        { row: 2, code: "bad-x", message: 'x is not an integer: "x"' },
        {
          row: 4,
          code: "bad-fields",
          message: (await refusalOf("1,2")).message,
        },
      ],
    });
    assert.equal(server.map.layer("default")?.get(1, 2)?.value, 1);
    assert.equal(server.server.stats.refused.get("bad-x"), 1);
    assert.equal(server.link.textsOn("occupancy/errors").length, 2);
  },
});

Deno.test({
  name: "POST readings reads JSON lines and a CSV header; multipart is 415",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    const post = (body: BodyInit, type?: string) =>
      server.post(body, "", type ? { headers: { "content-type": type } } : {});
    const lines = await post(
      '{"x":1,"y":2,"value":3}\n{"x":1}\n[{"x":4,"y":5,"value":6}]\n',
      "application/x-ndjson",
    );
    const { accepted, problems } = await lines.json();
    assert.equal(accepted, 2);
    assert.deepEqual(
      problems.map(({ row, code }: { row: number; code: string }) => [
        row,
        code,
      ]),
      [[2, "bad-y"]],
    );
    const header = await post("y,x,value\n20,10,1\n");
    assert.equal((await header.json()).accepted, 1);
    assert.equal(server.map.layer("default")?.get(10, 20)?.value, 1);
    const swapped = await post("id,x,y\n7,1,2\n");
    assert.equal(swapped.status, 400);
    assert.equal((await swapped.json()).code, "bad-header");
    const form = new FormData();
    form.set("file", new Blob(["1,2,3"]), "readings.csv");
    const multipart = await post(form);
    assert.equal(multipart.status, 415);
    const { code, hint } = await multipart.json();
    assert.equal(code, "bad-content-type");
    assert.match(hint, /--data-binary/);
    assert.equal(server.map.size, 3);
  },
});

Deno.test({
  name: "POST readings refuses a body that names another layer",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    const body = '{"layer":"l1","cells":[[1,2,3]]}';
    const other = await server.post(body, "?layer=l2");
    assert.equal(other.status, 400);
    assert.equal((await other.json()).code, "bad-layer");
    assert.equal((await server.post(body)).status, 400);
    assert.equal((await server.post(body, "?layer=l1")).status, 200);
    assert.deepEqual([...server.map.layers()].map(([name]) => name), ["l1"]);
  },
});

Deno.test({
  name: "POST readings returns 200 for late and future readings",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    await server.post(`1,1,1,${NOW - 1000}`);
    const late = await server.post(`1,1,0,${NOW - 5000}`);
    assert.equal(late.status, 200);
    assert.deepEqual((await late.json()).reasons, { late: 1 });
    const future = await server.post(`1,1,0,${NOW + 3_600_000}`);
    const { reasons, problems } = await future.json();
    assert.deepEqual(reasons, { future: 1 });
    assert.equal(problems[0].code, "future");
    const rows = "\n1,1\n" + `1,1,0,${NOW - 5000}\n`.repeat(9);
    const mixed = await (await server.post(`${rows}2,2,2`)).json();
    assert.deepEqual(mixed.reasons, { "bad-fields": 1, late: 9 });
    assert.deepEqual(
      mixed.problems.map(({ row }: { row: number }) => row),
      [2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.equal(server.map.layer("default")?.get(1, 1)?.value, 1);
  },
});

Deno.test({
  name:
    "POST readings returns 200 if all valid rows are late, whatever the other rows",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ clock: () => NOW });
    await server.post(`1,1,1,${NOW - 1000}`);
    const response = await server.post(`x,1,1\n1,1,0,${NOW - 5000}`);
    assert.equal(response.status, 200);
    const { accepted, refused, reasons } = await response.json();
    assert.deepEqual([accepted, refused], [0, 2]);
    assert.deepEqual(reasons, { "bad-x": 1, late: 1 });
  },
});

Deno.test({
  name: "POST readings returns 400 if no row is valid",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (
      const [body, code] of [
        ["", "empty"],
        ['{"x":1', "bad-json"],
        ["[1,2]", "no-readings"],
        ["hello\nworld\n", "no-readings"],
        [Uint8Array.of(0xff, 0xfe, 0x00), "no-readings"],
      ] as const
    ) {
      const response = await server.post(body);
      const problem = await response.json();
      assert.equal(response.status, 400, String(body));
      assert.equal(problem.code, code, String(body));
    }
    assert.equal(server.map.size, 0);
  },
});

Deno.test({
  name: "POST readings detects the format by Content-Type or the first byte",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const json = '[{"x":1,"y":1,"value":true}]';
    for (
      const type of [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain;charset=UTF-8",
      ]
    ) {
      const response = await server.post(json, "", {
        headers: { "content-type": type },
      });
      assert.equal((await response.json()).accepted, 1, type);
    }
    const csv = await server.post(json, "", {
      headers: { "content-type": "text/csv" },
    });
    assert.equal(csv.status, 400);
  },
});

Deno.test({
  name:
    "POST readings shares a commit with readings of the same event loop turn",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const commits: number[] = [];
    server.context.observeCommits((_ms, readings) => commits.push(readings));
    const both = server.server.submit("default", bytes("1,1,1\n2,2,2"));
    const other = server.server.submit("hall", bytes("1,1,1"));
    server.publish("1,1,7");
    const [a, b] = await Promise.all([both, other]);
    assert.deepEqual(commits, [4]);
    assert.equal(a.outcome === "committed" && a.accepted, 2);
    assert.equal(b.outcome === "committed" && b.accepted, 1);
    // MQTT readings come first in a commit, so the submitted one is the last.
    assert.equal(server.map.layer("default")?.get(1, 1)?.value, 1);
  },
});

Deno.test({
  name: "POST readings returns 503 while the store fails, and stores nothing",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.store.failing = true;
    for (let i = 0; i < 2; i++) {
      const response = await server.post("1,1,1");
      assert.equal(response.status, 503);
      assert.ok(Number(response.headers.get("retry-after")) > 0);
      const problem = await response.json();
      assert.equal(problem.code, "store-failing");
      assert.equal(problem.detail, "The disk is full.");
    }
    const ready = await server.json("/readyz");
    assert.deepEqual(ready.reasons, [
      { code: "store-failing", message: "The disk is full" },
    ]);
    server.publish("2,2,2"); // from the broker: waits, and is kept
    server.store.failing = false;
    await until(() => server.map.layer("default")?.get(2, 2));
    assert.equal(server.map.layer("default")?.get(1, 1), undefined);
    assert.equal((await server.post("1,1,1")).status, 200);
    assert.deepEqual(await server.json("/readyz"), { status: "ready" });
  },
});

Deno.test({
  name:
    "POST readings refuses too large bodies, with and without length, and compressed ones",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    const long = new Uint8Array(8 * 1024 * 1024 + 1).fill(0x31);
    const announced = await server.post(long);
    assert.equal(announced.status, 413);
    assert.equal((await announced.json()).code, "too-large");
    const streamed = await server.post(
      new Blob([long]).stream(),
      "",
      { headers: { "content-type": "text/csv" } },
    );
    assert.equal(streamed.status, 413);
    const compressed = await server.post("1,1,1", "", {
      headers: { "content-encoding": "gzip" },
    });
    assert.equal(compressed.status, 415);
    assert.equal(server.map.size, 0);
  },
});

Deno.test({
  name: "POST readings returns 503 when too many bytes are being read",
  ...needs(),
  fn: async () => {
    await using server = await startServer({
      limits: { bodyBytes: 100_000, waitMs: 10 },
    });
    const response = await server.post("1,2,3\n".repeat(20_000));
    assert.equal(response.status, 503);
    assert.equal((await response.json()).code, "overloaded");
    assert.equal((await server.post("1,2,3\n".repeat(10_000))).status, 200);
  },
});

Deno.test({
  name: "routes that need the map return 503 until it is loaded",
  ...needs(),
  fn: async () => {
    await using server = await startServer({ started: false });
    for (
      const path of ["/api/v1/cells", "/api/v1/summary", "/api/v1/changes"]
    ) {
      const response = await server.get(path);
      assert.equal(response.status, 503, path);
      assert.equal((await response.json()).code, "starting");
    }
    assert.equal((await server.post("1,1,1")).status, 503);
    assert.equal((await server.get("/healthz")).status, 200);
    const { reasons } = await server.json("/readyz");
    assert.deepEqual(
      reasons.map(({ code }: { code: string }) => code),
      ["starting", "broker-down"],
    );
    await server.server.start();
    assert.equal((await server.get("/readyz")).status, 200);
  },
});

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Returns why the protocol refuses a row. */
async function refusalOf(row: string) {
  const { parseReadings, ReadingBatch } = await import(
    "../../src/protocol/mod.ts"
  );
  return parseReadings(bytes(row), new ReadingBatch()).kept[0]!;
}
