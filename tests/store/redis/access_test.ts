/**
 * Servers and commands with the rights that docs/SECURITY.md gives their user of
 * Redis, over TLS, with the permissions of the launcher.
 */
import assert from "node:assert/strict";
import { delay } from "../../../src/common/async.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openDeployment } from "../../../src/store/redis/connect.ts";
import { Keys } from "../../../src/store/redis/keys.ts";
import { createCertificates } from "../../support/certificates.ts";
import { documentedBlock } from "../../support/documented_settings.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { needs } from "../../support/needs.ts";
import { occupancy, ROOT, runOccupancy } from "../../support/processes.ts";
import { randomIntegers } from "../../support/random.ts";
import { RedisServer, startCluster } from "../../support/redis.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
import { readingsEntry } from "../support.ts";
import { isTrimmed } from "./journal_model.ts";
import { assertSameMaps, openMember } from "./redis_members.ts";

const T0 = 1_700_000_000_000;
const PASSWORD = "correct-horse/@:%";

/** The words of ACL SETUSER for the documented user, with its password. */
async function documentedUser(): Promise<string[]> {
  const line = (await documentedBlock("SECURITY.md", "redis")).trim();
  assert.match(line, /^user occupancy on >SECRET /);
  return line.replace("SECRET", PASSWORD).split(" ").slice(1);
}

Deno.test({
  name: "servers work with the rights and the password of docs/SECURITY.md",
  ...needs("redis-server", "mosquitto", "openssl"),
  fn: async () => {
    const user = await documentedUser();
    await using folder = await tempDir();
    await using certificates = await createCertificates();
    const { cert: ca } = await certificates.createAuthority("authority");
    const server = await certificates.create("redis", {
      authority: "authority",
    });
    await using redis = await RedisServer.start({
      password: "of-the-administrator",
      tls: { ca, ...server },
      config: await folder.file(
        "redis.conf",
        `save ""\nuser ${user.join(" ")}\n`,
      ),
    });
    await using mosquitto = await startMosquitto();
    const secret = await folder.file("secret", `${PASSWORD}\n`);
    await Deno.chmod(secret, 0o600);
    const readings = await folder.file("readings.csv", "x,y,value\n1,2,3\n");
    const store = redis.url.replace("://", "://occupancy@");
    const access = ["--redis-ca", ca, "--redis-password-file", secret];
    const broker = ["--broker", mosquitto.url];
    const start = async (name: string) => {
      const running = occupancy([
        ...["server", "--name", name, "--store", store, ...access, ...broker],
        // Each takes messages of its own.
        ...["--prefix", `of-${name}`, "--verbose"],
      ]);
      await running.waitFor(/Ready/);
      return running;
    };
    const outputs: string[] = [];
    const run = async (args: string[]) => {
      const ended = await runOccupancy(args);
      outputs.push(ended.stdout, ended.stderr);
      assert.equal(ended.code, 0, ended.stderr);
      return ended.stdout;
    };
    {
      await using first = await start("first");
      await using second = await start("second");
      await run(["client", ...broker, "--prefix", "of-first", readings]);
      assert.match(
        await run(["request", ...broker, "--prefix", "of-second"]),
        /1\t2\t3\t/,
      );
      await run([
        ...["doctor", "--name", "third", "--store", store, ...access],
        ...[...broker, "--no-http"],
      ]);
      for (const one of [first, second]) {
        one.kill();
        outputs.push((await one.ended()).stderr);
      }
    }
    // It restores the map, from checkpoints if there are some.
    await using third = await start("third");
    await until(async () =>
      /1\t2\t3\t/.test(
        await run(["request", ...broker, "--prefix", "of-third"]),
      )
    );
    third.kill();
    outputs.push((await third.ended()).stderr);
    const copy = `sqlite:${folder.path}/copy.db`;
    await run(["store", "copy", store, copy, ...access]);
    await run(["store", "copy", copy, store, "--force", ...access]);
    const denied = await redis.command("ACL", "LOG");
    assert.deepEqual(denied.map(String), []);
    for (const output of outputs) {
      assert.doesNotMatch(output, /correct-horse|NOPERM/);
    }
  },
});

