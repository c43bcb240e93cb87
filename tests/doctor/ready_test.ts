/** Whether the server on this machine is ready, and how far it is behind. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { occupancy } from "../support/processes.ts";
import { freePort } from "../support/temp.ts";
import { checkOptions } from "./run_doctor.ts";

/** Loads the client for MQTT, which needs permissions. */
const load = () => import("../../src/doctor/ready_check.ts");

const WHERE = "127.0.0.1:8080";

Deno.test({
  name: "judgeReadiness() names each reason of a server that is not ready",
  ...needs(),
  fn: async () => {
    const { judgeReadiness } = await load();
    const judged = (status: number, body: unknown) =>
      judgeReadiness(WHERE, status, body).map(({ status, message }) =>
        `${status}: ${message}`
      );
    assert.deepEqual(judged(200, { status: "ready" }), [
      `ok: The server on ${WHERE} is ready`,
    ]);
    const reasons = [
      { code: "behind", message: "This server is 9 s behind" },
      { code: "starting", message: "The map is not loaded yet" },
    ];
    assert.deepEqual(judged(503, { code: "not-ready", reasons }), [
      `warning: The server on ${WHERE} is not ready: This server is 9 s behind`,
      `warning: The server on ${WHERE} is not ready: The map is not loaded yet`,
    ]);
    for (
      const body of [null, [], "ready", {}, { reasons: "none" }, {
        reasons: [null],
      }, 1]
    ) {
      assert.deepEqual(judged(503, body), [], "of another program");
    }
    assert.deepEqual(judged(200, { status: "fine" }), []);
  },
});

Deno.test({
  name: "doctor asks the server on this machine whether it is ready",
  ...needs(),
  fn: async () => {
    await using server = occupancy([
      ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"],
      ...["--store", "memory:"],
    ]);
    const [, port] = await server.waitFor(/Dashboard at http:\S+:(\d+)\//);
    await server.waitFor(/Ready/);
    const { readyCheck } = await load();
    const { CheckContext } = await import("../../src/doctor/mod.ts");
    const run = async (http: { host: string; port: number } | false) =>
      (await readyCheck.run(new CheckContext(checkOptions({ http })))).map((
        { status, message },
      ) => `${status}: ${message}`);
    const host = "127.0.0.1";
    assert.deepEqual(await run({ host, port: Number(port) }), [
      `ok: The server on 127.0.0.1:${port} is ready`,
    ]);
    assert.deepEqual(await run({ host, port: freePort() }), []);
    assert.deepEqual(await run(false), []);
    server.kill();
    assert.equal((await server.ended()).code, 0);
  },
});
