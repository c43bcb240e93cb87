/** `occupancy server` with its HTTP options, as a process. */
import assert from "node:assert/strict";
import { needs } from "../../../support/needs.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import {
  DENO_RUN,
  occupancy,
  ROOT,
  Running,
  runOccupancy,
} from "../../../support/processes.ts";
import { freePort, tempDir } from "../../../support/temp.ts";
import { until } from "../../../support/until.ts";
import { EventReader } from "../../../http/event_reader.ts";
import { SMALL_PNG } from "../../../http/plans_fixture.ts";

const SERVER = ["server", "--listen", "127.0.0.1:0"];

async function urlOf(server: ReturnType<typeof occupancy>): Promise<string> {
  return (await server.waitFor(/Dashboard at (http:\/\/\S+)\/ /))[1]!;
}

Deno.test({
  name:
    "server logs the dashboard's address, serves HTTP there, and ends cleanly",
  ...needs(),
  fn: async () => {
    await using server = occupancy([...SERVER, "--http", "127.0.0.1:0"]);
    const url = await urlOf(server);
    await server.waitFor(/Ready/);
    const posted = await fetch(`${url}/api/v1/readings`, {
      method: "POST",
      body: "1,2,3",
    });
    assert.equal((await posted.json()).accepted, 1);
    await using events = new EventReader(await fetch(`${url}/api/v1/changes`));
    await events.next();
    server.kill("SIGTERM");
    assert.equal(await events.next(), undefined);
    const { code } = await server.ended(5000);
    assert.equal(code, 0);
  },
});

Deno.test({
  name: "server without a token listens on loopback addresses only",
  ...needs(),
  fn: async () => {
    for (
      const at of ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "host.example:80"]
    ) {
      const { code, stderr } = await runOccupancy([...SERVER, "--http", at]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, /other machines can reach it/);
      assert.match(stderr, /hint: .*--http-token-file/);
    }
  },
});

Deno.test({
  name: "server with a token listens on all addresses, and requires it",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const secret = "0123456789abcdef0123456789abcdef";
    const file = await folder.file("token", `${secret}\n`);
    await using server = occupancy([
      ...SERVER,
      "--http",
      "0.0.0.0:0",
      "--http-token-file",
      file,
    ]);
    const { port } = new URL(await urlOf(server));
    await server.waitFor(/Ready/);
    const url = `http://127.0.0.1:${port}/api/v1/layers`;
    const without = await fetch(url);
    assert.equal(without.status, 401);
    await without.body?.cancel();
    const authorization = `Bearer ${secret}`;
    const authorized = await fetch(url, { headers: { authorization } });
    assert.equal(authorized.status, 200);
    await authorized.body?.cancel();
    assert.ok(!server.stderr.includes(secret));
  },
});

Deno.test({
  name: "server warns of a token file that other users can read",
  ignore: needs().ignore || Deno.build.os === "windows",
  fn: async () => {
    await using folder = await tempDir();
    const file = await folder.file("token", "0123456789abcdef0123456789\n");
    for (const [mode, warns] of [[0o644, true], [0o640, false]] as const) {
      await Deno.chmod(file, mode);
      await using server = occupancy([
        ...[...SERVER, "--http", "127.0.0.1:0", "--http-token-file", file],
      ]);
      await server.waitFor(/Ready/);
      assert.equal(
        /Warning: All users of this machine can read the token in \S+token\. Protect it: chmod 600 /
          .test(server.stderr),
        warns,
        server.stderr,
      );
    }
  },
});

Deno.test({
  name:
    "server warns of a configuration file with a password that other users can read",
  ignore: needs().ignore || Deno.build.os === "windows",
  fn: async () => {
    await using folder = await tempDir();
    const port = freePort();
    for (
      const [login, mode, warns] of [
        ["me:s3cret@", 0o644, true],
        ["me:s3cret@", 0o600, false],
        ["", 0o644, false],
      ] as const
    ) {
      const file = await folder.file(
        "occupancy.toml",
        `broker = "mqtt://${login}127.0.0.1:${port}"\n`,
      );
      await Deno.chmod(file, mode);
      const { stderr } = await runOccupancy(["server", "--config", file]);
      assert.equal(
        /Warning: All users of this machine can read the password of the broker in \S+occupancy\.toml/
          .test(stderr),
        warns,
        stderr,
      );
    }
  },
});

