/** The doctor's check of Redis, with real servers that have bad settings. */
import assert from "node:assert/strict";
import type { CheckOptions } from "../../src/doctor/check_context.ts";
import { MASTER_JUDGES } from "../../src/doctor/redis_findings.ts";
import { needs } from "../support/needs.ts";
import {
  RedisServer,
  startCluster,
  startReplicated,
} from "../support/redis.ts";
import { checkOptions, diagnose } from "./run_doctor.ts";

type RedisOptions = NonNullable<CheckOptions["redis"]>;

/** Returns the findings about Redis, as `status: message`. */
async function findings(
  store: string,
  redis: Partial<RedisOptions> = {},
): Promise<string[]> {
  const { CheckContext } = await import("../../src/doctor/mod.ts");
  const { redisCheck } = await import("../../src/doctor/redis_check.ts");
  const context = new CheckContext(checkOptions({
    store,
    redis: { files: {}, replicas: undefined, shards: undefined, ...redis },
  }));
  const found = await redisCheck.run(context);
  for (const { status, message, hint } of found) {
    assert.ok(status === "ok" || hint !== undefined, message);
    assert.doesNotMatch(`${message} ${hint ?? ""}`, /secret|undefined|NaN/);
  }
  return found.map(({ status, message }) => `${status}: ${message}`);
}

function assertFound(found: string[], expected: readonly RegExp[]): void {
  for (const pattern of expected) {
    assert.ok(
      found.some((line) => pattern.test(line)),
      `${pattern}\n${found.join("\n")}`,
    );
  }
}

/** All keys with their contents. */
async function contentsOf(redis: RedisServer): Promise<string> {
  const keys = (await redis.text("KEYS", "*")).split(",").sort();
  const dumps = keys.map(async (key) =>
    key === "" ? "" : `${key} ${await redis.command("DUMP", key)}`
  );
  return (await Promise.all(dumps)).join("\n");
}

Deno.test({
  name: "doctor finds nothing wrong with replicas, a file, and a memory limit",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await startReplicated(2, {
      args: [
        ...["--appendonly", "yes", "--maxmemory", "100mb"],
        ...["--maxmemory-policy", "noeviction"],
      ],
    });
    const { address } = redis.master;
    const found = await findings(`${redis.url}/site`);
    assert.deepEqual(found.filter((line) => !line.startsWith("ok")), []);
    assertFound(found, [
      /^ok: Redis \d+\.\d+\.\d+ at 127/,
      new RegExp(`^ok: ${address} has 2 replicas, all in sync$`),
      /^ok: .* has an append-only file \(appendfsync everysec\)$/,
      /^ok: .* uses \d+ MiB of 100 MiB \(noeviction\)$/,
      /^ok: The clock of .* differs by \d+ ms/,
      /^ok: The user may do what a server needs$/,
      /^ok: There is no map in redis:.*\/site yet: a server makes it$/,
    ]);
    // It changes nothing.
    assert.equal(await contentsOf(redis.master), "");
    assertFound(await findings(redis.url, { replicas: 3 }), [
      /^error: .* has 2 replicas online, --redis-replicas 3 needs 3/,
    ]);
    await redis.replicas[0]!.kill();
    assertFound(await findings(redis.url), [
      /^warning: .* has 1 replica: after the failure of either/,
    ]);
  },
});

Deno.test({
  name: "doctor names each bad setting of Redis, and what to do",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const { url } = redis;
    assertFound(await findings(url), [
      /^warning: .* has 0 replicas: if its machine fails/,
      /^warning: .* stores nothing on its disk/,
      /^warning: .* has no limit: the system ends it/,
    ]);
    const set = (name: string, value: string) =>
      redis.command("CONFIG", "SET", name, value);
    await set("save", "3600 1");
    await set("maxmemory-policy", "allkeys-lru");
    assertFound(await findings(url), [
      /^warning: .* has no append-only file/,
      /^warning: .* would delete keys .* \(maxmemory-policy allkeys-lru\)/,
    ]);
    await set("appendonly", "yes");
    await set("maxmemory", "100mb");
    assertFound(await findings(url), [
      /^warning: .* writes to its disk once a second and has no replicas/,
      /^error: .* deletes keys when its memory is full/,
    ]);
    await set("appendfsync", "no");
    await set("maxmemory-policy", "noeviction");
    await set("maxmemory", "1100kb");
    assertFound(await findings(url), [
      /^warning: .* leaves it to the system .*\(appendfsync no\)/,
      /^(error: .*: nothing more can be stored|warning: .*: little is left)$/,
    ]);
    await set("appendfsync", "always");
    await set("maxmemory", "100mb");
    const found = await findings(url, { replicas: 0 });
    assertFound(found, [/^ok: .* \(appendfsync always\)$/]);
  },
});

