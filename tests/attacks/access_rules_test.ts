/** A real Mosquitto with the settings and rules of docs/SECURITY.md. */
import assert from "node:assert/strict";
import { documentedBlock } from "../support/documented_settings.ts";
import { requireTool } from "../support/needs.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { occupancy, Running, runOccupancy } from "../support/processes.ts";
import { freePort, tempDir } from "../support/temp.ts";

const USERS = ["server", "sensor", "viewer"];

/** Returns the first block of a language in docs/SECURITY.md. */
const documented = (language: string) =>
  documentedBlock("SECURITY.md", language);

/**
 * Returns the documented settings without TLS, and without the first listener,
 * which every test has.
 */
async function settings(
  port: number,
  files: { readonly acl: string; readonly passwords: string },
): Promise<string[]> {
  const lines = (await documented("conf")).split("\n")
    .filter((line) => !/^(#|$|certfile|keyfile|allow_anon)/.test(line))
    .map((line) =>
      line.replace(/^password_file .*/, `password_file ${files.passwords}`)
        .replace(/^acl_file .*/, `acl_file ${files.acl}`)
        .replace(/^listener 8883$/, `listener ${port} 127.0.0.1`)
    )
    .filter((line) => line !== "listener 1883 127.0.0.1");
  assert.equal(lines.length, 4, lines.join("\n"));
  // As root, it changes to a user that may not read the test's files.
  return ["user root", ...lines];
}

Deno.test({
  name:
    "the access rules of docs/SECURITY.md: a sensor's user cannot forge messages of the server, or take its client id",
  ...needs("mosquitto", "mosquitto_pub"),
  fn: async () => {
    const { Connection } = await import("../../src/mqtt/connection.ts");
    const { LinkError } = await import("../../src/mqtt/link.ts");
    await using folder = await tempDir();
    const acl = await folder.file("acl", await documented("text"));
    const passwords = await folder.file(
      "passwd",
      USERS.map((user) => `${user}:secret-${user}\n`).join(""),
    );
    const program = requireTool("mosquitto_passwd");
    await using hashing = new Running(program, ["-U", passwords]);
    assert.equal((await hashing.ended()).code, 0);
    const port = freePort();
    await using broker = await startMosquitto(
      await settings(port, { acl, passwords }),
      { anonymous: false },
    );
    const urlFor = (user: string, at: number) =>
      `mqtt://${user}:secret-${user}@127.0.0.1:${at}`;
    await using server = occupancy([
      ...["server", "--broker", urlFor("server", broker.port)],
    ]);
    await server.waitFor(/Ready/);

    // A stranger with the server's client id: the broker uses its user name.
    const link = new Connection({
      url: urlFor("sensor", port),
      clientId: "occupancy-server",
    });
    await link.open({ message: () => {} });
    const publish = (topic: string, payload: string, retain = false) =>
      link.publish(topic, new TextEncoder().encode(payload), {
        qos: 1,
        retain,
      });
    await publish("occupancy/data", "1,2,3");
    const forged = '{"state":"offline","name":"occupancy-server"}';
    for (
      const topic of [
        ...["occupancy/server/state", "occupancy/response"],
        ...[
          "occupancy/response/x",
          "occupancy/changes",
          "occupancy/source/x/event",
        ],
        ...["occupancy/errors", "occupancy/server/barrier/occupancy-server"],
      ]
    ) {
      await assert.rejects(
        publish(topic, forged, true),
        (error) => error instanceof LinkError && error.code === "refused",
        topic,
      );
    }
    for (const at of [broker.port, port]) {
      const { code, stdout, stderr } = await runOccupancy([
        ...["request", "--broker", urlFor("viewer", at), "--json"],
      ]);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /\[1,2,3,/);
    }
    await link.close();
    server.kill();
    const { code, stderr } = await server.ended();
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /Warning/);
  },
});
