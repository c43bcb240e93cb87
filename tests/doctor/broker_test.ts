/** `occupancy doctor` against real brokers with differing settings, and none. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { occupancy, runOccupancy } from "../support/processes.ts";
import { startSystem } from "../support/system.ts";
import { freePort } from "../support/temp.ts";
import { until } from "../support/until.ts";
import { diagnose } from "./run_doctor.ts";

Deno.test({
  name:
    "doctor finds nothing wrong with a Mosquitto, and says what it cannot see",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 0, found.stderr);
    assert.equal(found.stderr, "");
    assert.match(found.of("broker")[0]!, /^right: .* speaks MQTT 5, mosquitto/);
    assert.match(found.of("limits")[0]!, /^right: QoS 2, retained messages/);
    assert.match(found.of("session")[0]!, /^right: Kept, with the message/);
    assert.match(found.of("session")[1]!, /^unseen: No broker tells how many/);
    assert.match(found.of("topics")[0]!, /^right: A server may read and write/);
    assert.match(found.of("topics")[1]!, /^unseen: Mosquitto grants any/);
    assert.deepEqual(found.of("server"), [
      "right: None is there yet for the prefix occupancy",
    ]);
    assert.match(found.of("clock")[0]!, /^unseen: No server answers/);
    assert.deepEqual(found.of("port"), [], "it would not listen");
  },
});

Deno.test({
  name: "doctor sees a running server: its clock, its store, its name",
  ...needs("mosquitto"),
  fn: async () => {
    await using system = await startSystem("mosquitto");
    const found = await diagnose(["--broker", system.url]);
    assert.equal(found.code, 0, found.stderr);
    assert.match(
      found.of("server")[0]!,
      /^right: server-under-test 0\.0\.0 on/,
    );
    assert.match(found.of("clock")[0]!, /differs by \d+ ms \(measured by one/);
    assert.equal(system.server.stats.refused.size, 0, "it disturbs nobody");
    assert.equal(system.map.size, 0);
  },
});

Deno.test({
  name: "doctor tells a server's clock that is behind by more than --max-skew",
  ...needs("mosquitto"),
  fn: async () => {
    const clock = () => Date.now() - 120_000;
    await using system = await startSystem("mosquitto", { clock });
    const found = await diagnose(["--broker", system.url]);
    assert.equal(found.code, 1);
    assert.match(
      found.of("clock")[0]!,
      /^wrong: The server's clock is 1[12]\d\.\d s behind .* refuses what is dated/,
    );
  },
});

Deno.test({
  name: "doctor knows the embedded broker, and that its port is held",
  ...needs(),
  fn: async () => {
    await using system = await startSystem("embedded");
    const found = await diagnose(["--listen", `127.0.0.1:${system.port}`]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(found.of("broker")[0]!, /MQTT 3\.1\.1, the embedded broker/);
    assert.match(found.of("port")[0]!, /^right: .* held by server-under-test/);
    assert.match(found.of("session").join(), /Kept.*Up to 1000 messages/);
    assert.match(found.of("topics").join(), /^right/);
  },
});

Deno.test({
  name: "doctor finds out how many messages wait with --queue",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["max_queued_messages 25"]);
    const found = await diagnose(
      ["--broker", mosquitto.url, "--queue", "150"],
    );
    assert.equal(found.code, 0, "a warning is no failure");
    // Mosquitto counts what is in flight apart.
    const [, arrived] = /^warning: Of 150 messages .* (\d+) arrived/
      .exec(found.of("session")[0]!) ?? [];
    assert.ok(Number(arrived) >= 25 && Number(arrived) < 60, `${arrived}`);
    await using good = await startMosquitto(["max_queued_messages 0"]);
    const better = await diagnose(["--broker", good.url, "--queue", "1500"]);
    assert.deepEqual(better.of("session"), [
      "right: Kept, with all 1500 messages sent to it while away",
    ]);
  },
});

Deno.test({
  name: "doctor warns of a broker that takes short messages only",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["max_packet_size 4000"]);
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(found.of("limits")[0]!, /^warning: .* messages of 4000 bytes/);
  },
});

Deno.test({
  name: "doctor tells a broker without retained messages",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["retain_available false"]);
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 1, JSON.stringify(found.lines));
    assert.match(found.of("limits").join(), /wrong: .* no retained messages/);
  },
});

Deno.test({
  name:
    "doctor tells a broker that lets nobody in, with exit code 4, and goes on",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto([], { anonymous: false });
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 4);
    assert.match(found.of("broker")[0]!, /^wrong: .* does not let this client/);
    assert.match(
      found.lines.find(({ check }) => check === "broker")!.hint!,
      /user:password@/,
    );
    assert.deepEqual(found.of("session"), []);
    assert.match(found.of("deno")[0]!, /^right/);
    assert.match(found.of("store")[0]!, /^warning: Nothing is kept/);
  },
});

Deno.test({
  name: "doctor hides a password",
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
  name: "doctor gives up on a broker that says nothing, in time",
  ...needs(),
  fn: async () => {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = silent.addr as Deno.NetAddr;
    const found = await diagnose([
      ...["--broker", `mqtt://127.0.0.1:${port}`, "--timeout", "400ms"],
    ]);
    assert.equal(found.code, 4);
    assert.match(found.of("broker")[0]!, /^wrong: .* does not speak MQTT/);
  },
});

Deno.test({
  name: "doctor without any broker says what a server would do",
  ...needs(),
  fn: async () => {
    const port = freePort();
    const found = await diagnose(["--listen", `127.0.0.1:${port}`]);
    assert.equal(found.code, 0, JSON.stringify(found.lines));
    assert.match(
      found.of("broker")[0]!,
      new RegExp(`start its own on 127.0.0.1:${port}`),
    );
    assert.match(found.of("port")[0]!, /^right: .* is free/);
    for (const check of ["limits", "session", "topics", "server", "clock"]) {
      assert.deepEqual(found.of(check), []);
    }
  },
});

Deno.test({
  name: "doctor tells that two servers answer for one prefix",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const start = (name: string) =>
      occupancy(["server", "--broker", mosquitto.url, "--name", name]);
    await using one = start("one");
    await using two = start("two");
    await Promise.all([one.said(/Ready/), two.said(/Ready/)]);
    const found = await diagnose(["--broker", mosquitto.url]);
    assert.equal(found.code, 1);
    assert.match(found.of("server")[0]!, /^wrong: 2 servers answer/);
  },
});

Deno.test({
  name: "doctor leaves no session behind",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto(["sys_interval 1"]);
    const { CHECKS, Examination, runChecks } = await import(
      "../../src/doctor/mod.ts"
    );
    const { Probe } = await import("../../src/doctor/broker_probe.ts");
    const { Topics } = await import("../../src/protocol/mod.ts");
    const examination = new Examination({
      broker: { url: mosquitto.url },
      usual: { url: mosquitto.url },
      usualListen: { host: "127.0.0.1", port: 0 },
      usualHttp: { host: "127.0.0.1", port: 0 },
      topics: new Topics(),
      name: "n",
      subscriptions: [],
      store: "memory:",
      sessionExpiry: 60,
      maxSkew: 1000,
      queue: 1,
      timeout: 5000,
    });
    const statuses: string[] = [];
    for await (const result of runChecks(CHECKS, examination, 5000)) {
      if (result.check === "session") statuses.push(result.status);
    }
    await examination.close();
    assert.deepEqual(statuses, ["right", "unseen"]);
    const again = await Probe.open({
      url: mosquitto.url,
      clientId: `occupancy-${examination.id}-session`,
      sessionExpiry: 1,
      timeout: 5000,
    });
    assert.equal(again.connack.sessionPresent, false);
    await again.close();
  },
});

Deno.test({
  name: "doctor cleans up behind itself at Ctrl-C, too",
  ...needs("mosquitto"),
  fn: async () => {
    await using mosquitto = await startMosquitto();
    const { Probe } = await import("../../src/doctor/broker_probe.ts");
    const names = new Set<string>();
    const listener = await Probe.open({
      url: mosquitto.url,
      clientId: "listener",
      timeout: 5000,
      // The session's topic is published to while its client is away.
      message: ({ topic }) => names.add(topic),
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
    const again = await Probe.open({
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
  name:
    "doctor prints a table that fits 40 columns, and with --quiet what is not right",
  ...needs(),
  fn: async () => {
    const listen = ["--listen", `127.0.0.1:${freePort()}`];
    const { stdout, code } = await runOccupancy(["doctor", ...listen], {
      env: { COLUMNS: "40" },
    });
    assert.equal(code, 0);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 40, line);
    assert.match(stdout, /^right {4}deno\n {2}Deno 2\./);
    assert.match(stdout, /\n\d right, 1 warning, 0 wrong\n$/);
    const quiet = await runOccupancy(["doctor", "--quiet", ...listen]);
    assert.match(quiet.stdout, /^warning {2}store .*\n.*Name a file.*\n$/);
  },
});

Deno.test({
  name: "doctor goes on when one check fails or hangs",
  ...needs(),
  fn: async () => {
    const { Examination, runChecks } = await import("../../src/doctor/mod.ts");
    const { Topics } = await import("../../src/protocol/mod.ts");
    const examination = new Examination({
      usual: { url: `mqtt://127.0.0.1:${freePort()}` },
      usualListen: { host: "127.0.0.1", port: 0 },
      usualHttp: { host: "127.0.0.1", port: 0 },
      topics: new Topics(),
      name: "n",
      subscriptions: [],
      store: "memory:",
      sessionExpiry: 1,
      maxSkew: 1,
      queue: 1,
      timeout: 100,
    });
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
        { name: "works", run: () => [{ status: "right", message: "yes" }] },
      ],
      examination,
      100,
    );
    for await (const { check, status, message } of run) {
      results.push(`${check} ${status} ${message}`);
    }
    assert.deepEqual(results, [
      "hangs warning No result within 0.1 s",
      "fails wrong The check itself failed: oh",
      "works right yes",
    ]);
  },
});
