/** Login and client certificate of the library, with a real Mosquitto. */
import assert from "node:assert/strict";
import { createCertificates } from "../support/certificates.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs, requireTool } from "../support/needs.ts";
import { occupancy, Running } from "../support/processes.ts";
import { freePort } from "../support/temp.ts";

Deno.test({
  name: "connect() takes login and certificates apart from the address",
  ...needs("mosquitto", "mosquitto_pub", "openssl"),
  fn: async () => {
    const { connect, LinkError } = await import("../../src/mod.ts");
    await using certificates = await createCertificates();
    const { path } = certificates;
    await certificates.createAuthority("ca");
    await certificates.create("broker", { authority: "ca" });
    await certificates.create("me", { authority: "ca" });
    const program = requireTool("mosquitto_passwd");
    await using hashing = new Running(program, [
      ...["-c", "-b", `${path}/passwords`, "ann", "5% :@"],
    ]);
    assert.equal((await hashing.ended()).code, 0);
    const port = freePort();
    await using broker = await startMosquitto([
      "user root",
      `password_file ${path}/passwords`,
      `listener ${port} 127.0.0.1`,
      `certfile ${path}/broker.pem`,
      `keyfile ${path}/broker.key`,
      `cafile ${path}/ca.pem`,
      "require_certificate true",
    ], { anonymous: false });
    await using server = occupancy(["server", "--broker", broker.url], {
      env: { OCCUPANCY_USER: "ann", OCCUPANCY_PASSWORD: "5% :@" },
    });
    await server.waitFor(/Ready/);
    const read = (name: string) => Deno.readTextFile(`${path}/${name}`);
    const access = {
      broker: `mqtts://localhost:${port}`,
      username: "ann",
      password: "5% :@",
      cert: await read("me.pem"),
      key: await read("me.key"),
    };
    for (const trust of [{ ca: await read("ca.pem") }, { insecure: true }]) {
      await using client = await connect({ ...access, ...trust });
      await client.publish([{ x: 1, y: 2, value: 3 }]);
      assert.equal((await client.request()).get(1, 2)?.value, 3);
    }
    await assert.rejects(
      connect(access),
      (error) => error instanceof LinkError && error.code === "tls",
    );
    await assert.rejects(
      connect({ ...access, insecure: true, password: "s3cret" }),
      (error) =>
        error instanceof LinkError && error.code === "refused" &&
        !`${error.message}${error.hint}`.includes("s3cret"),
    );
  },
});
