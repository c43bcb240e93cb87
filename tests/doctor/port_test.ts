/** What the doctor says of the ports that a server would listen on. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { occupancy } from "../support/processes.ts";
import { freePort } from "../support/temp.ts";
import { diagnose } from "./run_doctor.ts";

Deno.test({
  name:
    "doctor tells a port that another program has, and one that cannot be had",
  ...needs(),
  fn: async () => {
    using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = other.addr as Deno.NetAddr;
    const taken = await diagnose([
      ...["--listen", `127.0.0.1:${port}`, "--timeout", "400ms"],
    ]);
    assert.equal(taken.code, 1);
    assert.match(taken.of("port")[0]!, /^wrong: .* in use by another program/);
    const foreign = await diagnose([
      "--listen",
      "192.0.2.1:1883",
      "--timeout",
      "400ms",
    ]);
    assert.equal(foreign.code, 1);
    assert.match(
      foreign.of("port")[0]!,
      /^wrong: Cannot listen on 192\.0\.2\.1/,
    );
  },
});

Deno.test({
  name: "doctor looks at the port of the dashboard, if there is to be one",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const look = (...args: string[]) =>
      diagnose(["--broker", mosquitto.url, ...args]);
    assert.deepEqual((await look("--no-http")).of("port"), []);
    const free = `127.0.0.1:${freePort()}`;
    assert.deepEqual((await look("--http", free)).of("port"), [
      `right: ${free} is free for the map over HTTP`,
    ]);
    await using other = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response("{}"),
    );
    const taken = `127.0.0.1:${other.addr.port}`;
    const found = await look("--http", taken);
    assert.equal(found.code, 1);
    assert.deepEqual(found.of("port"), [
      `wrong: ${taken} is in use by another program`,
    ]);
    const port = found.lines.find(({ check }) => check === "port");
    assert.match(port!.hint!, /--http HOST:PORT/);
  },
});

Deno.test({
  name: "doctor knows the server that shows the map on the port it asks for",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const broker = ["--broker", mosquitto.url];
    await using server = occupancy([
      ...["server", ...broker, "--name", "one", "--http", "127.0.0.1:0"],
    ]);
    const [, at] = await server.said(/Dashboard at http:\/\/(\S+)\/ /);
    await server.said(/Ready/);
    const own = await diagnose([...broker, "--http", at!]);
    assert.deepEqual(own.of("port"), [`right: ${at} is held by one`]);
    const foreign = await diagnose([
      ...[...broker, "--prefix", "elsewhere", "--http", at!],
    ]);
    assert.equal(foreign.code, 1);
    assert.deepEqual(foreign.of("port"), [
      `wrong: ${at} is held by another occupancy server`,
    ]);
  },
});

Deno.test({
  name:
    "portCheck warns of the usual port of the dashboard: a server does without",
  ...needs(),
  fn: async () => {
    const { Examination } = await import("../../src/doctor/mod.ts");
    const { portCheck } = await import("../../src/doctor/port_check.ts");
    const { Topics } = await import("../../src/protocol/mod.ts");
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const examination = new Examination({
      listen: { host: "127.0.0.1", port: 0 },
      usual: { url: "mqtt://127.0.0.1:1" },
      usualListen: { host: "127.0.0.1", port: 0 },
      usualHttp: { host: "127.0.0.1", port },
      topics: new Topics(),
      name: "n",
      subscriptions: [],
      store: "memory:",
      sessionExpiry: 60,
      maxSkew: 1000,
      queue: 1,
      timeout: 400,
    });
    const [, http] = await portCheck.run(examination);
    await examination.close();
    assert.equal(http!.status, "warning");
    assert.match(http!.message, /in use .*: a server does without the map/);
  },
});
