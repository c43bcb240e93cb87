/** `--webhook` and `--zones` of a server process. */
import assert from "node:assert/strict";
import { encodePublish } from "../../../support/packets.ts";
import { needs } from "../../../support/needs.ts";
import {
  type Ended,
  occupancy,
  type Running,
  runOccupancy,
} from "../../../support/processes.ts";
import { RawConnection } from "../../../support/raw_connection.ts";
import { tempDir } from "../../../support/temp.ts";
import { until } from "../../../support/until.ts";
import { Receiver } from "../../../webhooks/receiver.ts";

const SECRET = `whsec_${new Uint8Array(32).fill(9).toBase64()}`;
/** How long a server may take to end. */
const END_MS = 9500;

/** A collection with a zone of the cells 0,0 to 9,9. */
function zoneJson(name: string): string {
  return JSON.stringify({
    type: "FeatureCollection",
    features: [{
      type: "Feature",
      properties: { name, capacity: 5 },
      geometry: {
        type: "Polygon",
        coordinates: [[[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]]],
      },
    }],
  });
}

/** Starts a server and waits until it is ready. */
async function started(args: readonly string[]): Promise<{
  readonly server: Running;
  /** Of the embedded broker. */
  readonly port: number;
  /** Of HTTP. */
  readonly url: string;
}> {
  const server = occupancy([
    ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
    ...args,
  ]);
  const [, port] = await server.waitFor(/broker on 127\.0\.0\.1:(\d+)/);
  const [, url] = await server.waitFor(/Dashboard at (\S+)/);
  await server.waitFor(/Ready/);
  return { server, port: Number(port), url: url! };
}

async function post(url: string, csv: string): Promise<void> {
  const response = await fetch(`${url}api/v1/readings`, {
    method: "POST",
    body: csv,
  });
  assert.equal(response.status, 200, await response.text());
}

/** Ends a server with SIGTERM. */
async function terminate(server: Running): Promise<Ended> {
  server.kill("SIGTERM");
  const ended = await server.ended(END_MS);
  assert.equal(ended.code, 0, ended.stderr);
  return ended;
}

Deno.test({
  name: "server sends events of zones and sources to webhooks as to MQTT",
  ...needs("sh"),
  fn: async () => {
    await using receiver = new Receiver();
    await using folder = await tempDir();
    const zones = await folder.file("zones.geojson", zoneJson("lobby"));
    const secret = await folder.file("secret", `${SECRET}\n`);
    await Deno.chmod(secret, 0o600);
    const { server, port, url } = await started([
      ...["--zones", zones, "--webhook-secret-file", secret],
      ...["--webhook", receiver.url("/s3cret?key=s3cret")],
      ...["--silent-after", "1s"],
    ]);
    await using _server = server;
    await using subscriber = await RawConnection.open(port, "subscriber");
    await subscriber.subscribe("occupancy/zone/+/event");
    await subscriber.subscribe("occupancy/source/+/event");
    await post(url, "1,1,0");
    await until(async () =>
      (await (await fetch(`${url}api/v1/zone-states/lobby`)).text())
        .includes('"occupied":false')
    );
    await using sensor = await RawConnection.open(port, "sensor");
    await sensor.write(encodePublish(
      "occupancy/data",
      '{"x":1,"y":1,"value":7,"source":"door"}',
    ));
    // cleared or unknown before, then occupied, full, and the silent source.
    const requests = await until(() =>
      receiver.requests.some(({ body }) => body.includes("silent")) &&
      receiver.requests
    );
    const events = (receiver.bodies as { event: string }[])
      .map(({ event }) => event);
    assert.deepEqual(events.slice(-3), ["occupied", "full", "silent"]);
    for (const { headers, body } of requests) {
      const message = await subscriber.take("publish");
      assert.equal(headers.get("occupancy-topic"), message.topic);
      assert.equal(body, message.payload.toString());
      assert.match(headers.get("webhook-signature")!, /^v1,.{44}$/);
    }
    const labels = `webhook="1",origin="http://127.0.0.1:${receiver.port}"`;
    const expected = [
      `events_total{${labels},outcome="sent"} ${requests.length}`,
      `events_total{${labels},outcome="dropped"} 0`,
      `retries_total{${labels}} 0`,
      `queued_events{${labels}} 0`,
    ].map((line) => `occupancy_webhook_${line}\n`);
    let metrics = "";
    // The last answer may still be on its way.
    await until(async () => {
      metrics = await (await fetch(`${url}metrics`)).text();
      return expected.every((line) => metrics.includes(line));
    }, { what: () => `${expected} in ${metrics}` });
    const { stderr } = await terminate(server);
    assert.doesNotMatch(metrics + stderr, /s3cret|whsec/);
  },
});

Deno.test({
  name: "server ends in time although a webhook hangs, and says what is lost",
  ...needs("sh"),
  fn: async () => {
    const never = Promise.withResolvers<Response>();
    await using hanging = new Receiver(() => never.promise);
    await using receiver = new Receiver();
    await using folder = await tempDir();
    const zones = await folder.file("zones.geojson", zoneJson("lobby"));
    const { server, url } = await started([
      ...["--zones", zones],
      ...["--webhook", hanging.url("/s3cret"), "--webhook", receiver.url()],
    ]);
    await using _server = server;
    await post(url, "1,1,1");
    await receiver.received(1);
    await hanging.received(1);
    const { stderr } = await terminate(server);
    assert.match(
      stderr,
      new RegExp(
        `Warning: Webhook 1 \\(http://127.0.0.1:${hanging.port}\\): \\d+ events? could not be delivered before the end of the server`,
      ),
    );
    assert.doesNotMatch(stderr, /Webhook 2|s3cret/);
    never.resolve(new Response());
  },
});

