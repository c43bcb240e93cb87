import assert from "node:assert/strict";
import { delay } from "../../../src/common/async.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import {
  type DeploymentOptions,
  openDeployment,
} from "../../../src/store/redis/connect.ts";
import {
  type Deployment,
  RedisError,
  type RedisErrorKind,
  type RedisNode,
} from "../../../src/store/redis/deployment.ts";
import { keySlot } from "../../../src/store/redis/key_slot.ts";
import { createCertificates } from "../../support/certificates.ts";
import { needs } from "../../support/needs.ts";
import {
  RedisServer,
  startCluster,
  startReplicated,
  waitForReplicas,
} from "../../support/redis.ts";
import { freePort, tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";

const KEY = "{occupancy/3}:journal";

/** Opens a deployment, and closes it at the end of the scope. */
async function opened(
  url: string,
  options?: DeploymentOptions,
): Promise<Deployment & Disposable> {
  const deployment = await openDeployment(parseRedisAddress(url), options);
  return Object.assign(deployment, {
    [Symbol.dispose]: () => deployment.close(),
  });
}

/** Asserts that an error has a kind, a text and a hint, and no password. */
async function assertRejects(
  work: Promise<unknown>,
  kind: RedisErrorKind,
  message: RegExp,
  hint = /./,
): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert(error instanceof RedisError, String(error));
    const { message: text } = error;
    assert.deepEqual([error.kind, message.test(text)], [kind, true], text);
    assert.match(error.hint ?? "", hint);
    assert.doesNotMatch(`${text} ${error.hint}`, /secret/);
    return true;
  });
}

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
  name: "commands are answered in order, with bytes as bytes",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    using deployment = await opened(`${redis.url}/site`);
    assert.deepEqual(
      [deployment.kind, deployment.prefix, deployment.description],
      ["single", "site", `${redis.url}/site`],
    );
    const node = await deployment.open(KEY);
    assert.equal(node.address, redis.address);
    assert.equal(await deployment.replicas(node), 0);
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
    const replies = await Promise.all([
      node.send(["SET", KEY, bytes.subarray(3)]),
      node.send(["GET", KEY]),
      node.send(["GET", "nothing"]),
      node.send(["STRLEN", KEY]),
      node.send(["XADD", "s", "1-1", "d", new Uint8Array([0, 13, 10])]),
      node.send(["XRANGE", "s", "-", "+"]),
    ]);
    assert.deepEqual([replies[0], replies[2], replies[3]], [
      "OK",
      null,
      69_997,
    ]);
    assert.deepEqual(new Uint8Array(replies[1] as Uint8Array), bytes.slice(3));
    const [[id, [name, data]]] = replies[5] as [
      [unknown, [unknown, Uint8Array]],
    ];
    assert.deepEqual([String(id), String(name)], ["1-1", "d"]);
    assert.deepEqual([...data], [0, 13, 10]);
    node.close();
    node.close();
    await assertRejects(node.send(["PING"]), "connection", /is closed/, /^$/);
  },
});

Deno.test({
  name: "an error of Redis has a kind and says what to do",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    using deployment = await opened(redis.url);
    const node = await deployment.open(KEY);
    const set = () => node.send(["SET", KEY, "1"]);
    const script = () =>
      node.send(["EVAL", "return redis.call('SET',KEYS[1],1)", "1", KEY]);
    await node.send(["CONFIG", "SET", "maxmemory", "1"]);
    await assertRejects(set(), "refused", /memory is full/, /maxmemory/);
    await assertRejects(script(), "refused", /memory is full/);
    await node.send(["CONFIG", "SET", "maxmemory", "0"]);
    await node.send(["CONFIG", "SET", "min-replicas-to-write", "1"]);
    await assertRejects(set(), "refused", /too few replicas/, /replicas/);
    await assertRejects(script(), "refused", /too few replicas/);
    await node.send(["CONFIG", "SET", "min-replicas-to-write", "0"]);
    await node.send(["MULTI"]);
    await node.send(["LPUSH", KEY, "1"]);
    await node.send(["INCR", KEY]);
    await assertRejects(node.send(["EXEC"]), "other", /WRONGTYPE/, /prefix/);
    await node.send(["REPLICAOF", "127.0.0.1", `${freePort()}`]);
    await assertRejects(set(), "elsewhere", /is a replica/);
    await assertRejects(node.send(["WAIT", "1", "1"]), "elsewhere", /replica/);
    await node.send(["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    await assertRejects(node.send(["GET", KEY]), "elsewhere", /replica/);
    await node.send(["REPLICAOF", "NO", "ONE"]);
    assert.equal(await set(), "OK");
  },
});

Deno.test({
  name: "a user and a password open Redis, wrong ones do not",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({ password: "secret/@:" });
    await redis.command(
      ...["ACL", "SETUSER", "map", "on", ">secret2", "~{occupancy*", "+info"],
      ...["+get"],
    );
    const { address } = redis;
    await assertRejects(
      opened(redis.url),
      "access",
      /password is required/,
      /OCCUPANCY_REDIS_PASSWORD/,
    );
    await assertRejects(
      opened(redis.url, { password: "secret3" }),
      "access",
      /user or password is wrong/,
    );
    using owner = await opened(redis.url, { password: "secret/@:" });
    await (await owner.open(KEY)).send(["SET", KEY, "1"]);
    // The password of the address comes first.
    using user = await opened(`redis://map:secret2@${address}`, {
      password: "secret3",
    });
    assert.equal(user.description, redis.url);
    const node = await user.open(KEY);
    assert.deepEqual(String(await node.send(["GET", KEY])), "1");
    await assertRejects(
      node.send(["SET", KEY, "2"]),
      "access",
      /no permissions to run the 'set' command/,
      /docs\/SECURITY/,
    );
    await assertRejects(node.send(["GET", "x"]), "access", /one of the keys/);
    await using open = await RedisServer.start();
    await assertRejects(
      opened(open.url, { password: "secret" }),
      "access",
      /it has no password/,
      /Remove the password/,
    );
  },
});

