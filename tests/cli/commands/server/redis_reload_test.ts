/** SIGHUP: a server reads its password and certificates for Redis again. */
import assert from "node:assert/strict";
import { createCertificates } from "../../../support/certificates.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import { needs } from "../../../support/needs.ts";
import { occupancy } from "../../../support/processes.ts";
import { RedisServer } from "../../../support/redis.ts";
import { tempDir } from "../../../support/temp.ts";
import { until } from "../../../support/until.ts";

const USER = ["ACL", "SETUSER", "bob"];

/** Returns the number of connections of the user bob. */
async function connectionsOf(redis: RedisServer): Promise<number> {
  return (await redis.text("CLIENT", "LIST")).match(/ user=bob /g)?.length ?? 0;
}

async function isReady(url: string): Promise<boolean> {
  const response = await fetch(`${url}readyz`);
  await response.body?.cancel();
  return response.status === 200;
}

Deno.test({
  name: "server uses a new password of Redis after SIGHUP, if Redis accepts it",
  ...needs("mosquitto", "redis-server"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startMosquitto();
    await using redis = await RedisServer.start();
    await redis.command(...USER, "on", ">old", "~*", "&*", "+@all");
    const password = await folder.file("password", "old\n");
    await using server = occupancy([
      ...["server", "--broker", broker.url, "--http", "127.0.0.1:0"],
      ...["--store", `redis://bob@${redis.address}`],
      ...["--redis-password-file", password],
    ]);
    const [, url] = await server.waitFor(/Dashboard at (\S+)/);
    await server.waitFor(/Ready/);

    await folder.file("password", "wrong\n");
    server.kill("SIGHUP");
    await server.waitFor(
      /Cannot reload the access to Redis, the old one stays in use: .*password is wrong/,
    );
    await redis.command("CLIENT", "KILL", "USER", "bob");
    await until(async () => await connectionsOf(redis) > 0);
    await until(() => isReady(url!));

    await Deno.remove(password);
    server.kill("SIGHUP");
    await server.waitFor(/the old one stays in use: No such file: .*password/);

    await redis.command(...USER, "resetpass", ">new");
    await folder.file("password", "new\n");
    server.kill("SIGHUP");
    await server.waitFor(/Reloaded the access to Redis from \S+password\n/);
    await redis.command("CLIENT", "KILL", "USER", "bob");
    await until(async () => await connectionsOf(redis) > 0);
    await until(() => isReady(url!));
    server.kill();
    assert.equal((await server.ended()).code, 0);
  },
});

Deno.test({
  name:
    "server uses a new authority for Redis after SIGHUP, unless it is invalid",
  ...needs("mosquitto", "redis-server", "openssl"),
  fn: async () => {
    await using folder = await tempDir();
    await using certificates = await createCertificates();
    const { cert, key } = await certificates.create("redis");
    const other = await certificates.create("other");
    await using broker = await startMosquitto();
    await using redis = await RedisServer.start({
      tls: { ca: cert, cert, key },
    });
    const ca = await folder.file("ca.pem", await Deno.readTextFile(cert));
    await using server = occupancy([
      ...["server", "--broker", broker.url, "--http", "off"],
      ...["--store", redis.url, "--redis-ca", ca],
    ]);
    await server.waitFor(/Ready/);
    await folder.file("ca.pem", await Deno.readTextFile(other.cert));
    server.kill("SIGHUP");
    await server.waitFor(/Cannot reload the access to Redis.*certificate/);
    await folder.file("ca.pem", "no certificate");
    server.kill("SIGHUP");
    await server.waitFor(/Cannot reload the access to Redis.*PEM/);
    await folder.file("ca.pem", await Deno.readTextFile(cert));
    server.kill("SIGHUP");
    await server.waitFor(/Reloaded the access to Redis from \S+ca\.pem\n/);
    server.kill();
    assert.equal((await server.ended()).code, 0);
  },
});
