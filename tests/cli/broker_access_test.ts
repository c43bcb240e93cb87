/**
 * Logins and client certificates of all commands that connect to a broker, with
 * a real Mosquitto.
 */
import assert from "node:assert/strict";
import { assertFailure } from "../support/assert_failure.ts";
import { createCertificates } from "../support/certificates.ts";
import { type Mosquitto, startMosquitto } from "../support/mosquitto.ts";
import { needs, requireTool } from "../support/needs.ts";
import {
  type Ended,
  forEachAtOnce,
  occupancy,
  ROOT,
  Running,
  runOccupancy,
} from "../support/processes.ts";
import { freePort, tempDir } from "../support/temp.ts";
import { until } from "../support/until.ts";

const USER = "hall";
/** Each character that has a meaning in an address. */
const PASSWORD = "s3cret: 5%0@/?#é";
const LOGIN = { OCCUPANCY_USER: USER, OCCUPANCY_PASSWORD: PASSWORD };

/** Starts a broker that requires the login. */
async function startWithLogin(folder: string): Promise<Mosquitto> {
  const passwords = `${folder}/passwords`;
  const program = requireTool("mosquitto_passwd");
  await using hashing = new Running(program, [
    ...["-c", "-b", passwords, USER, PASSWORD],
  ]);
  assert.equal((await hashing.ended()).code, 0);
  return await startMosquitto(
    // As root, it changes to a user that may not read the test's files.
    ["user root", `password_file ${passwords}`],
    { anonymous: false },
  );
}

/** The command line of a process, as other users see it. */
async function commandLineOf(pid: number): Promise<string> {
  return await Deno.readTextFile(`/proc/${pid}/cmdline`);
}

function assertSecret({ stdout, stderr }: Pick<Ended, "stdout" | "stderr">) {
  assert.doesNotMatch(stdout + stderr, /s3cret/);
}

Deno.test({
  name:
    "a login comes from variables, a file, the configuration or the address, and is never printed",
  ...needs("mosquitto", "mosquitto_pub"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startWithLogin(folder.path);
    const { url } = broker;
    await using server = occupancy(["server", "--broker", url, "-v"], {
      env: LOGIN,
    });
    await server.waitFor(/Ready/);
    if (Deno.build.os === "linux") {
      assert.doesNotMatch(await commandLineOf(server.pid), /s3cret/);
    }
    const file = await folder.file("password", `${PASSWORD}\n`);
    await Deno.chmod(file, 0o600);
    const config = await folder.file(
      "occupancy.toml",
      `user = '${USER}'\npassword = '${PASSWORD}'\n`,
    );
    const encoded = encodeURIComponent(PASSWORD);
    const withUser = url.replace("//", `//${USER}@`);
    const ways: { args: string[]; env?: Record<string, string> }[] = [
      { args: ["-b", url], env: LOGIN },
      { args: ["-b", url, "--user", USER, "--password-file", file] },
      { args: ["-b", withUser, "--password-file", file] },
      { args: ["-b", withUser], env: { OCCUPANCY_PASSWORD: PASSWORD } },
      { args: ["-b", url, "--config", config] },
      { args: ["-b", url.replace("//", `//${USER}:${encoded}@`)] },
      // The login of the address, and the stronger source, win.
      {
        args: ["-b", url.replace("//", `//${USER}:${encoded}@`)],
        env: { OCCUPANCY_USER: "other", OCCUPANCY_PASSWORD: "s3cret-2" },
      },
      {
        args: ["-b", url, "--user", USER, "--password-file", file],
        env: { OCCUPANCY_USER: "other", OCCUPANCY_PASSWORD: "s3cret-2" },
      },
    ];
    await forEachAtOnce(ways, async ({ args, env = {} }) => {
      const ended = await runOccupancy(["request", "-v", ...args], { env });
      assert.equal(ended.code, 0, ended.stderr);
      assertSecret(ended);
    });
    const input = `${ROOT}client1.json`;
    const commands = [
      ["client", "--file", input, "-b", url],
      ["simulate", "--duration", "100ms", "-b", url],
      ["doctor", "-b", url],
    ];
    await forEachAtOnce(commands, async (args) => {
      const ended = await runOccupancy(args, { env: LOGIN });
      assert.doesNotMatch(ended.stderr, /not authorized|refused/);
      assert.ok(ended.code < 2, `${args[0]}: ${ended.stderr}`);
      assertSecret(ended);
    });
    server.kill();
    assertSecret(await server.ended());
  },
});

