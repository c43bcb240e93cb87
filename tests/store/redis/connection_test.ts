/** Connections to Redis: commands, errors, logins, TLS, time limits. */
import assert from "node:assert/strict";
import { delay } from "../../../src/common/async.ts";
import type { RedisError } from "../../../src/store/redis/deployment.ts";
import { createCertificates } from "../../support/certificates.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { freePort } from "../../support/temp.ts";
import { assertRejects, KEY, opened } from "./deployments.ts";

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
  name: "what Redis repeats of a command that it does not know is not shown",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({
      args: ["--rename-command", "AUTH", ""],
    });
    const url = redis.url.replace("://", "://user:secret@");
    await assert.rejects(opened(url), (error: RedisError) => {
      assert.match(error.message, /unknown command 'AUTH'$/);
      assert.doesNotMatch(Deno.inspect(error), /secret/);
      return true;
    });
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
