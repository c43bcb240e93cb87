/**
 * Servers and commands with the rights that docs/SECURITY.md gives their user of
 * Redis, over TLS, with the permissions of the launcher.
 */
import assert from "node:assert/strict";
import { createCertificates } from "../../support/certificates.ts";
import { documentedBlock } from "../../support/documented_settings.ts";
import { startMosquitto } from "../../support/mosquitto.ts";
import { needs } from "../../support/needs.ts";
import { occupancy, runOccupancy } from "../../support/processes.ts";
import { RedisServer } from "../../support/redis.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";

const PASSWORD = "correct-horse/@:%";

Deno.test({
  name: "servers work with the rights and the password of docs/SECURITY.md",
  ...needs("redis-server", "mosquitto", "openssl"),
  fn: async () => {
    const line = (await documentedBlock("SECURITY.md", "redis")).trim();
    assert.match(line, />SECRET /);
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
        `save ""\n${line.replace("SECRET", PASSWORD)}\n`,
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
    const denied = await redis.command("ACL", "LOG");
    assert.deepEqual(denied.map(String), []);
    for (const output of outputs) {
      assert.doesNotMatch(output, /correct-horse|NOPERM/);
    }
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
