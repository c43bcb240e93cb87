/** `GET /metrics` of a real server. */
import assert from "node:assert/strict";
import { Counters } from "../../src/broker/sys/counters.ts";
import { findTool, needs } from "../support/needs.ts";
import { occupancy, Running } from "../support/processes.ts";
import type { Link } from "../../src/mqtt/link.ts";
import { FakeLink, incoming } from "../support/fake_link.ts";
import { RawConnection } from "../support/raw_connection.ts";
import { until } from "../support/until.ts";
import { startServer, type TestServer } from "./support.ts";

/** Returns the values of all metrics by name and labels. */
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
  name:
    "GET metrics counts messages that are refused whole, over HTTP as over MQTT",
  ...needs(),
  fn: async () => {
    const payloads = ["", '{"x":1', "hello", '{"cells":[],"time":-1}'];
    const counts = [];
    for (const way of ["http", "mqtt"]) {
      await using server = await startServer();
      for (const payload of payloads) {
        if (way === "mqtt") server.publish(payload);
        else await (await server.post(payload)).body?.cancel();
      }
      await until(() => server.server.stats.messages >= payloads.length);
      const metrics = await scrape(server);
      counts.push([
        metrics.get("occupancy_messages_total"),
        metrics.get("occupancy_received_bytes_total"),
      ]);
      // A message that the server cannot handle is sent again.
      server.store.failing = true;
      await (await server.post("1,1,1")).body?.cancel();
      await (await server.post("1,1,1")).body?.cancel();
      assert.equal(server.server.stats.messages, payloads.length);
    }
    assert.deepEqual(counts, [[4, 33], [4, 33]]);
  },
});

const REPLY = "occupancy/response/me";

/** A broker that acknowledges replies on request. */
class SlowLink extends FakeLink {
  readonly #pending: (() => void)[] = [];

  /** The number of parts of replies that are not acknowledged. */
  get pending(): number {
    return this.#pending.length;
  }

  override async publish(...args: Parameters<Link["publish"]>): Promise<void> {
    await super.publish(...args);
    if (args[0] !== REPLY) return;
    await new Promise<void>((resolve) => this.#pending.push(resolve));
  }

  /** Acknowledges the oldest part. */
  acknowledgeOne(): void {
    this.#pending.shift()!();
  }
}

Deno.test({
  name:
    "GET metrics measures MQTT requests until the broker has the whole reply",
  ...needs(),
  fn: async () => {
    const link = new SlowLink();
    await using server = await startServer({ link });
    const rows = Array.from({ length: 200 }, (_, i) => `${i},0,1`).join("\n");
    await server.post(rows);
    const durations = async () => {
      const metrics = await scrape(server);
      const of = (name: string) =>
        metrics.get(`occupancy_mqtt_request_duration_seconds_${name}`);
      return { count: of("count"), sum: of("sum")! };
    };
    assert.deepEqual(await durations(), { count: 0, sum: 0 });
    const arrived = performance.now();
    link.handlers.message(incoming(
      server.context.topics.request,
      JSON.stringify({ maxBytes: 1024 }),
      { responseTopic: REPLY },
    ));
    await until(() => link.pending > 1);
    while (link.pending > 1) link.acknowledgeOne();
    const before = (performance.now() - arrived) / 1000;
    assert.equal((await durations()).count, 0, "one part is not acknowledged");
    link.acknowledgeOne();
    const { count, sum } = await durations();
    assert.equal(count, 1);
    assert.ok(sum >= before, `${sum} s, and ${before} s had passed`);
    assert.ok(sum <= (performance.now() - arrived) / 1000);
  },
});

Deno.test({
  name: "GET metrics counts the clients of the embedded broker only",
  ...needs(),
  fn: async () => {
    await using other = await startServer();
    const text = await (await other.get("/metrics")).text();
    assert.doesNotMatch(text, /occupancy_broker_clients/);

    await using server = occupancy([
      ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    ]);
    const [, port] = await server.waitFor(
      /embedded broker on 127\.0\.0\.1:(\d+)/,
    );
    const [, url] = await server.waitFor(/Dashboard at (http:\/\/\S+)\/ /);
    await server.waitFor(/Ready/);
    const clients = async () => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return /^occupancy_broker_clients (\d+)$/m.exec(text)?.[1];
    };
    assert.equal(await clients(), "0");
    {
      await using _client = await RawConnection.open(Number(port), "me");
      await until(async () => await clients() === "1");
    }
    await until(async () => await clients() === "0");
  },
});

Deno.test({
  name: "GET metrics and readyz show that broker or store fail",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    server.link.handlers.down?.("connection closed");
    server.store.failing = true;
    await server.post("1,1,1");
    const metrics = await scrape(server);
    assert.equal(metrics.get("occupancy_broker_up"), 0);
    assert.equal(metrics.get("occupancy_store_up"), 0);
    const { reasons } = await server.json("/readyz");
    assert.deepEqual(reasons, [
      { code: "broker-down", message: "fake: connection closed" },
      { code: "store-failing", message: "The disk is full" },
    ]);
    server.store.failing = false;
  },
});

Deno.test({
  name: "GET metrics limits the number of labels, for any number of layers",
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
  name: "GET metrics shows invisible characters of layer names as escapes",
  ...needs(),
  fn: async () => {
    await using server = await startServer();
    await server.post(
      "1,1,4",
      `?layer=${encodeURIComponent("a\u202eb\u2028")}`,
    );
    const text = await (await server.get("/metrics")).text();
    assert.doesNotMatch(text, /[\u202e\u2028]/);
    // A backslash is doubled in a label.
    assert.ok(
      text.includes('occupancy_people{layer="a\\\\u{202e}b\\\\u{2028}"} 4\n'),
      text,
    );
  },
});

Deno.test({
  name: "GET metrics passes promtool, with unusual layer names",
  ...needs("promtool"),
  fn: async () => {
    const brokerCounts = new Counters();
    brokerCounts.publishDropped = 7;
    const brokerState = {
      ...{ clients: 3, sessions: 4, subscriptions: 5 },
      ...{ retainedMessages: 1, retainedBytes: 2 },
      ...{ queuedMessages: 0, queuedBytes: 0, unsentBytes: 0 },
    };
    const link = Object.assign(new FakeLink(), { brokerCounts, brokerState });
    await using server = await startServer({ link });
    const text = await (await server.get("/metrics")).text();
    assert.match(text, /^occupancy_broker_clients 3$/m);
    assert.match(text, /^occupancy_broker_sessions 4$/m);
    assert.match(text, /^occupancy_broker_dropped_messages_total 7$/m);
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
