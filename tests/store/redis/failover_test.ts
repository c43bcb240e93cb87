/** The masters of Redis are found, also after failures. */
import assert from "node:assert/strict";
import {
  type Deployment,
  RedisError,
  type RedisNode,
} from "../../../src/store/redis/deployment.ts";
import { keySlot } from "../../../src/store/redis/key_slot.ts";
import { needs } from "../../support/needs.ts";
import {
  RedisServer,
  startCluster,
  startReplicated,
  waitForReplicas,
} from "../../support/redis.ts";
import { freePort, tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
import { assertRejects, KEY, opened } from "./deployments.ts";

/** Opens the master of a key as soon as there is one. */
async function reopened(deployment: Deployment): Promise<RedisNode> {
  return await until(async () => {
    try {
      return await deployment.open(KEY);
    } catch (error) {
      assert(error instanceof RedisError, String(error));
      assert.match(error.kind, /connection|elsewhere/, error.message);
      deployment.changed();
      return undefined;
    }
  });
}

Deno.test({
  name: "a replica is left for its master, also after a failover by hand",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await startReplicated(2);
    const { master, replicas: [first, second] } = redis;
    using deployment = await opened(redis.url);
    // It knows one replica only.
    using narrow = await opened(first!.url);
    assert.equal(deployment.kind, "single");
    for (const one of [deployment, narrow]) {
      const node = await one.open(KEY);
      assert.equal(node.address, master.address);
      assert.equal(await one.replicas(node), 2);
    }
    await first!.command("REPLICAOF", "NO", "ONE");
    await second!.command("REPLICAOF", "127.0.0.1", `${first!.port}`);
    await master.kill();
    await waitForReplicas(first!, 1);
    for (const one of [deployment, narrow]) {
      const node = await one.open(KEY);
      assert.equal(node.address, first!.address);
      assert.equal(await one.replicas(node), 1);
    }
    // The former master comes back as a master: nothing changes.
    await master.restart();
    deployment.changed();
    assert.equal((await deployment.open(KEY)).address, first!.address);
    using newcomer = await opened(redis.url);
    assert.equal((await newcomer.open(KEY)).address, first!.address);
    // Without the replica it cannot be known which one has the newer data.
    await second!.kill();
    await until(async () => await first!.info("connected_slaves") === "0");
    newcomer.changed();
    assert.equal((await newcomer.open(KEY)).address, first!.address);
    using guessing = await opened(`${master.url},${first!.address}`);
    await assertRejects(
      guessing.open(KEY),
      "refused",
      /are both masters/,
      /replicaof/,
    );
    // The same server under two names is one master.
    using twice = await opened(`${first!.url},localhost:${first!.port}`);
    assert.equal((await twice.open(KEY)).address, first!.address);
  },
});

Deno.test({
  name: "a replica without its master is no master",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await startReplicated(1);
    using deployment = await opened(redis.url);
    await redis.master.kill();
    await assertRejects(
      deployment.open(KEY),
      "connection",
      /is a replica, and its master .* cannot be used/,
      /replicaof no one/,
    );
  },
});

Deno.test({
  name: "each key of a cluster has its master, and a killed one a successor",
  ...needs("redis-server", "redis-cli"),
  fn: async () => {
    await using redis = await startCluster();
    const master = await redis.masterOf(keySlot(KEY));
    // A replica of another master. The other nodes are found out.
    let named = master;
    for (const server of redis.servers) {
      const port = await server.info("master_port"); // empty for a master
      if (port !== "" && port !== `${master.port}`) named = server;
    }
    using deployment = await opened(named.url);
    assert.equal(deployment.kind, "cluster");
    const seen = new Set<string>();
    let otherKey = "";
    for (let shard = 0; shard < 16; shard++) {
      const key = `{occupancy/${shard}}:journal`;
      const node = await deployment.open(key);
      assert.match(String(await node.send(["XADD", key, "*", "a", "1"])), /-/);
      assert.equal(await deployment.replicas(node), 1);
      seen.add(node.address);
      if (node.address !== master.address) otherKey = key;
      node.close();
    }
    assert.equal(seen.size, 3);
    const node = await deployment.open(KEY);
    assert.equal(await node.send(["WAIT", "1", "10000"]), 1);
    await assertRejects(
      node.send(["GET", otherKey]),
      "elsewhere",
      /another node has the key/,
    );
    await named.kill();
    await master.kill();
    await assertRejects(
      node.send(["XLEN", KEY]),
      "connection",
      /closed the connection/,
    );
    const successor = await reopened(deployment);
    assert.notEqual(successor.address, master.address);
    assert.equal(await successor.send(["XLEN", KEY]), 1);
  },
});