Deno.test({
  name: "a wrong login: exit 4, the same hint for each source, no password",
  ...needs("mosquitto", "mosquitto_pub"),
  fn: async () => {
    await using folder = await tempDir();
    await using broker = await startWithLogin(folder.path);
    const file = await folder.file("password", "s3cret-2");
    await Deno.chmod(file, 0o600);
    const { url } = broker;
    const cases: [args: string[], env: Record<string, string>, hint: RegExp][] =
      [
        [["-b", url], {}, /--user and --password-file/],
        [["-b", url, "--user", USER, "--password-file", file], {}, /^Check/],
        [["-b", url], { ...LOGIN, OCCUPANCY_PASSWORD: "s3cret-2" }, /^Check/],
        [["-b", url.replace("//", "//hall:s3cret-2@")], {}, /^Check/],
      ];
    await forEachAtOnce(cases, async ([args, env, hint]) => {
      const ended = await runOccupancy(["request", ...args], { env });
      assertFailure(ended, 4, /not authorized/, hint);
      assertSecret(ended);
    });
  },
});

Deno.test({
  name: "config masks the password of each source",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    const config = await folder.file("occupancy.toml", "password = 's3cret'\n");
    for (const json of [[], ["--json"]]) {
      const ways = [
        { args: ["config", ...json, "request"], env: LOGIN },
        { args: ["config", ...json, "request", "--config", config] },
      ];
      for (const { args, ...options } of ways) {
        const ended = await runOccupancy(args, options);
        assert.match(ended.stdout, /password.*\*\*\*/);
        assertSecret(ended);
      }
    }
  },
});

Deno.test({
  name: "a password is no option of the command line: exit 2 and what to do",
  ...needs(),
  fn: async () => {
    await forEachAtOnce([
      ["request", "--password", "s3cret"],
      ["server", "--password=s3cret"],
      ["client", "-P", "s3cret"],
    ], async (args) => {
      const ended = await runOccupancy(args);
      assertFailure(
        ended,
        2,
        /Unknown option: -/,
        /can see a command line.*--password-file FILE.*OCCUPANCY_PASSWORD/,
      );
      assertSecret(ended);
    });
  },
});

