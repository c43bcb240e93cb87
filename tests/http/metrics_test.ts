/** What Prometheus is told. */
import assert from "node:assert/strict";
import { findTool, needs } from "../support/needs.ts";
import { Running } from "../support/processes.ts";
import { startServer, type TestServer } from "./support.ts";

/** A page of metrics as values by name and labels. */
async function scrape(server: TestServer): Promise<Map<string, number>> {
  const lines = (await (await server.get("/metrics")).text()).split("\n");
  return new Map(
    lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

Deno.test({
  name: "GET metrics counts readings, cells, commits and requests",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,5\n1,2,0\nx,1,1\n");
    await server.post("1,1,5\n");
    await server.get("/api/v1/cells");
    const metrics = await scrape(server);
    const expected = {
      'occupancy_readings_total{outcome="changed",reason=""}': 2,
      'occupancy_readings_total{outcome="renewed",reason=""}': 1,
      'occupancy_readings_total{outcome="refused",reason="bad-x"}': 1,
      "occupancy_messages_total": 2,
      "occupancy_received_bytes_total": 24,
      'occupancy_cells{layer="default",state="occupied"}': 1,
      'occupancy_cells{layer="default",state="free"}': 1,
      'occupancy_people{layer="default"}': 5,
      "occupancy_revision": 1,
      "occupancy_broker_up": 1,
      "occupancy_store_up": 1,
      "occupancy_commit_readings_sum": 3,
      'occupancy_http_request_duration_seconds_count{method="POST",route="/api/v1/readings",code="200"}':
        2,
      [`occupancy_build_info{version="${server.context.version}"}`]: 1,
    };
    for (const [name, value] of Object.entries(expected)) {
      assert.equal(metrics.get(name), value, name);
    }
    assert.ok(metrics.get("process_resident_memory_bytes")! > 1e6);
    assert.ok(metrics.get('occupancy_sent_bytes_total{kind="cells"}')! > 50);
  },
});

Deno.test({
  name: "GET metrics says when broker or store fail",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.link.handlers.down?.("it hung up");
    server.store.failing = true;
    await server.post("1,1,1");
    const metrics = await scrape(server);
    assert.equal(metrics.get("occupancy_broker_up"), 0);
    assert.equal(metrics.get("occupancy_store_up"), 0);
    const { reasons } = await server.json("/readyz");
    assert.deepEqual(reasons, [
      { code: "broker-down", message: "fake: it hung up" },
      { code: "store-failing", message: "The disk is full" },
    ]);
    server.store.failing = false;
  },
});

Deno.test({
  name:
    "GET metrics has no more labels than Prometheus likes, however many layers",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    for (let i = 0; i < 150; i++) server.publish("1,1,1", `floor/${i}`);
    await server.post("1,1,1", "?layer=last");
    for (let i = 0; i < 50; i++) await server.get(`/nothing/${i}`);
    await server.get("/healthz", { method: "PATCH" });
    const metrics = await scrape(server);
    const names = [...metrics.keys()];
    const people = names.filter((name) => name.startsWith("occupancy_people"));
    assert.equal(people.length, 101);
    assert.equal(metrics.get('occupancy_people{layer="+others"}'), 51);
    assert.equal(metrics.get("occupancy_layers"), 151);
    assert.equal(
      metrics.get(
        'occupancy_http_request_duration_seconds_count{method="GET",route="none",code="404"}',
      ),
      50,
    );
    assert.ok(names.every((name) => !name.includes("PATCH")));
  },
});

Deno.test({
  name: "GET metrics is clean in the eyes of promtool, odd names too",
  ...needs("promtool"),
  fn: async () => {
    await using server = await startServer();
    await server.post("1,1,1", `?layer=${encodeURIComponent('a"\\b<ü>')}`);
    await server.post("nonsense");
    const response = await server.get("/metrics");
    assert.match(response.headers.get("content-type")!, /^text\/plain/);
    await using promtool = new Running(
      findTool("promtool")!,
      ["check", "metrics"],
      { input: await response.text() },
    );
    const { code, stdout, stderr } = await promtool.ended();
    assert.deepEqual([code, stdout, stderr], [0, "", ""]);
  },
});