Deno.test({
  name: "server refuses webhooks and secrets that cannot work, without secrets",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    const wrong = await folder.file("wrong", "s3cret");
    await Deno.chmod(wrong, 0o600);
    const hook = ["--webhook", "http://127.0.0.1:1/s3cret"];
    for (
      const [args, message] of [
        [["--webhook", "ftp://ann:s3cret@h/"], /Invalid --webhook "\*\*\*"\n/],
        [["--webhook", "h/s3cret"], /Invalid --webhook "\*\*\*"\n/],
        [[...hook, ...hook], /the same address of http:\/\/127.0.0.1:1 twice/],
        [
          ["--webhook-secret-file", wrong],
          /Cannot use --webhook-secret-file without --webhook/,
        ],
        [
          [...hook, "--webhook-secret-file", wrong],
          /Cannot read a secret from \S+wrong: it is not whsec_/,
        ],
      ] as const
    ) {
      const args_ = ["server", "--listen", "127.0.0.1:0", ...args];
      const { code, stderr } = await runOccupancy(args_);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.match(stderr, /\n {2}hint: /);
      assert.doesNotMatch(stderr, /s3cret/);
    }
  },
});

Deno.test({
  name: "server reads a list of webhooks from its configuration file",
  ...needs("sh"),
  fn: async () => {
    await using first = new Receiver();
    await using second = new Receiver();
    await using folder = await tempDir();
    const zones = await folder.file("zones.geojson", zoneJson("lobby"));
    const urls = [
      first.url(),
      `http://ann:s3cret@127.0.0.1:${second.port}/hook`,
    ];
    const config = await folder.file(
      "occupancy.toml",
      `[server]\nzones = "${zones}"\nwebhook = ${JSON.stringify(urls)}\n`,
    );
    await Deno.chmod(config, 0o644);
    const { server, url } = await started(["--config", config]);
    await using _server = server;
    await server.waitFor(/Warning: All users .* the password of a webhook in/);
    await post(url, "1,1,1");
    await first.received(1);
    const [request] = await second.received(1);
    assert.equal(
      request!.headers.get("authorization"),
      `Basic ${btoa("ann:s3cret")}`,
    );
    const { stderr } = await terminate(server);
    assert.doesNotMatch(stderr, /s3cret|\/hook/);
    assert.match(stderr, /Webhook: http:\/\/127\.0\.0\.1:\d+\n/);
  },
});

Deno.test({
  name: "config shows of a webhook only its host",
  ...needs("sh"),
  fn: async () => {
    const env = {
      OCCUPANCY_WEBHOOK: "https://ann:s3cret@hooks.example/s3cret",
    };
    const { stdout } = await runOccupancy(["config", "server"], { env });
    assert.match(stdout, /webhook +https:\/\/hooks\.example\/\*\*\* /);
    assert.doesNotMatch(stdout, /s3cret/);
  },
});

Deno.test({
  name: "server follows the file of its zones, and reads it at SIGHUP",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    const zones = await folder.file("zones.geojson", zoneJson("lobby"));
    const { server, url } = await started(["--zones", zones]);
    await using _server = server;
    await server.waitFor(/Zones: 1 zone in \S+zones\.geojson/);
    const has = (name: string) =>
      until(async () =>
        (await (await fetch(`${url}api/v1/zones`)).text())
          .includes(`"name":"${name}"`)
      );
    await has("lobby");

    const other = await folder.file("new", zoneJson("hall"));
    await Deno.rename(other, zones);
    await has("hall");
    await server.waitFor(
      /Reloaded the zones file from \S+: 1 zone, 1 added, 0 changed, 1 deleted\n/,
    );

    await Deno.writeTextFile(zones, zoneJson("a/b"));
    await server.waitFor(
      /Error: Cannot reload the zones file, the old one stays in use: \S+zones\.geojson: feature 1: .*a\/b/,
    );
    server.kill("SIGHUP");
    await until(() =>
      server.stderr.match(/Cannot reload the zones file/g)?.length === 2
    );
    await has("hall");

    await Deno.writeTextFile(zones, zoneJson("cafe"));
    await has("cafe");
    server.kill("SIGHUP");
    await server.waitFor(/Reloaded the zones file from \S+zones\.geojson\n/);
    await terminate(server);
  },
});

Deno.test({
  name: "server does not start with invalid zones",
  ...needs("sh"),
  fn: async () => {
    await using folder = await tempDir();
    const twice = JSON.parse(zoneJson("lobby"));
    twice.features.push(twice.features[0]);
    for (
      const [content, message] of [
        ["", /zones\.geojson: /],
        [zoneJson("lobby").slice(0, 100), /ends in the middle/],
        [JSON.stringify(twice), /feature 2: "lobby" is also the name of/],
        [zoneJson("#"), /feature 1: .*#/],
      ] as const
    ) {
      const zones = await folder.file("zones.geojson", content);
      const { code, stderr } = await runOccupancy(
        ["server", "--listen", "127.0.0.1:0", "--zones", zones],
      );
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.match(stderr, /\n {2}hint: /);
    }
  },
});
