/** `occupancy server` with a store in Redis, as processes. */
import assert from "node:assert/strict";
import { assertFailure } from "../../../support/assert_failure.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import { needs } from "../../../support/needs.ts";
import { occupancy, runOccupancy } from "../../../support/processes.ts";
import { RedisServer } from "../../../support/redis.ts";
import { until } from "../../../support/until.ts";

/** Starts a server; its HTTP address is in the log. */
function start(name: string, broker: string, store: string, ...more: string[]) {
  return occupancy([
    ...["server", "--name", name, "--broker", broker, "--store", store],
    ...["--group", "hall", "--http", "127.0.0.1:0", ...more],
  ]);
}

Deno.test({
  name: "servers that share a store show the same map, and say so",
  ...needs("redis-server", "mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    await using redis = await RedisServer.start({ password: "geheim" });
    const { url: broker } = mosquitto;
    const store = `redis://:geheim@${redis.address}/site`;
    await using a = start("a", broker, store, "--shards", "4");
    await a.waitFor(/Ready/);
    assert.match(
      a.stderr,
      /Map: 0 cells in redis:\/\/127\.0\.0\.1:\d+\/site \(4 shards, shared by a\)/,
    );
    // Without --shards it takes those of the map.
    await using b = start("b", broker, store);
    await b.waitFor(/4 shards, shared by a and b/);
    const [, url] = await b.waitFor(/Dashboard at (\S+)\//);
    const sent = await runOccupancy([
      ...["client", "--broker", broker, "--file", "client2.json"],
      "--no-request",
    ]);
    assert.equal(sent.code, 0, sent.stderr);
    const get = async (path: string) => await (await fetch(url + path)).text();
    await until(async () =>
      /occupancy_cells\{.*occupied"\} 4/.test(await get("/metrics"))
    );
    const summary = JSON.parse(await get("/api/v1/summary"));
    assert.deepEqual(summary.store.shared.members, ["a", "b"]);
    assert.equal(summary.store.shared.shards, 4);
    await until(async () =>
      /occupancy_store_journal_entries\{shard="3"\}/.test(await get("/metrics"))
    );
    // Wrong settings end a server.
    const ends = async (message: RegExp, hint: RegExp, ...args: string[]) => {
      await using server = start(args[0]!, broker, args[1]!, ...args.slice(2));
      assertFailure(await server.ended(), 1, message, hint);
    };
    await ends(
      /has 4 shards, this server 8/,
      /--shards 4/,
      "c",
      store,
      "--shards",
      "8",
    );
    await ends(/uses the name "a"/, /--name/, "a", store);
    await ends(
      /user or password is wrong/,
      /OCCUPANCY_REDIS_PASSWORD/,
      ...["c", `redis://:falsch@${redis.address}/site`],
    );
    for (const server of [a, b]) server.kill();
    for (const server of [a, b]) {
      const { code, stderr } = await server.ended();
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stderr, /geheim|falsch/);
    }
  },
});

Deno.test({
  name: "a server waits for Redis at its start, and ends in order meanwhile",
  ...needs("redis-server", "mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    await using redis = await RedisServer.start();
    await redis.stop();
    await using patient = start("a", mosquitto.url, redis.url);
    await using ended = start("b", mosquitto.url, redis.url);
    for (const server of [patient, ended]) {
      await server.waitFor(
        /Cannot connect to Redis at 127.*no server is running/,
      );
    }
    ended.kill();
    assert.equal((await ended.ended()).code, 0);
    await redis.restart();
    await patient.waitFor(/Ready/);
    patient.kill();
    assert.equal((await patient.ended()).code, 0);
  },
});