Deno.test({
  name: "access that cannot work: exit 2 and a hint before connecting",
  ...needs("openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { path } = certificates;
    const { cert, key } = await certificates.create("one");
    const { key: other } = await certificates.create("two");
    const encrypted = `${path}/encrypted.key`;
    await using openssl = new Running(requireTool("openssl"), [
      ...["pkcs8", "-topk8", "-in", key, "-passout", "pass:abc"],
      ...["-out", encrypted],
    ]);
    assert.equal((await openssl.ended()).code, 0);
    const empty = `${path}/empty`;
    const lines = `${path}/lines`;
    await Deno.writeTextFile(empty, "\n");
    await Deno.writeTextFile(lines, "s3cret\ns3cret\n");
    const tls = ["-b", "mqtts://127.0.0.1:1"];
    const plain = ["-b", "mqtt://127.0.0.1:1"];
    const cases: [args: string[], message: RegExp, hint: RegExp][] = [
      [[...plain, "--cert", cert, "--key", key], /--cert with mqtt:/, /mqtts/],
      [[...plain, "--insecure"], /--insecure with mqtt:/, /mqtts:/],
      [["-b", "ws://127.0.0.1:1", "--insecure"], /with ws:/, /wss:/],
      [["--insecure"], /--insecure without --broker/, /mqtts:/],
      [[...tls, "--insecure", "--ca", cert], /--insecure with --ca/, /Remove/],
      [[...tls, "--cert", cert], /--cert without --key/, /--key FILE/],
      [[...tls, "--key", key], /--key without --cert/, /--cert FILE/],
      [[...tls, "--cert", key, "--key", key], /is not a certificate/, /PEM/],
      [[...tls, "--cert", cert, "--key", cert], /is not a private key/, /PEM/],
      [
        [...tls, "--cert", cert, "--key", encrypted],
        /encrypted\.key is encrypted/,
        /openssl pkey -in/,
      ],
      [
        [...tls, "--cert", cert, "--key", other],
        /two\.key does not belong to the certificate in \S+one\.pem/,
        /Use the key/,
      ],
      [[...plain, "--password-file", empty], /it is empty/, /alone/],
      [[...plain, "--password-file", lines], /more than one line/, /alone/],
      [[...plain, "--password-file", `${path}/no`], /No such file/, /path/],
      [[...plain, "--password-file", other], /more than one line/, /alone/],
      [["-b", "mqtt://:s3cret@127.0.0.1:1"], /without a user/, /--user/],
    ];
    await forEachAtOnce(cases, async ([args, message, hint]) => {
      const ended = await runOccupancy(["request", ...args]);
      const code = /No such file/.test(message.source) ? 1 : 2;
      assertFailure(ended, code, message, hint);
      assertSecret(ended);
    });
    const ended = await runOccupancy(["request", ...plain], {
      env: { OCCUPANCY_PASSWORD: PASSWORD },
    });
    assertFailure(ended, 2, /a password without a user/, /OCCUPANCY_USER/);
    for (const command of ["server", "doctor", "simulate"]) {
      const ended = await runOccupancy([command, ...tls, "--cert", cert]);
      assertFailure(ended, 2, /--cert without --key/, /--key FILE/);
    }
  },
});

Deno.test({
  name: "server --listen needs no access to another broker",
  ...needs(),
  fn: async () => {
    const listen = ["server", "--listen", "127.0.0.1:0"];
    await using server = occupancy(listen, {
      env: { ...LOGIN, OCCUPANCY_CA: "ca.pem", OCCUPANCY_CERT: "me.pem" },
    });
    await server.waitFor(/Ready/);
    const options = [["--user", "ann"], ["--insecure"], ["--cert", "me.pem"]];
    await forEachAtOnce(options, async (option) =>
      assertFailure(
        await runOccupancy([...listen, ...option]),
        2,
        new RegExp(`Cannot use --listen with ${option[0]}`),
        /--broker to connect to another/,
      ));
  },
});

Deno.test({
  name:
    "commands use a client certificate, and warn of --insecure and of readable secrets each time",
  ...needs("mosquitto", "openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { path } = certificates;
    const ca = await certificates.createAuthority("ca");
    const own = await certificates.create("broker", { authority: "ca" });
    const me = await certificates.create("me", { authority: "ca" });
    const port = freePort();
    await using _broker = await startMosquitto([
      `listener ${port} 127.0.0.1`,
      `certfile ${own.cert}`,
      `keyfile ${own.key}`,
      `cafile ${ca.cert}`,
      "require_certificate true",
      "use_identity_as_username true",
    ]);
    const url = `mqtts://localhost:${port}`;
    const pair = ["--cert", me.cert, "--key", me.key];
    const readable = new RegExp(
      `Warning: All users of this machine can read the private key in ${me.key}\\.`,
    );
    const insecure =
      /Warning: The certificate of the broker is not checked \(--insecure\)/;

    await using server = occupancy([
      ...["server", "--broker", url, "--insecure", ...pair],
    ]);
    await server.waitFor(/Ready/);
    assert.match(server.stderr, insecure);
    assert.match(server.stderr, readable);

    await Deno.chmod(me.key, 0o600);
    const request = (args: string[]) =>
      runOccupancy(["request", "--broker", url, ...args]);
    const checked = await request(["--ca", ca.cert, ...pair]);
    assert.equal(checked.code, 0, checked.stderr);
    assert.doesNotMatch(checked.stderr, /Warning/);
    const unchecked = await request(["--insecure", ...pair]);
    assert.equal(unchecked.code, 0, unchecked.stderr);
    assert.match(unchecked.stderr, insecure);

    assertFailure(
      await request(["--ca", ca.cert]),
      4,
      /requires a client certificate/,
      /--cert FILE --key FILE/,
    );
    const all = ["--ca", ca.cert, ...pair];
    const file = `${path}/readings.csv`;
    await Deno.writeTextFile(file, "1,2,1\n");
    await forEachAtOnce([
      ["client", file, "-b", url, ...all],
      ["simulate", "--duration", "100ms", "-b", url, ...all],
    ], async (args) => {
      const { code, stderr } = await runOccupancy(args);
      assert.equal(code, 0, stderr);
    });
    const { stdout } = await runOccupancy(["doctor", "-b", url, ...all]);
    assert.match(stdout, /Connected to|mqtts:/);
    assert.doesNotMatch(stdout, /Cannot connect/);
  },
});