Deno.test({
  name: "a cluster without a slot is asked again until a node has it",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({
      args: ["--cluster-enabled", "yes", "--cluster-port", `${freePort()}`],
    });
    using deployment = await opened(redis.url);
    await assertRejects(
      deployment.open(KEY),
      "elsewhere",
      /No node of the Redis Cluster has slot/,
      /cluster check/,
    );
    await redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
    assert.equal((await deployment.open(KEY)).address, redis.address);
  },
});

Deno.test({
  name: "a frozen master of a cluster gets a successor, and comes back",
  ...needs("redis-server", "redis-cli"),
  fn: async () => {
    await using redis = await startCluster();
    using deployment = await opened(redis.url, { connectTimeout: 500 });
    const master = await redis.masterOf(keySlot(KEY));
    const node = await deployment.open(KEY);
    await node.send(["SET", KEY, "1"]);
    await node.send(["WAIT", "1", "10000"]);
    master.freeze();
    await assertRejects(node.send(["GET", KEY], 300), "connection", /within/);
    const successor = await reopened(deployment);
    assert.notEqual(successor.address, master.address);
    assert.equal(String(await successor.send(["GET", KEY])), "1");
    master.thaw();
    await until(async () => await master.info("role") === "slave");
    deployment.changed();
    assert.equal((await deployment.open(KEY)).address, successor.address);
  },
});

Deno.test({
  name: "Sentinels name the master, and its successor",
  ...needs("redis-server"),
  fn: async () => {
    const login = { password: "secret" };
    await using redis = await startReplicated(2, login);
    await using folder = await tempDir();
    const sentinels: RedisServer[] = [];
    await using _all = {
      [Symbol.asyncDispose]: async () => {
        for (const one of sentinels) await one[Symbol.asyncDispose]();
      },
    };
    for (let i = 0; i < 3; i++) {
      const config = await folder.file(
        `sentinel${i}.conf`,
        [
          "bind 127.0.0.1",
          `sentinel monitor main 127.0.0.1 ${redis.master.port} 2`,
          "sentinel auth-pass main secret",
          "sentinel down-after-milliseconds main 1000",
          "sentinel failover-timeout main 5000",
          "",
        ].join("\n"),
      );
      sentinels.push(await RedisServer.start({ config, args: ["--sentinel"] }));
    }
    const hosts = sentinels.map(({ address }) => address).join(",");
    const url = `redis+sentinel://${hosts}/main/site`;
    using deployment = await opened(url, login);
    assert.deepEqual(
      [deployment.kind, deployment.prefix, deployment.description],
      ["sentinel", "site", url],
    );
    const { address } = await deployment.open(KEY);
    assert.equal(address, redis.master.address);
    using unknown = await opened(`redis+sentinel://${hosts}/other`);
    await assertRejects(unknown.open(KEY), "other", /no master "other"/);
    await assertRejects(
      opened(sentinels[0]!.url),
      "other",
      /A Sentinel listens at/,
      /redis\+sentinel:/,
    );
    await until(async () =>
      /slaves=2,sentinels=3/.test(await sentinels[0]!.text("INFO", "sentinel"))
    );
    await sentinels[0]!.kill();
    await redis.master.kill();
    const successor = await reopened(deployment);
    assert.notEqual(successor.address, address);
    assert.equal(await successor.send(["SET", KEY, "1"]), "OK");
  },
});