Deno.test({
  name: "doctor checks the login, the rights, and what is stored",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({ password: "secret" });
    const { address } = redis;
    assertFound(await findings(redis.url), [
      /^error: .*: a password is required/,
    ]);
    assertFound(await findings(`redis://:wrong@${address}`), [
      /^error: .*: user or password is wrong/,
    ]);
    const ok = await findings(redis.url, { files: { password: "secret" } });
    assertFound(ok, [/^ok: The user may do what a server needs$/]);
    await redis.command(
      ...["ACL", "SETUSER", "ann", "on", ">secret", "~{occupancy*"],
      ...["+@all", "-xadd", "-hset", "-@dangerous", "+info"],
    );
    const store = `redis://ann:secret@${address}`;
    const before = await contentsOf(redis);
    assertFound(await findings(store), [
      /^error: The user may not send XADD, HSET/,
      /^(unknown|warning): .* (cannot be read|append-only|on its disk)/,
    ]);
    assert.equal(await contentsOf(redis), before);
    // The keys of the shards have other names.
    await redis.command(
      ...["ACL", "SETUSER", "bob", "on", ">secret", "~{occupancy}:*", "+@all"],
    );
    const bob = await findings(`redis://bob:secret@${address}`);
    assertFound(bob, [
      /^error: The user may not send XADD with the key \{occupancy\/0\}:journal, SET with the key \{occupancy\/0\}:lease, HSET with/,
    ]);
    assert.equal(await contentsOf(redis), before);
    // Keys of another prefix.
    assertFound(await findings(`${store}/other`), [/^error: .*NOPERM/]);
    await redis.command(
      "HSET",
      "{occupancy}:meta",
      "format",
      "1",
      "shards",
      "8",
    );
    await redis.command("SADD", "{occupancy}:members", "n", "gone");
    await redis.command("SET", "{occupancy}:member:n", "run");
    const login = `redis://:secret@${address}`;
    assertFound(await findings(login), [
      /^ok: The map in redis:.* has 8 shards; n$/,
      /^ok: A server named n runs/,
    ]);
    assertFound(await findings(login, { shards: 16 }), [
      /^error: The map in .* has 8 shards, not 16$/,
    ]);
    await redis.command("HSET", "{occupancy}:meta", "shards", "257");
    assertFound(await findings(login), [
      /^error: Cannot use redis:.*: its map has 257 shards, which this version/,
    ]);
    await redis.command("HSET", "{occupancy}:meta", "format", "copy");
    assertFound(await findings(login), [/^error: A copy .* is not complete$/]);
    await redis.command("HSET", "{occupancy}:meta", "format", "9\n");
    assertFound(await findings(login), [/^error: .* has format 9\\n, this/]);
  },
});

Deno.test({
  name: "doctor checks all masters of a cluster, and its state",
  ...needs("redis-server", "redis-cli"),
  fn: async () => {
    await using redis = await startCluster({ masters: 3, replicas: 1 });
    const found = await findings(redis.url);
    assertFound(found, [
      /^ok: Redis .*, and so on for 2 more masters$/,
      /^ok: The cluster serves all slots \(6 nodes\)$/,
    ]);
    assert.equal(found.filter((line) => /has 1 replica:/.test(line)).length, 3);
  },
});

Deno.test({
  name:
    "doctor says that Redis does not answer, and takes the server's options",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({ password: "secret" });
    const args = ["--http", "off", "--listen", "127.0.0.1:0", "--store"];
    const found = await diagnose([...args, redis.url, "--shards", "4"], {
      env: { OCCUPANCY_REDIS_PASSWORD: "secret" },
    });
    assert.match(found.of("redis").join("\n"), /^ok: The user may do/m);
    assert.deepEqual(found.of("store"), []);
    await redis.kill();
    const gone = await diagnose([...args, redis.url]);
    assert.equal(gone.code, 1);
    assertFound(gone.of("redis"), [/^error: Cannot connect to Redis at 127/]);
  },
});

Deno.test("Redis 6.2 is too old", () => {
  for (
    const [version, status] of [
      ["6.2.14", "error"],
      ["7.0.0", "ok"],
      ["8.2.1", "ok"],
    ] as const
  ) {
    const finding = MASTER_JUDGES[0]!({
      ...{ address: "redis:6379", settings: new Map() },
      info: new Map([["redis_version", version]]),
      clock: { ahead: 0, uncertainty: 0 },
    }, undefined);
    assert.equal(finding.status, status, version);
  }
});
