/** `occupancy store` as a process, with servers before and after it. */
import assert from "node:assert/strict";
import { assertFailure } from "../../../support/assert_failure.ts";
import { needs } from "../../../support/needs.ts";
import { occupancy, runOccupancy } from "../../../support/processes.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import { RedisServer } from "../../../support/redis.ts";
import { tempDir } from "../../../support/temp.ts";

/** Starts a server with an embedded broker. Returns it with its address. */
async function start(store: string, zones: string) {
  const server = occupancy([
    ...["server", "--listen", "127.0.0.1:0", "--store", store],
    ...["--http", "127.0.0.1:0", "--stale-after", "2h"],
  ]);
  const [, broker] = await server.waitFor(/(127\.0\.0\.1:\d+)/);
  const [, url] = await server.waitFor(/Dashboard at (\S+)/);
  await server.waitFor(/Ready/);
  const rows = async () => {
    const { stdout } = await runOccupancy([
      ...["request", "--broker", broker!, "--layer", "hall"],
      ...["--format", "tsv"],
    ]);
    return stdout;
  };
  const zoneList = async () =>
    (await runOccupancy(["zones", "list", "--url", url!])).stdout;
  return { server, broker: broker!, url: url!, rows, zoneList, zones };
}

Deno.test({
  name: "a server with a copy shows the same map and zones",
  ...needs("sh"),
  fn: async () => {
    await using dir = await tempDir();
    const [from, to] = ["map", "copy"].map((name) =>
      `sqlite:${dir.path}/${name}.db`
    ) as [string, string];
    const csv = await dir.file("readings.csv", "1,2,3\n2,2,0\n-5,900,-1\n");
    const zones = await dir.file(
      "zones.geojson",
      JSON.stringify({
        type: "FeatureCollection",
        features: [{
          type: "Feature",
          properties: { name: "door", layer: "hall" },
          geometry: {
            type: "Polygon",
            coordinates: [[[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]]],
          },
        }],
      }),
    );
    let rows = "";
    let zoneList = "";
    {
      const first = await start(from, zones);
      await using _ = first.server;
      const sent = await runOccupancy([
        ...["client", "--broker", first.broker, "--layer", "hall", csv],
      ]);
      assert.equal(sent.code, 0, sent.stderr);
      const imported = await runOccupancy([
        ...["zones", "import", zones, "--url", first.url],
      ]);
      assert.equal(imported.code, 0, imported.stderr);
      rows = await first.rows();
      zoneList = await first.zoneList();
      assert.match(zoneList, /door/);
      assertFailure(
        await runOccupancy(["store", "copy", from, to]),
        1,
        /^occupancy: Cannot copy \S+map\.db: a running server uses it$/m,
        /Stop the server .* Backup in docs\/OPERATIONS\.md/,
      );
      first.server.kill();
      assert.equal((await first.server.ended()).code, 0);
    }
    const copied = await runOccupancy(["store", "copy", from, to]);
    assert.equal(copied.code, 0, copied.stderr);
    assert.equal(copied.stdout, "");
    assert.match(
      copied.stderr,
      /^Copied 3 cells in 1 layer, \d+ records and \d+ rows? of history to \S+copy\.db\n$/,
    );
    assertFailure(
      await runOccupancy(["store", "copy", from, to]),
      1,
      /copy\.db: it has a map of 3 cells$/m,
      /--force/,
    );
    const second = await start(to, zones);
    await using _ = second.server;
    assert.equal(await second.rows(), rows);
    assert.equal(await second.zoneList(), zoneList);
  },
});

Deno.test({
  name: "wrong arguments of store copy are usage errors, without passwords",
  ...needs("sh"),
  fn: async () => {
    for (
      const [words, message] of [
        [[], /Missing <action>|Missing action/],
        [["copy"], /Missing stores after occupancy store copy/],
        [["copy", "sqlite:a"], /Missing store after/],
        [["copy", "sqlite:a", "sqlite:b", "c"], /Unexpected argument/],
        [["copy", "a.db", "sqlite:b"], /Cannot use the store "a.db"/],
        [["copy", "http://u:secret@h", "sqlite:b"], /Cannot use the store/],
      ] as const
    ) {
      const ended = await runOccupancy(["store", ...words]);
      assertFailure(ended, 2, message, /./);
      assert.doesNotMatch(ended.stderr, /secret/);
    }
  },
});

Deno.test({
  name: "servers with Redis show the map of a file that was copied there",
  ...needs("sh", "redis-server", "mosquitto"),
  fn: async () => {
    await using dir = await tempDir();
    await using redis = await RedisServer.start({ password: "geheim" });
    await using mosquitto = await startMosquitto();
    const file = `sqlite:${dir.path}/map.db`;
    const store = `redis://${redis.address}/site`;
    const env = { OCCUPANCY_REDIS_PASSWORD: "geheim" };
    const broker = mosquitto.url;
    const csv = await dir.file("readings.csv", "1,2,3\n2,2,0\n-5,900,-1\n");
    const layer = ["--layer", "hall"];
    const rows = async () => {
      const { stdout } = await runOccupancy([
        ...["request", "--broker", broker, ...layer, "--format", "tsv"],
      ]);
      return stdout;
    };
    let before = "";
    {
      await using server = occupancy([
        ...["server", "--broker", broker, "--store", file],
      ]);
      await server.waitFor(/Ready/);
      const sent = await runOccupancy([
        "client",
        "--broker",
        broker,
        ...layer,
        csv,
      ]);
      assert.equal(sent.code, 0, sent.stderr);
      before = await rows();
      server.kill();
      await server.ended();
    }
    const there = await runOccupancy(["store", "copy", file, store], { env });
    assert.equal(there.code, 0, there.stderr);
    assert.match(
      there.stderr,
      /^Copied 3 cells in 1 layer, \d+ records? and \d+ rows of history to redis:/,
    );
    {
      await using server = occupancy(
        ["server", "--broker", broker, "--store", store],
        { env },
      );
      await server.waitFor(/3 cells in redis:.*16 shards/);
      assert.equal(await rows(), before);
      // A store in Redis is copied while it is in use, but not replaced.
      const back = `sqlite:${dir.path}/back.db`;
      const copied = await runOccupancy(["store", "copy", store, back], {
        env,
      });
      assert.equal(copied.code, 0, copied.stderr);
      assertFailure(
        await runOccupancy(["store", "copy", back, store, "--force"], { env }),
        1,
        /it is used by 1 server \(occupancy-server\)/,
        /Stop all servers/,
      );
      server.kill();
      await server.ended();
    }
    await using server = occupancy([
      ...[
        "server",
        "--broker",
        broker,
        "--store",
        `sqlite:${dir.path}/back.db`,
      ],
    ]);
    await server.waitFor(/Ready/);
    assert.equal(await rows(), before);
  },
});