Deno.test({
  name: "server reads certificate, key and password again at SIGHUP",
  ...needs("mosquitto", "mosquitto_pub", "openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { path } = certificates;
    const setUp = async () => {
      await certificates.createAuthority("ca");
      await certificates.create("broker", { authority: "ca" });
      await certificates.create("me", { authority: "ca" });
      await Deno.chmod(`${path}/me.key`, 0o600);
    };
    const setPassword = async (password: string) => {
      const program = requireTool("mosquitto_passwd");
      const args = ["-c", "-b", `${path}/passwords`, USER, password];
      await using hashing = new Running(program, args);
      assert.equal((await hashing.ended()).code, 0);
      await Deno.writeTextFile(`${path}/password`, password);
      await Deno.chmod(`${path}/password`, 0o600);
    };
    await setUp();
    await setPassword("first-s3cret");
    const ports = { mqtts: freePort(), wss: freePort() };
    await using broker = await startMosquitto([
      "user root",
      `password_file ${path}/passwords`,
      ...Object.entries(ports).flatMap(([scheme, port]) => [
        `listener ${port} 127.0.0.1`,
        `certfile ${path}/broker.pem`,
        `keyfile ${path}/broker.key`,
        `cafile ${path}/ca.pem`,
        "require_certificate true",
        ...(scheme === "wss" ? ["protocol websockets"] : []),
      ]),
    ], { anonymous: false });
    const start = async (scheme: keyof typeof ports) => {
      const server = occupancy([
        ...["server", "--broker", `${scheme}://localhost:${ports[scheme]}`],
        ...["--name", scheme, "--prefix", scheme],
        ...["--ca", `${path}/ca.pem`],
        ...["--cert", `${path}/me.pem`, "--key", `${path}/me.key`],
        ...["--user", USER, "--password-file", `${path}/password`],
      ]);
      await server.waitFor(/Ready/);
      return server;
    };
    await using one = await start("mqtts");
    await using two = await start("wss");
    const servers = [one, two];

    await broker.kill();
    const key = await Deno.readTextFile(`${path}/me.key`);
    await setUp();
    await setPassword("second-s3cret");
    await broker.start();
    const next = await Deno.readTextFile(`${path}/me.key`);
    await Deno.writeTextFile(`${path}/me.key`, key);
    for (const server of servers) {
      await server.waitFor(/Disconnected from the broker/);
      server.kill("SIGHUP");
      await server.waitFor(
        /Cannot reload the client certificate, the old one stays in use: .*me\.key does not belong/,
      );
    }
    await Deno.writeTextFile(`${path}/me.key`, next);
    for (const server of servers) {
      server.kill("SIGHUP");
      await server.waitFor(/Reloaded the client certificate from \S+me\.pem/);
      await until(() =>
        server.stderr.includes("Reloaded the password from ") &&
        server.stderr.includes("Reloaded the certificate authority from ")
      );
      await server.waitFor(/Reloaded the client[^]*Reconnected to/);
      assert.doesNotMatch(server.stderr, /s3cret/);
    }
  },
});