Deno.test({
  name: "the same rights write checkpoints, trim journals and load from both",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    await redis.command("ACL", "SETUSER", ...await documentedUser());
    const login = `occupancy:${encodeURIComponent(PASSWORD)}`;
    const url = redis.url.replace("://", `://${login}@`);
    await using writer = await openMember(url, { name: "writer" });
    const shard = writer.map.shardOf("hall");
    const journal = `{occupancy/${shard}}:journal`;
    const random = randomIntegers(1);
    await until(async () => {
      const rows = Array.from(
        { length: 20_000 },
        () => [random(100), random(100), random(3)] as const,
      );
      await writer.store.commit([readingsEntry(T0, rows, "hall")]);
      return await isTrimmed(redis, journal);
    }, { changed: () => delay(100) });
    await using reader = await openMember(url, { name: "reader" });
    await assertSameMaps([writer, reader]);
    assert.deepEqual((await redis.command("ACL", "LOG")).map(String), []);
  },
});

Deno.test({
  name: "the same rights find the masters of a cluster",
  ...needs("redis-server", "redis-cli"),
  fn: async () => {
    await using redis = await startCluster();
    const user = await documentedUser();
    for (const server of redis.servers) {
      await server.command("ACL", "SETUSER", ...user);
    }
    const url = redis.url.replace("://", "://occupancy@");
    const deployment = await openDeployment(parseRedisAddress(url), {
      password: PASSWORD,
    });
    try {
      const keys = new Keys(deployment.prefix);
      for (const key of [keys.meta, keys.ofShard(7, "journal")]) {
        const node = await deployment.open(key);
        assert.equal(await deployment.replicas(node), 1);
        await node.send(["DEL", key]);
        assert.match(
          String(await node.send(["XADD", key, "*", "k", "*"])),
          /-/,
        );
        assert.equal(await node.send(["WAIT", "1", "10000"]), 1);
        // Keys of others.
        await assert.rejects(node.send(["GET", "occupancy"]), /NOPERM/);
        await assert.rejects(node.send(["FLUSHALL"]), /NOPERM/);
      }
    } finally {
      deployment.close();
    }
  },
});

Deno.test({
  name: "a Sentinel gets the password if it requires one, and few rights do",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({ password: PASSWORD });
    await redis.command("ACL", "SETUSER", ...await documentedUser());
    await using folder = await tempDir();
    const text = await Deno.readTextFile(`${ROOT}docs/SECURITY.md`);
    const rights = /`(\+sentinel\|[^`]+)`/.exec(text)![1]!;
    await using sentinel = await RedisServer.start({
      password: "of-the-administrator",
      args: ["--sentinel"],
      config: await folder.file(
        "sentinel.conf",
        [
          `sentinel monitor main 127.0.0.1 ${redis.port} 1`,
          `sentinel auth-pass main "${PASSWORD}"`,
          `user occupancy on >${PASSWORD} ${rights}`,
          "",
        ].join("\n"),
      ),
    });
    const address = parseRedisAddress(
      `redis+sentinel://occupancy@${sentinel.address}/main`,
    );
    const deployment = await openDeployment(address, { password: PASSWORD });
    try {
      const { address } = await deployment.open("{occupancy}:meta");
      assert.equal(address, redis.address);
    } finally {
      deployment.close();
    }
    assert.deepEqual(
      (await sentinel.command("ACL", "LOG")).map(String).filter((
        line: string,
      ) => !/reason,auth/.test(line)),
      [],
    );
  },
});

Deno.test({
  name: "a wrong password ends the server, which does not print it",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start({ password: "right" });
    for (
      const env of [
        {
          OCCUPANCY_STORE: redis.url,
          OCCUPANCY_REDIS_PASSWORD: "wrong-secret",
        },
        { OCCUPANCY_STORE: redis.url.replace("://", "://me:wrong-secret@") },
      ]
    ) {
      const { code, stdout, stderr } = await runOccupancy(
        ["server", "--broker", "mqtt://127.0.0.1:1"],
        { env },
      );
      assert.equal(code, 1, stderr);
      assert.match(stderr, /user or password is wrong/);
      assert.match(stderr, /--redis-password-file/);
      assert.doesNotMatch(stdout + stderr, /wrong-secret/);
      const config = await runOccupancy(["config", "server"], { env });
      assert.doesNotMatch(config.stdout + config.stderr, /wrong-secret/);
    }
  },
});
