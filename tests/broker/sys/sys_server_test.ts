/** `$SYS` and the metrics of a server, read by Mosquitto's clients. */
import assert from "node:assert/strict";
import { needs, requireTool } from "../../support/needs.ts";
import { occupancy, Running, runOccupancy } from "../../support/processes.ts";
import { tempDir } from "../../support/temp.ts";
import { until } from "../../support/until.ts";
import { VERSION } from "../../../src/cli/version.ts";

/** Publishes with Mosquitto's client. */
async function pub(port: number, ...args: string[]): Promise<void> {
  const program = requireTool("mosquitto_pub");
  await using running = new Running(program, ["-p", `${port}`, ...args]);
  assert.equal((await running.ended()).code, 0);
}

/** Returns what Mosquitto's client receives, a line a message. */
async function sub(port: number, ...args: string[]): Promise<string> {
  const program = requireTool("mosquitto_sub");
  await using running = new Running(program, ["-p", `${port}`, ...args]);
  return (await running.ended()).stdout;
}

async function start(...args: string[]) {
  const server = occupancy([
    ...["server", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0", ...args],
  ]);
  const [, port] = await server.waitFor(/embedded broker on 127.0.0.1:(\d+)/);
  const [url] = await server.waitFor(/http:\/\/127\.0\.0\.1:\d+/);
  await server.waitFor(/Ready/);
  return { server, port: Number(port), url };
}

/** The topics below `$SYS`. */
const TOPICS = 20;

/**
 * Reads what a client receives at once of the topics below `$SYS`, then of the
 * state of the server, which all clients may read.
 *
 * @param count ends after this number of messages
 */
async function sysTopics(port: number, count: number, ...args: string[]) {
  const text = await sub(
    port,
    ...["-t", "$SYS/broker/#", "-t", "occupancy/server/state", "-v"],
    ...["-C", `${count}`, "-W", "20", ...args],
  );
  return Object.fromEntries(
    text.trim().split("\n").map((line) =>
      /^(\$SYS.*?) (?=occupancy|\d)(.*)$/.exec(line)?.slice(1) ?? [line, ""]
    ),
  );
}

Deno.test({
  name:
    "without users every client reads $SYS, which is published every 10 s and never stored",
  ...needs("mosquitto_pub", "sh"),
  fn: async () => {
    await using folder = await tempDir();
    const store = ["--store", `sqlite:${folder.path}/map.db`];
    {
      const { server, port, url } = await start(...store);
      await using _server = server;
      const updated = sub(
        port,
        ...["-t", "$SYS/broker/publish/messages/received", "-C", "2"],
        ...["-W", "15"],
      );
      const first = await sysTopics(port, TOPICS);
      assert.equal(Object.keys(first).length, TOPICS, JSON.stringify(first));
      assert.equal(
        first["$SYS/broker/version"],
        `occupancy version ${VERSION}`,
      );
      await pub(port, "-q", "1", "-t", "occupancy/data", "-m", "1,1,1");
      // Only the broker publishes below $SYS.
      await pub(port, ...["-r", "-t", "$SYS/broker/version", "-m", "forged"]);
      await pub(port, ...["-r", "-t", "kept", "-m", "retained"]);
      // The metrics are up to date, the topics 10 s later.
      const metrics = await (await fetch(`${url}/metrics`)).text();
      const metric = (name: string) =>
        Number(
          new RegExp(`^occupancy_broker_${name} (.*)$`, "m")
            .exec(metrics)?.[1],
        );
      assert.equal(metric("received_messages_total"), 3);
      assert.equal(metric("received_payload_bytes_total"), 19);
      assert.equal(metric("clients"), 1);
      assert.equal(metric("subscriptions"), 1);
      assert.ok(metric("connections_total") >= 5);
      assert.ok(metric("received_bytes_total") > 100);
      assert.ok(metric("sent_bytes_total") > 100);
      // The topics below $SYS, the state of the server, and `kept`.
      assert.equal(metric("retained_messages"), 22);
      assert.equal(await updated, "0\n3\n");
      assert.equal(
        (await sysTopics(port, TOPICS))["$SYS/broker/version"],
        `occupancy version ${VERSION}`,
      );
      const { stdout } = await runOccupancy([
        ...["doctor", "--broker", `mqtt://127.0.0.1:${port}`],
      ]);
      assert.match(stdout, /the embedded\s+broker of a server/);
      assert.match(stdout, /dropped no messages/);
      server.kill();
      assert.equal((await server.ended()).code, 0);
    }
    const { server, port } = await start(...store);
    await using _server = server;
    const first = await until(async () => {
      const topics = await sysTopics(port, TOPICS);
      return "$SYS/broker/uptime" in topics ? topics : undefined;
    });
    assert.equal(first["$SYS/broker/publish/messages/received"], "0");
  },
});

Deno.test({
  name: "with users only administrators and users with a rule read $SYS",
  ...needs("mosquitto_pub", "sh"),
  fn: async () => {
    await using folder = await tempDir();
    const users = `${folder.path}/users`;
    const add = async (...args: string[]) => {
      const { code, stderr } = await runOccupancy(
        ["users", "add", "--users", users, ...args],
        { input: "secret\n" },
      );
      assert.equal(code, 0, stderr);
    };
    await add("alice");
    await add("watcher");
    await add("--administrator", "root");
    const text = await Deno.readTextFile(users);
    await Deno.writeTextFile(
      users,
      text.replace(/^(user watcher .*)$/m, "$1\n  subscribe $$SYS/#"),
    );
    const { server, port } = await start("--users", users);
    await using _server = server;
    const login = (name: string) => ["-u", name, "-P", "secret"];
    const read = async (name: string, count: number) =>
      Object.keys(await sysTopics(port, count, ...login(name)));
    const [alice, ...others] = await Promise.all([
      ...[read("alice", 1), read("watcher", TOPICS), read("root", TOPICS)],
    ]);
    assert.match(alice!.join(), /^occupancy\/server\/state [^$]*$/);
    for (const topics of others) {
      assert.equal(topics.length, TOPICS);
      assert.match(topics.join(), /^(\$SYS\/[^,]*,?)+$/);
    }
  },
});
