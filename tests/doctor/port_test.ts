/** The doctor's check of the ports that a server would listen on. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { occupancy } from "../support/processes.ts";
import { freePort } from "../support/temp.ts";
import { checkOptions, diagnose } from "./run_doctor.ts";

Deno.test({
  name:
    "doctor reports a port of another program, and an address of another machine",
  ...needs(),
  fn: async () => {
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = other.addr as Deno.NetAddr;
    const taken = await diagnose([
      ...["--listen", `127.0.0.1:${port}`, "--timeout", "400ms"],
    ]);
    assert.equal(taken.code, 1);
    assert.match(taken.of("port")[0]!, /^error: .* used by another program/);
    const foreign = await diagnose([
      "--listen",
      "192.0.2.1:1883",
      "--timeout",
      "400ms",
    ]);
    assert.equal(foreign.code, 1);
    assert.match(
      foreign.of("port")[0]!,
      /^error: Cannot listen on 192\.0\.2\.1/,
    );
  },
});

Deno.test({
  name: "doctor checks the port of the dashboard, unless it is disabled",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const look = (...args: string[]) =>
      diagnose(["--broker", mosquitto.url, ...args]);
    assert.deepEqual((await look("--no-http")).of("port"), []);
    const free = `127.0.0.1:${freePort()}`;
    assert.deepEqual((await look("--http", free)).of("port"), [
      `ok: ${free} is free for the map over HTTP`,
    ]);
    await using other = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("{}"),
    );
    const taken = `127.0.0.1:${other.addr.port}`;
    const found = await look("--http", taken);
    assert.equal(found.code, 1);
    assert.deepEqual(found.of("port"), [
      `error: ${taken} is used by another program`,
    ]);
    const port = found.lines.find(({ check }) => check === "port");
    assert.match(port!.hint!, /--http HOST:PORT/);
  },
});

Deno.test({
  name: "doctor recognizes the server that uses the port of the dashboard",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const broker = ["--broker", mosquitto.url];
    await using server = occupancy([
      ...["server", ...broker, "--name", "one", "--http", "127.0.0.1:0"],
    ]);
    const [, at] = await server.waitFor(/Dashboard at http:\/\/(\S+)\/ /);
    await server.waitFor(/Ready/);
    const own = await diagnose([...broker, "--http", at!]);
    assert.deepEqual(own.of("port"), [`ok: ${at} is used by one`]);
    const foreign = await diagnose([
      ...[...broker, "--prefix", "elsewhere", "--http", at!],
    ]);
    assert.equal(foreign.code, 1);
    assert.deepEqual(foreign.of("port"), [
      `error: ${at} is used by another occupancy server`,
    ]);
  },
});

Deno.test({
  name: "portCheck only warns if the default port of the dashboard is in use",
  ...needs(),
  fn: async () => {
    const { CheckContext } = await import("../../src/doctor/mod.ts");
    const { portCheck } = await import("../../src/doctor/port_check.ts");
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const context = new CheckContext(checkOptions({
      listen: { host: "127.0.0.1", port: 0 },
      defaultHttp: { host: "127.0.0.1", port },
      timeout: 400,
    }));
    const [, http] = await portCheck.run(context);
    await context.close();
    assert.equal(http!.status, "warning");
    assert.match(http!.message, /used by .*: a server starts without the map/);
  },
});