Deno.test({
  name: "TLS checks the certificate of Redis",
  ...needs("redis-server", "openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { cert: ca } = await certificates.createAuthority("authority");
    const server = await certificates.create("redis", {
      authority: "authority",
    });
    const client = await certificates.create("client", {
      authority: "authority",
    });
    await using redis = await RedisServer.start({ tls: { ca, ...server } });
    const pem = Deno.readTextFileSync(ca);
    for (const host of ["127.0.0.1", "localhost"]) {
      using deployment = await opened(`rediss://${host}:${redis.port}`, {
        ca: pem,
      });
      const node = await deployment.open(KEY);
      assert.equal(await node.send(["SET", KEY, "1"]), "OK");
    }
    await assertRejects(
      opened(redis.url),
      "connection",
      /no known authority signed the certificate of Redis/,
      /--redis-ca FILE/,
    );
    await assertRejects(
      opened(redis.url.replace("rediss", "redis")),
      "connection",
      /closed the connection/,
      /rediss:/,
    );
    await redis.command("CONFIG", "SET", "tls-auth-clients", "yes");
    await assertRejects(
      opened(redis.url, { ca: pem }),
      "connection",
      /certificate|closed/,
    );
    using deployment = await opened(redis.url, {
      ca: pem,
      cert: Deno.readTextFileSync(client.cert),
      key: Deno.readTextFileSync(client.key),
    });
    assert.equal(await (await deployment.open(KEY)).send(["PING"]), "PONG");
  },
});

Deno.test({
  name: "a server that is away, full of connections, or none of Redis",
  ...needs("redis-server"),
  fn: async () => {
    const port = freePort();
    await assertRejects(
      opened(`redis://me:secret@127.0.0.1:${port}`),
      "connection",
      new RegExp(`Redis at 127.0.0.1:${port}: no server is running there`),
    );
    await assertRejects(
      opened(`redis://127.0.0.1:${port},127.0.0.1:${freePort()}`),
      "connection",
      /and 1 more server/,
    );
    await assertRejects(
      opened("redis://nothing.invalid"),
      "connection",
      /host not found/,
    );
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const accepted = (async () => {
      const connection = await other.accept();
      await connection.write(new TextEncoder().encode("HTTP/1.1 400 \r\n\r\n"));
      return connection;
    })();
    await assertRejects(
      opened(`redis://127.0.0.1:${(other.addr as Deno.NetAddr).port}`),
      "connection",
      /no answer in the protocol of Redis/,
      /6379/,
    );
    (await accepted).close();
    await using redis = await RedisServer.start({
      args: ["--maxclients", "1"],
    });
    await assertRejects(
      opened(redis.url.replace("redis", "rediss"), { connectTimeout: 300 }),
      "connection",
      /within 300 ms/,
      /expects TLS/,
    );
    using deployment = await opened(redis.url);
    await deployment.open(KEY);
    await assertRejects(
      deployment.open(KEY),
      "refused",
      /too many connections/,
      /maxclients/,
    );
  },
});

Deno.test({
  name: "a reply that waits in the socket of a busy process is no time-out",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    using deployment = await opened(redis.url);
    const node = await deployment.open(KEY);
    const replies = [
      node.send(["PING"], 500),
      node.send(["SETRANGE", KEY, "20000000", "x"], 500),
      node.send(["GET", KEY], 500),
    ];
    await delay(0); // sent
    const end = performance.now() + 1000;
    while (performance.now() < end);
    const [pong, , value] = await Promise.all(replies);
    assert.equal(pong, "PONG");
    assert.equal((value as Uint8Array).length, 20_000_001);
  },
});

Deno.test({
  name: "a frozen server ends in a time-out, and all pending commands fail",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    using deployment = await opened(redis.url, { connectTimeout: 300 });
    const node = await deployment.open(KEY);
    redis.freeze();
    const start = performance.now();
    await Promise.all([
      assertRejects(node.send(["PING"], 200), "connection", /within 200 ms/),
      assertRejects(node.send(["PING"]), "connection", /within 200 ms/),
    ]);
    await assertRejects(node.send(["PING"]), "connection", /within 200 ms/);
    await assertRejects(deployment.open(KEY), "connection", /within 300 ms/);
    await assertRejects(
      opened(redis.url, { connectTimeout: 300, password: "secret" }),
      "connection",
      /within 300 ms/,
    );
    assert(performance.now() - start < 10_000);
    redis.thaw();
    assert.equal(await (await deployment.open(KEY)).send(["PING"]), "PONG");
    const pending = (await deployment.open(KEY)).send(["BLPOP", "none", "0"]);
    deployment.close();
    await assertRejects(pending, "connection", /is closed/, /^$/);
    await assertRejects(deployment.open(KEY), "connection", /closed/, /^$/);
  },
});

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
  ...needs("redis-server"),
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
  ...needs("redis-server"),
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
