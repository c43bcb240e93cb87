/** `occupancy doctor` with brokers of several configurations, and without one. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { occupancy, runOccupancy } from "../support/processes.ts";
import { startSystem } from "../support/system.ts";
import { freePort } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { checkOptions, diagnose } from "./run_doctor.ts";

Deno.test({
  name: "doctor finds no error with Mosquitto, and reports what is unknown",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 0, found.stderr);
    assert.equal(found.stderr, "");
    assert.match(
      found.of("broker")[0]!,
      /^ok: Connected to .* with MQTT 5, mosquitto/,
    );
    assert.match(found.of("limits")[0]!, /^ok: QoS 2, retained messages/);
    assert.match(
      found.of("session")[0]!,
      /^ok: The broker kept the session and its message/,
    );
    assert.match(found.of("session")[1]!, /^unknown: The queue limit, and/);
    assert.match(found.of("topics")[0]!, /^ok: A server may read and write/);
    assert.match(found.of("topics")[1]!, /^unknown: Mosquitto accepts all/);
    assert.deepEqual(found.of("server"), [
      "ok: No server uses the prefix occupancy yet",
    ]);
    assert.match(found.of("clock")[0]!, /^unknown: No server answered/);
    assert.deepEqual(found.of("port"), [], "a server would use no port");
  },
});

Deno.test({
  name: "doctor reports the name and the clock of a running server",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    const found = await diagnose(["--broker", system.url]);
    assert.equal(found.code, 0, found.stderr);
    assert.match(
      found.of("server")[0]!,
      /^ok: server-under-test 0\.0\.0 on/,
    );
    assert.match(
      found.of("clock")[0]!,
      /differs by \d+ ms \(measured with one/,
    );
    assert.equal(
      system.server.stats.refused.size,
      0,
      "the server is unaffected",
    );
    assert.equal(system.map.size, 0);
  },
});

Deno.test({
  name:
    "doctor reports a server's clock that is behind by more than --max-skew",
  ...needs("mosquitto"),
  fn: async () => {
    const clock = () => Date.now() - 120_000;
    await using system = await startSystem("mosquitto", { clock });
    const found = await diagnose(["--broker", system.url]);
    assert.equal(found.code, 1);
    assert.match(
      found.of("clock")[0]!,
      /^error: The server's clock is 1[12]\d\.\d s behind .* refuses readings/,
    );
  },
});

Deno.test({
  name: "doctor recognizes the embedded broker, and the server on its port",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    const found = await diagnose(["--listen", `127.0.0.1:${system.port}`]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(found.of("broker")[0]!, /MQTT 5, the embedded broker/);
    assert.match(found.of("port")[0]!, /^ok: .* used by server-under-test/);
    assert.match(
      found.of("session").join(),
      /kept the session.*1000 by default/,
    );
    assert.match(found.of("topics").join(), /^ok/);
  },
});

Deno.test({
  name: "doctor --queue counts the messages that a broker queues",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["max_queued_messages 25"]);
    const found = await diagnose(
      ["--broker", mosquitto.url, "--queue", "150"],
    );
    assert.equal(found.code, 0, "a warning is not an error");
    // Mosquitto does not count the messages in flight.
    const [, arrived] = /^warning: The broker kept (\d+) of 150 messages/
      .exec(found.of("session")[0]!) ?? [];
    assert.ok(Number(arrived) >= 25 && Number(arrived) < 60, `${arrived}`);
    await using good = await startMosquitto(["max_queued_messages 0"]);
    const better = await diagnose(["--broker", good.url, "--queue", "1500"]);
    assert.deepEqual(better.of("session"), [
      "ok: The broker kept the session and all 1500 messages",
    ]);
  },
});

Deno.test({
  name: "doctor warns of a broker with a low limit for the size of messages",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["max_packet_size 4000"]);
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(
      found.of("limits")[0]!,
      /^warning: .* messages of up to 4000 bytes/,
    );
  },
});

Deno.test({
  name: "doctor reports a broker without retained messages",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["retain_available false"]);
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 1, JSON.stringify(found.lines));
    assert.match(
      found.of("limits").join(),
      /error: .* not allow retained messages/,
    );
  },
});

Deno.test({
  name:
    "doctor exits with 4 if the broker refuses the login, and runs the other checks",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto([], { anonymous: false });
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 4);
    assert.match(
      found.of("broker")[0]!,
      /^error: Cannot connect to .*: not authorized/,
    );
    assert.match(
      found.lines.find(({ check }) => check === "broker")!.hint!,
      /user:password@/,
    );
    assert.deepEqual(found.of("session"), []);
    assert.match(found.of("deno")[0]!, /^ok/);
    assert.match(found.of("store")[0]!, /^warning: The map is in memory/);
  },
});

Deno.test({
  name: "doctor prints no password",
  ...needs(),
  fn: async () => {
    const port = freePort();
    const { stdout, stderr } = await runOccupancy([
      ...["doctor", "--broker", `mqtt://me:s3cret@127.0.0.1:${port}`],
    ]);
    assert.match(stdout, /me:\*\*\*@127/);
    assert.ok(!(stdout + stderr).includes("s3cret"));
  },
});

Deno.test({
  name: "doctor stops waiting for a broker that does not answer",
  ...needs(),
  fn: async () => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = silent.addr as Deno.NetAddr;
    const found = await diagnose([
      ...["--broker", `mqtt://127.0.0.1:${port}`, "--timeout", "400ms"],
    ]);
    assert.equal(found.code, 4);
    assert.match(found.of("broker")[0]!, /^error: .*: no answer in MQTT/);
  },
});

Deno.test({
  name: "doctor without a broker reports what a server would do",
  ...needs(),
  fn: async () => {
    const port = freePort();
    const found = await diagnose(["--listen", `127.0.0.1:${port}`]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(
      found.of("broker")[0]!,
      new RegExp(`start its own broker on 127.0.0.1:${port}`),
    );
    assert.match(found.of("port")[0]!, /^ok: .* is free/);
    for (const check of ["limits", "session", "topics", "server", "clock"]) {
      assert.deepEqual(found.of(check), []);
    }
  },
});

Deno.test({
  name: "doctor reports two servers with one prefix",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const start = (name: string) =>
      occupancy(["server", "--broker", mosquitto.url, "--name", name]);
    await using one = start("one");
    await using two = start("two");
    await Promise.all([one.waitFor(/Ready/), two.waitFor(/Ready/)]);
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 1);
    assert.match(found.of("server")[0]!, /^error: 2 servers answer/);
  },
});

Deno.test({
  name: "CheckContext.close() ends the session that a check created",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["sys_interval 1"]);
    const { CHECKS, CheckContext, runChecks } = await import(
      "../../src/doctor/mod.ts"
    );
    const { ProbeConnection } = await import(
      "../../src/mqtt/probe_connection.ts"
    );
    const context = new CheckContext(
      checkOptions({ broker: { url: mosquitto.url } }),
    );
    const statuses: string[] = [];
    for await (const result of runChecks(CHECKS, context, 5000)) {
      if (result.check === "session") statuses.push(result.status);
    }
    await context.close();
    assert.deepEqual(statuses, ["ok", "unknown"]);
    const again = await ProbeConnection.open({
      url: mosquitto.url,
      clientId: `occupancy-${context.id}-session`,
      sessionExpiry: 1,
      timeout: 5000,
    });
    assert.equal(again.connack.sessionPresent, false);
    await again.close();
  },
});

Deno.test({
  name:
    "CheckContext.close() leaves no session, at whatever moment of the check it is called",
  ...needs("mosquitto"),
  fn: async (test) => {
    await using mosquitto = await startMosquitto();
    const { CheckContext, runChecks } = await import("../../src/doctor/mod.ts");
    const { sessionCheck } = await import("../../src/doctor/session_check.ts");
    const { ProbeConnection } = await import(
      "../../src/mqtt/probe_connection.ts"
    );
    const moments = ["before", "during", "after"] as const;
    for (const count of [1, 2]) {
      for (const moment of moments) {
        await test.step(`${moment} connection ${count}`, async () => {
          let closed = Promise.resolve();
          let connections = 0;
          class Interrupted extends CheckContext {
            override async connect(
              ...args: Parameters<InstanceType<typeof CheckContext>["connect"]>
            ) {
              const isMoment = args[0] === "session" && ++connections === count;
              if (!isMoment) return await super.connect(...args);
              if (moment === "before") await (closed = this.close());
              const connection = super.connect(...args);
              if (moment === "after") await connection;
              if (moment !== "before") closed = this.close();
              return await connection;
            }
          }
          const context = new Interrupted(
            checkOptions({ broker: { url: mosquitto.url } }),
          );
          await Array.fromAsync(runChecks([sessionCheck], context, 5000));
          await closed;
          assert.ok(connections >= count);
          const again = await ProbeConnection.open({
            url: mosquitto.url,
            clientId: `occupancy-${context.id}-session`,
            sessionExpiry: 1,
            timeout: 5000,
          });
          assert.equal(again.connack.sessionPresent, false);
          await again.close();
        });
      }
    }
  },
});

Deno.test({
  name: "doctor ends its session at Ctrl-C too",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const { ProbeConnection } = await import(
      "../../src/mqtt/probe_connection.ts"
    );
    const names = new Set<string>();
    const listener = await ProbeConnection.open({
      url: mosquitto.url,
      clientId: "listener",
      timeout: 5000,
      // The doctor publishes to the session's topic while its client is
      // offline.
      onMessage: ({ topic }) => names.add(topic),
    });
    await listener.subscribe("occupancy/server/+", 1);
    await using running = occupancy(["doctor", "--broker", mosquitto.url]);
    const topic = await until(() =>
      [...names].find((name) => name.endsWith("-session"))
    );
    running.kill("SIGINT");
    assert.equal((await running.ended()).code, 130);
    await listener.close();
    const clientId = `occupancy-${topic.split("/").at(-1)}`;
    const again = await ProbeConnection.open({
      url: mosquitto.url,
      clientId,
      sessionExpiry: 1,
      timeout: 5000,
    });
    assert.equal(again.connack.sessionPresent, false, clientId);
    await again.close();
  },
});

Deno.test({
  name: "doctor prints a table that fits 40 columns; --quiet omits what is ok",
  ...needs(),
  fn: async () => {
    const listen = ["--listen", `127.0.0.1:${freePort()}`];
    const { stdout, code } = await runOccupancy(["doctor", ...listen], {
      env: { COLUMNS: "40" },
    });
    assert.equal(code, 0);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 40, line);
    assert.match(stdout, /^ok {7}deno\n {2}Deno 2\./);
    assert.match(stdout, /\n\d ok, 1 warning, 0 errors\n$/);
    const quiet = await runOccupancy(["doctor", "--quiet", ...listen]);
    assert.match(
      quiet.stdout,
      /^warning {2}store .*\n.*Set --store sqlite:PATH .*\n$/,
    );
  },
});

Deno.test({
  name: "runChecks() runs all checks when one fails or hangs",
  ...needs(),
  fn: async () => {
    const { CheckContext, runChecks } = await import("../../src/doctor/mod.ts");
    const context = new CheckContext(checkOptions({
      defaultBroker: { url: `mqtt://127.0.0.1:${freePort()}` },
      timeout: 100,
    }));
    const results: string[] = [];
    const never = Promise.withResolvers<never>().promise;
    const run = runChecks(
      [
        { name: "hangs", run: () => never },
        {
          name: "fails",
          run: () => {
            throw new Error("oh");
          },
        },
        { name: "works", run: () => [{ status: "ok", message: "yes" }] },
      ],
      context,
      100,
    );
    for await (const { check, status, message } of run) {
      results.push(`${check} ${status} ${message}`);
    }
    assert.deepEqual(results, [
      "hangs warning No result within 0.1 s",
      "fails error The check failed: oh",
      "works ok yes",
    ]);
  },
});