Deno.test({
  name: "server rejects bad files with a hint",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const short = await folder.file("short", "1234\n");
    const long = await folder.file("long", "1234567890abcdef\n");
    const map = await folder.file(
      "maps.json",
      '{"layers":{"a":{"image":"b.png"}}}',
    );
    const svg = await folder.file(
      "svg.json",
      '{"layers":{"a":{"image":"b.svg"}}}',
    );
    await folder.file("b.svg", '<svg xmlns="http://www.w3.org/2000/svg"/>');
    for (
      const [args, exitCode, message] of [
        [
          ["--http-token-file", short],
          2,
          /at least 16 .*\n {2}hint: .*openssl/,
        ],
        [["--http-token-file", `${short}x`], 1, /No such file: .*\n {2}hint: /],
        [
          ["--map-file", map],
          1,
          /No such file: .*b\.png\n {2}hint: .*relative to its folder/,
        ],
        [
          ["--map-file", `${map}x`],
          1,
          /No such file: .*maps\.jsonx\n {2}hint: .*relative to the current/,
        ],
        [
          ["--http-token-file", long, "--http", "203.0.113.9:0"],
          1,
          /Cannot listen on 203\.0\.113\.9:0: this machine does not have/,
        ],
        [["--map-file", svg], 2, /svg\.json: Layer a: .*\n {2}hint: /],
        [["--http", "8080"], 2, /HOST:PORT, such as 127\.0\.0\.1:8080/],
      ] as const
    ) {
      const { code, stderr } = await runOccupancy([
        ...SERVER,
        ...((args as readonly string[]).includes("--http")
          ? []
          : ["--http", "127.0.0.1:0"]),
        ...args,
      ]);
      assert.equal(code, exitCode, stderr);
      assert.match(stderr, message);
    }
  },
});

Deno.test({
  name: "server serves the floor plans of --map-file",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("ground.png", SMALL_PNG);
    const map = await folder.file(
      "maps.json",
      '{"layers":{"default":{"title":"Ground","image":"ground.png"}}}',
    );
    await using server = occupancy([
      ...SERVER,
      "--http",
      "127.0.0.1:0",
      "--map-file",
      map,
    ]);
    const url = await urlOf(server);
    const response = await fetch(`${url}/api/v1/plans`);
    const { plans } = await response.json();
    assert.equal(plans[0].title, "Ground");
    const image = await fetch(new URL(plans[0].image.url, response.url));
    assert.deepEqual(new Uint8Array(await image.arrayBuffer()), SMALL_PNG);
  },
});

Deno.test({
  name:
    "server fails if the port of --http is in use, and runs without the default one",
  ...needs(),
  fn: async () => {
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = other.addr as Deno.NetAddr;
    const { code, stderr } = await runOccupancy([
      ...SERVER,
      "--http",
      `127.0.0.1:${port}`,
    ]);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /Cannot listen on .*: in use/);
    assert.match(stderr, /hint: Choose another port with --http/);

    using usual = listenOn8080(); // fails if another program listens there
    // Other tests set OCCUPANCY_HTTP=off; here the default is tested.
    await using server = new Running("env", [
      "-u",
      "OCCUPANCY_HTTP",
      Deno.execPath(),
      ...DENO_RUN,
      "--allow-all",
      `${ROOT}main.ts`,
      ...SERVER,
    ]);
    await server.waitFor(
      /No HTTP: Cannot listen on 127\.0\.0\.1:8080: in use/,
    );
    await server.waitFor(/Ready/);
    assert.ok(usual !== null);
  },
});

Deno.test({
  name: "readyz reports when the broker is lost, and when it is back",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    await using server = occupancy([
      "server",
      "--broker",
      broker.url,
      "--http",
      "127.0.0.1:0",
    ]);
    const url = await urlOf(server);
    const status = async () => {
      const response = await fetch(`${url}/readyz`);
      return { ...await response.json(), status: response.status };
    };
    await until(async () => (await status()).status === 200);
    await broker.kill();
    const down = await until(async () => {
      const now = await status();
      return now.status === 503 && now;
    });
    assert.equal(down.reasons[0].code, "broker-down");
    assert.equal(
      (await (await fetch(`${url}/healthz`)).json()).status,
      "alive",
    );
    // Readings over HTTP are still accepted.
    const posted = await fetch(`${url}/api/v1/readings`, {
      method: "POST",
      body: "7,7,7",
    });
    assert.equal((await posted.json()).accepted, 1);
    await broker.start();
    await until(async () => (await status()).status === 200, {
      deadline: 20_000,
    });
  },
});

function listenOn8080(): Disposable {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port: 8080 });
  } catch {
    return { [Symbol.dispose]: () => {} };
  }
}
