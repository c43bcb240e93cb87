/**
 * SIGHUP: a server without a terminal reloads its files, one in a terminal
 * ends.
 */
import assert from "node:assert/strict";
import { SMALL_PNG } from "../../../http/plans_fixture.ts";
import { createCertificates } from "../../../support/certificates.ts";
import { startMosquitto } from "../../../support/mosquitto.ts";
import { needs } from "../../../support/needs.ts";
import { occupancy } from "../../../support/processes.ts";
import { freePort, tempDir } from "../../../support/temp.ts";
import { TerminalSession } from "../../terminal_session.ts";

const SERVER = ["server", "--listen", "127.0.0.1:0", "--store", "memory:"];
const OLD_TOKEN = "0123456789abcdef-old";
const NEW_TOKEN = "0123456789abcdef-new";

async function statusWith(url: string, token: string): Promise<number> {
  const response = await fetch(`${url}api/v1/layers`, {
    headers: { authorization: `Bearer ${token}` },
  });
  await response.body?.cancel();
  return response.status;
}

async function planTitle(url: string, token: string): Promise<string> {
  const response = await fetch(`${url}api/v1/plans`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return (await response.json()).plans[0].title;
}

const mapOf = (title: string) =>
  JSON.stringify({ layers: { default: { title, image: "floor.png" } } });

Deno.test({
  name: "server without a terminal reloads token and floor plans at SIGHUP",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("floor.png", SMALL_PNG);
    const token = await folder.file("token", OLD_TOKEN);
    const map = await folder.file("maps.json", mapOf("Old"));
    await using server = occupancy([
      ...[...SERVER, "--http", "127.0.0.1:0"],
      ...["--http-token-file", token, "--map-file", map],
    ]);
    const [, url] = await server.waitFor(/Dashboard at (\S+)/);
    await server.waitFor(/Ready/);
    assert.equal(await statusWith(url!, OLD_TOKEN), 200);

    await folder.file("token", `${NEW_TOKEN}\n`);
    await folder.file("maps.json", mapOf("New"));
    server.kill("SIGHUP");
    await server.waitFor(/Reloaded the access token from \S+token\n/);
    await server.waitFor(/Reloaded the map file from \S+maps\.json\n/);
    assert.equal(await statusWith(url!, OLD_TOKEN), 401);
    assert.equal(await statusWith(url!, NEW_TOKEN), 200);
    assert.equal(await planTitle(url!, NEW_TOKEN), "New");

    server.kill();
    const { code, stderr } = await server.ended();
    assert.equal(code, 0, stderr);
    assert.ok(!stderr.includes(NEW_TOKEN));
  },
});

Deno.test({
  name: "server uses the old files if the new ones are invalid",
  ...needs(),
  fn: async () => {
    await using folder = await tempDir();
    await folder.file("floor.png", SMALL_PNG);
    const token = await folder.file("token", OLD_TOKEN);
    const map = await folder.file("maps.json", mapOf("Old"));
    const config = await folder.file("occupancy.toml", "max-skew = '10s'\n");
    await using server = occupancy([
      ...[...SERVER, "--http", "127.0.0.1:0", "--config", config],
      ...["--http-token-file", token, "--map-file", map],
    ]);
    const [, url] = await server.waitFor(/Dashboard at (\S+)/);
    await server.waitFor(/Ready/);
    await folder.file("token", "short");
    await Deno.remove(`${folder.path}/floor.png`);
    server.kill("SIGHUP");
    await server.waitFor(
      /Error: Cannot reload the access token, the old one stays in use: \S+token: .* \(Create/,
    );
    await server.waitFor(
      /Error: Cannot reload the map file, the old one stays in use: No such file: \S+floor\.png/,
    );
    await server.waitFor(
      /Not reloaded: \S+occupancy\.toml; restart the server/,
    );
    assert.equal(await statusWith(url!, OLD_TOKEN), 200);
    assert.equal(await planTitle(url!, OLD_TOKEN), "Old");
  },
});

Deno.test({
  name: "server without files logs that there are none, and continues",
  ...needs(),
  fn: async () => {
    await using server = occupancy([...SERVER, "--http", "off"]);
    await server.waitFor(/Ready/);
    server.kill("SIGHUP");
    await server.waitFor(/No files to reload/);
    server.kill();
    assert.equal((await server.ended()).code, 0);
  },
});

Deno.test({
  name: "server connects again with the reloaded certificate authority",
  ...needs("mosquitto", "openssl"),
  fn: async () => {
    await using certificates = await createCertificates();
    const { path } = certificates;
    const { cert, key } = await certificates.create("broker");
    const ca = `${path}/ca.pem`;
    await Deno.copyFile(cert, ca);
    const tlsPort = freePort();
    await using broker = await startMosquitto([
      `listener ${tlsPort} 127.0.0.1`,
      `certfile ${cert}`,
      `keyfile ${key}`,
    ]);
    await using server = occupancy([
      ...["server", "--broker", `mqtts://localhost:${tlsPort}`],
      ...["--ca", ca, "--store", "memory:"],
    ]);
    await server.waitFor(/Ready/);

    await broker.kill();
    await certificates.create("broker");
    await broker.start();
    await server.waitFor(/Disconnected from the broker/);
    await Deno.writeTextFile(ca, "not a certificate");
    server.kill("SIGHUP");
    await server.waitFor(/Cannot reload the certificate authority.*PEM format/);
    await Deno.copyFile(cert, ca);
    server.kill("SIGHUP");
    await server.waitFor(/Reloaded the certificate authority from/);
    await server.waitFor(/Reloaded the cert[^]*Reconnected to/);
  },
});

Deno.test({
  name: "server in a terminal ends at SIGHUP",
  ...needs("script"),
  fn: async () => {
    await using server = new TerminalSession(SERVER, { columns: 80, rows: 24 });
    await server.shows(/no errors/);
    Deno.kill(server.pid, "SIGHUP");
    assert.equal(await server.ended(), 0);
    assert.match(server.output, /Shutting down/);
  },
});
