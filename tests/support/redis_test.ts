import assert from "node:assert/strict";
import { needs } from "./needs.ts";
import { RedisServer, startCluster, startReplicated } from "./redis.ts";

Deno.test({
  name: "a Redis server is killed, and starts again on its port",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({
      password: "secret",
      args: ["--appendonly", "yes", "--appendfsync", "always"],
    });
    await redis.command("SET", "key", new Uint8Array([0, 255]));
    await redis.kill();
    assert.equal(redis.isRunning, false);
    await redis.restart();
    assert.deepEqual([...await redis.command("GET", "key")], [0, 255]);
  },
});

Deno.test({
  name: "replicas have what their master has",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await startReplicated(2, { password: "secret" });
    await redis.master.command("SET", "key", "value");
    assert.equal(await redis.master.command("WAIT", "2", "10000"), 2);
    assert.equal(await redis.replicas[1]!.info("role"), "slave");
    assert.equal(redis.url.split(",").length, 3);
  },
});

Deno.test({
  name: "a cluster replaces a killed master",
  ...needs("redis-server", "redis-cli"),
  fn: async () => {
    await using redis = await startCluster();
    const master = await redis.masterOf(12_182); // foo
    await master.command("SET", "foo", "1");
    await master.command("WAIT", "1", "10000");
    await master.kill();
    await redis.settled();
    const successor = await redis.masterOf(12_182);
    assert.notEqual(successor, master);
    assert.equal(await successor.text("GET", "foo"), "1");
  },
});
