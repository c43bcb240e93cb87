/**
 * Mosquitto's clients and this program's commands against a server with users:
 * logins, rules, certificates, and their reload.
 */
import assert from "node:assert/strict";
import { hashPassword } from "../../../src/broker/access/password.ts";
import { createCertificates } from "../../support/certificates.ts";
import { needs, requireTool } from "../../support/needs.ts";
import {
  type Ended,
  forEachAtOnce,
  occupancy,
  Running,
  runOccupancy,
} from "../../support/processes.ts";
import { freePort, tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";

const VERSIONS = ["mqttv311", "mqttv5"];

/** A line of a users file, with a password that is cheap to check. */
async function user(name: string, role = "user"): Promise<string> {
  const password = new TextEncoder().encode(`${name}-secret`);
  const { text } = await hashPassword(password, { ln: 4, r: 1, p: 1 });
  return `${role} ${name} ${text}\n`;
}

const USERS = [
  await user("alice"),
  `${await user("bob")}  publish home/%u/#\n  subscribe home/#\n`,
  await user("root", "administrator"),
].join("");

interface ClientOptions {
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string;
  readonly version?: string;
}

function clientArgs(
  { port, user, password, version = "mqttv5" }: ClientOptions,
): string[] {
  const login = user === undefined
    ? []
    : ["-u", user, "-P", password ?? `${user}-secret`];
  return ["-h", "localhost", "-p", `${port}`, "-V", version, ...login];
}

async function publish(
  options: ClientOptions,
  topic: string,
  message: string,
  ...more: string[]
): Promise<Ended> {
  const args = [...clientArgs(options), "-q", "1", "-t", topic, "-m", message];
  await using running = new Running(requireTool("mosquitto_pub"), [
    ...args,
    ...more,
  ]);
  return await running.ended();
}

/** Starts a subscriber; it prints topics and messages. */
function subscribe(options: ClientOptions, ...more: string[]): Running {
  const program = requireTool("mosquitto_sub");
  // Into a pipe it would write whole blocks.
  return new Running("stdbuf", [
    ...["-oL", program, ...clientArgs(options)],
    ...["-d", "-q", "1", "-v", ...more],
  ]);
}

/** Waits until a subscriber has its SUBACK. */
async function subscribed(running: Running): Promise<void> {
  const output = () => running.stdout + running.stderr;
  await until(() => /Subscribed \(mid/.test(output()), { what: output });
}

/** Waits for a text on standard output. */
async function shows(running: Running, text: string): Promise<void> {
  await until(() => running.stdout.includes(text), {
    what: () => `${text} in ${running.stdout}${running.stderr}`,
  });
}

async function startServer(
  ...args: string[]
): Promise<{ server: Running; port: number }> {
  const server = occupancy([
    ...["server", "--listen", "127.0.0.1:0", ...args],
  ]);
  const [, port] = await server.waitFor(/embedded broker on \S+:(\d+)/);
  await server.waitFor(/Ready/);
  return { server, port: Number(port) };
}

Deno.test({
  name: "logins of Mosquitto's clients are accepted or refused",
  ...needs("mosquitto_pub"),
  fn: async () => {
    await using folder = await tempDir();
    const users = await folder.file("users", USERS);
    await Deno.chmod(users, 0o600);
    const { server, port } = await startServer("--users", users);
    await using _ = server;
    await forEachAtOnce(VERSIONS, async (version) => {
      const as = (user?: string, password?: string) => ({
        ...{ port, version, user },
        ...(password !== undefined && { password }),
      });
      const topic = "occupancy/data";
      const right = await publish(as("alice"), topic, "1,1,1");
      assert.equal(right.code, 0, right.stderr);
      const refused: [ClientOptions, RegExp, string[]][] = [
        [as("alice", "wrong"), /not authori[sz]ed|bad user/i, []],
        [as("mallory"), /not authori[sz]ed|bad user/i, []],
        [as(), /not authori[sz]ed/i, []],
        [as("root"), /identifier/i, ["-i", "occupancy-server"]],
      ];
      for (const [options, reason, more] of refused) {
        const { code, stderr } = await publish(
          options,
          topic,
          "1,1,1",
          ...more,
        );
        assert.notEqual(code, 0, `${options.user} ${version}`);
        assert.match(stderr, reason);
      }
    });
    await server.waitFor(
      /Refused the login of the user "(alice|mallory)" from 127\.0\.0\.1: wrong user name or password/,
    );
    assert.ok(!server.stderr.includes("-secret"), "no password in the log");
    assert.doesNotMatch(server.stderr, /All users of this machine can read/);
  },
});

Deno.test({
  name: "rules decide what Mosquitto's clients publish and receive",
  ...needs("mosquitto_pub"),
  fn: async () => {
    await using folder = await tempDir();
    const users = await folder.file("users", USERS);
    const { server, port } = await startServer("--users", users);
    await using _ = server;
    await server.waitFor(/All users of this machine can read the hashes/);
    await publish({ port, user: "root" }, "home/kept", "kept", "--retain");
    // A will is published under the rules of its client.
    for (const topic of ["occupancy/response/will", "home/alice/will"]) {
      await using one = subscribe(
        { port, user: "alice" },
        ...["-t", "occupancy/server/state", "--will-topic", topic],
        ...["--will-payload", "denied", "--will-retain", "-k", "5"],
      );
      await shows(one, "occupancy/server/state");
      one.kill("SIGKILL");
    }
    const clients = ["alice", "bob", "root"].map((user) =>
      subscribe({ port, user }, "-t", "#", "-t", "$SYS/#")
    );
    const [alice, bob, root] = clients as [Running, Running, Running];
    await using stack = new AsyncDisposableStack();
    for (const client of clients) stack.use(client);
    for (const client of clients) await subscribed(client);
    const published: [string, string, string][] = [
      ["root", "home/lamp", "on"],
      ["bob", "home/bob/lamp", "on"],
      ["bob", "home/alice/lamp", "denied"],
      ["bob", "occupancy/data", "5,5,1"],
      ["alice", "home/alice/lamp", "denied"],
      ["root", "occupancy/response/x", "forged"],
      ["root", "occupancy/changes", "forged"],
      ["root", "occupancy/server/state", "forged"],
      ["root", "occupancy/zone/lobby", "forged"],
      ["alice", "occupancy/data", "1,2,3"],
    ];
    for (const [user, topic, message] of published) {
      const { code } = await publish({ port, user }, topic, message);
      const v4 = { port, user, version: "mqttv311" };
      assert.equal((await publish(v4, topic, message)).code, 0, topic);
      assert.ok(code === 0 || message !== "on", `${user} ${topic}`);
    }
    await publish({ port, user: "root" }, "home/end", "end");
    await shows(root, "home/end end");
    await shows(bob, "home/end end");
    await shows(alice, "occupancy/changes");
    for (const { stdout } of clients) {
      assert.doesNotMatch(stdout, /denied|forged/);
    }
    assert.match(root.stdout, /^occupancy\/data 1,2,3$/m);
    assert.match(root.stdout, /^home\/lamp on$/m);
    assert.match(bob.stdout, /^home\/lamp on$/m);
    assert.match(bob.stdout, /^home\/kept kept$/m);
    assert.match(bob.stdout, /^home\/bob\/lamp on$/m);
    assert.doesNotMatch(bob.stdout, /^(occupancy\/|\$SYS\/)/m);
    assert.doesNotMatch(alice.stdout, /^(home\/|\$SYS\/|occupancy\/data)/m);
    const answer = await runOccupancy(
      ["request", "--broker", `mqtt://127.0.0.1:${port}`, "--user", "alice"],
      { env: { OCCUPANCY_PASSWORD: "alice-secret" } },
    );
    assert.match(answer.stdout, /^1\t2\t3\t/m, answer.stderr);
    assert.doesNotMatch(answer.stdout, /^5\t5/m);
  },
});

Deno.test({
  name: "a subscription of which nothing may be read is refused",
  ...needs("mosquitto_pub"),
  fn: async () => {
    await using folder = await tempDir();
    const users = await folder.file(
      "users",
      "anonymous\n  publish #\n  subscribe #\n  deny subscribe no/#\n",
    );
    const { server, port } = await startServer(
      ...["--users", users, "--allow-anonymous"],
    );
    await using _ = server;
    for (const version of VERSIONS) {
      await using refused = subscribe({ port, version }, "-t", "no/x");
      const { stdout, stderr } = await refused.ended();
      assert.match(stdout + stderr, /All subscription requests were denied/);
      await using some = subscribe({ port, version }, "-t", "+/x");
      await subscribed(some);
      await publish({ port }, "no/x", "hidden");
      await publish({ port }, "yes/x", "seen");
      await shows(some, "yes/x seen");
      assert.doesNotMatch(some.stdout, /hidden/);
    }
  },
});

Deno.test({
  name: "SIGHUP applies new rules at once and disconnects removed users",
  ...needs("mosquitto_pub"),
  fn: async () => {
    await using folder = await tempDir();
    const users = await folder.file("users", USERS);
    const { server, port } = await startServer("--users", users);
    await using _ = server;
    await using alice = subscribe(
      { port, user: "alice" },
      "-t",
      "home/#",
      "-t",
      "occupancy/#",
    );
    await using bob = subscribe({ port, user: "bob" }, "-t", "home/#");
    for (const client of [alice, bob]) await subscribed(client);
    await Deno.writeTextFile(users, "user alice\nuser alice\n");
    server.kill("SIGHUP");
    await server.waitFor(
      /Cannot reload the users, the old one stays in use: Cannot use \S+users:2: the user alice is in line 1 already/,
    );
    assert.equal(
      (await publish({ port, user: "root" }, "home/x", "before")).code,
      0,
    );
    await shows(bob, "home/x before");
    await Deno.writeTextFile(
      users,
      USERS.replace(/^user bob .*\n.*\n.*\n/m, "")
        .replace(/^(user alice .*)$/m, "$1\n  subscribe occupancy/#"),
    );
    server.kill("SIGHUP");
    await server.waitFor(/Reloaded the users from \S+users/);
    await until(() =>
      /disconnect|Session taken|error|closed|lost/i.test(
        bob.stdout.replace(/^.*home.*$/gm, "") + bob.stderr,
      ), { what: () => `the end of bob: ${bob.stdout}${bob.stderr}` });
    assert.notEqual(
      (await publish({ port, user: "bob" }, "home/bob/x", "x")).code,
      0,
    );
    await publish({ port, user: "root" }, "occupancy/data", "3,3,3");
    await shows(alice, "occupancy/data 3,3,3");
    assert.doesNotMatch(alice.stdout, /^home\//m);
  },
});

Deno.test({
  name: "client certificates name their user, and are required",
  ...needs("mosquitto_pub", "openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { path } = certificates;
    const ca = await certificates.createAuthority("ca");
    await certificates.createAuthority("other");
    const own = await certificates.create("broker", { authority: "ca" });
    const sign = (name: string, authority = "ca", days = 2) =>
      certificates.create(name, { authority, days });
    const sensor = await sign("sensor-17");
    const unknown = await sign("unknown");
    const foreign = await sign("root", "other");
    const expired = await sign("expired", "ca", -1);
    const users = `${path}/users`;
    await Deno.writeTextFile(
      users,
      `user sensor-17\n  publish occupancy/data/%u\nuser expired\n${await user(
        "root",
        "administrator",
      )}`,
    );
    const port = freePort();
    const { server } = await startServer(
      ...["--users", users, "--listen-tls", `127.0.0.1:${port}`],
      ...["--tls-cert", own.cert, "--tls-key", own.key],
      ...["--tls-client-ca", ca.cert],
    );
    await using _ = server;
    const send = (
      files: { cert: string; key: string } | undefined,
      topic = "occupancy/data/sensor-17",
      more: string[] = [],
    ) =>
      publish(
        { port },
        topic,
        "1,1,1",
        "--cafile",
        ca.cert,
        ...more,
        ...files ? ["--cert", files.cert, "--key", files.key] : [],
      );
    const right = await send(sensor);
    assert.equal(right.code, 0, right.stderr);
    const other = await send(sensor, "occupancy/data/other");
    assert.match(other.stderr + other.stdout, /not authori[sz]ed|^$/i);
    for (const files of [undefined, unknown, foreign, expired]) {
      const { code, stderr } = await send(files);
      assert.notEqual(code, 0, `${files?.cert} ${stderr}`);
    }
    // A password counts more than the name in the certificate.
    const asRoot = ["-u", "root", "-P", "root-secret"];
    assert.equal((await send(unknown, "occupancy/data/x", asRoot)).code, 0);

    // A new authority and a new certificate apply to new connections.
    await certificates.createAuthority("ca");
    await certificates.create("broker", { authority: "ca" });
    server.kill("SIGHUP");
    await server.waitFor(/Reloaded the certificate of the broker from \S+/);
    assert.notEqual((await send(sensor)).code, 0, "of the old authority");
    const renewed = await sign("sensor-17");
    const again = await send(renewed);
    assert.equal(again.code, 0, again.stderr);

    // Files that do not belong together change nothing.
    await Deno.copyFile(renewed.key, own.key);
    server.kill("SIGHUP");
    await server.waitFor(
      /Cannot reload the certificate of the broker, the old one stays in use: .*does not belong/,
    );
    assert.equal((await send(renewed)).code, 0);
  },
});

Deno.test({
  name: "all commands log in with a user and over TLS",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { path } = certificates;
    const { cert, key } = await certificates.create("broker");
    await Deno.writeTextFile(`${path}/users`, USERS);
    await Deno.writeTextFile(`${path}/readings.csv`, "1,2,1\n");
    const ports = { tls: freePort(), wss: freePort() };
    const { server } = await startServer(
      ...["--users", `${path}/users`, "--tls-cert", cert, "--tls-key", key],
      ...["--listen-tls", `127.0.0.1:${ports.tls}`],
      ...["--listen-wss", `127.0.0.1:${ports.wss}`],
    );
    await using _ = server;
    for (
      const url of [
        `mqtts://localhost:${ports.tls}`,
        `wss://localhost:${ports.wss}`,
      ]
    ) {
      const access = ["--broker", url, "--ca", cert, "--user", "alice"];
      const env = { OCCUPANCY_PASSWORD: "alice-secret" };
      await forEachAtOnce([
        ["client", `${path}/readings.csv`],
        ["request"],
        ["simulate", "--duration", "100ms"],
      ], async ([name, ...args]) => {
        const ended = await runOccupancy([name!, ...args, ...access], { env });
        assert.equal(ended.code, 0, ended.stderr);
      });
      const wrong = await runOccupancy(["request", ...access], {
        env: { OCCUPANCY_PASSWORD: "wrong" },
      });
      assert.equal(wrong.code, 4, wrong.stderr);
    }
  },
});
