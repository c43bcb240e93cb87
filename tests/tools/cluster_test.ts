/** The parts of `deno task cluster`. */
import assert from "node:assert/strict";
import type { AppError } from "../../src/common/errors.ts";
import { encodeLines } from "../../src/cli/terminal/map/mod.ts";
import { findPrograms } from "../../tools/cluster/programs.ts";
import { ProcessGroup } from "../../tools/cluster/processes.ts";
import { startRedisCluster } from "../../tools/cluster/redis_nodes.ts";
import {
  type ClusterStatus,
  drawStatus,
  ranges,
  statusLine,
} from "../../tools/cluster/status.ts";
import { parseMetrics } from "../../tools/cluster/metrics.ts";
import { assertFailure } from "../support/assert_failure.ts";
import { needs } from "../support/needs.ts";
import { DENO_RUN, ROOT, Running } from "../support/processes.ts";
import { until } from "../support/until.ts";

const STATUS: ClusterStatus = {
  seconds: 12.4,
  url: "http://127.0.0.1:8080/",
  members: [
    {
      ...{ name: "server-1", state: "ready", lagMs: 3.4, leases: [0, 1, 2, 7] },
      ...{ messagesPerSecond: 1234, cells: 1000, memoryBytes: 1e8 },
    },
    { name: "server-2", state: "The store\x1b[2J does not answer" },
  ],
  redis: [
    { name: "redis-1", role: "master", slots: "0-5460", offset: 17 },
    { name: "redis-2", role: "replica of redis-1", slots: "", offset: 14 },
  ],
  brokers: [{ name: "mosquitto-1", state: "running", connections: 4 }],
};

Deno.test("the view of a cluster fits the terminal, narrow and low ones too", () => {
  const wide = encodeLines(
    drawStatus(STATUS, { width: 100, height: 24 }),
    "none",
  );
  assert.match(wide, /server-1 +ready +3 ms +0-2 7 +1,234 +1,000 +100 MB/);
  assert.match(wide, /server-2 +The store\\x1b\[2J/);
  assert.match(wide, /redis-2 +replica of redis-1 +14/);
  assert.match(wide, /mosquitto-1 +running +4 +-/);
  assert.match(wide, /\nq quit · 1-9/);
  const narrow = encodeLines(
    drawStatus(STATUS, { width: 40, height: 8 }),
    "none",
  );
  assert.equal(narrow.trimEnd().split("\n").length, 8);
  assert.match(narrow, /\nq quit · \? keys\n$/);
});

Deno.test("the status of a cluster is one line in a pipe", () => {
  assert.equal(
    statusLine(STATUS),
    "12 s · 1 of 2 servers ready · server-2: The store\\x1b[2J does not ans… · lag 3 ms · 1,234 messages/s taken · Redis: 1 master, 1 replica · 0 messages/s through 1 broker",
  );
});

Deno.test("leases are shown as ranges", () => {
  assert.equal(ranges([]), "none");
  assert.equal(ranges([0]), "0");
  assert.equal(ranges([0, 1, 2, 5, 7, 8]), "0-2 5 7-8");
});

Deno.test("metrics are read with their labels", () => {
  const text = '# HELP a b\na_total 3\nb{shard="1",x="}"} 0.5\n';
  assert.deepEqual(parseMetrics(text), [
    { name: "a_total", labels: "", value: 3 },
    { name: "b", labels: 'shard="1",x="}"', value: 0.5 },
  ]);
});

Deno.test("missing programs: one error with the command that installs them", () => {
  assert.throws(
    () =>
      findPrograms(
        undefined,
        (name) => name === "mosquitto" ? undefined : name,
      ),
    (error: AppError) =>
      error.message === "Cannot find mosquitto" &&
      error.hint === "Install with: sudo apt install mosquitto",
  );
  assert.throws(
    () => findPrograms(undefined, () => undefined),
    (error: AppError) =>
      error.hint ===
        "Install with: sudo apt install redis-server redis-tools mosquitto",
  );
  assert.deepEqual(
    findPrograms(
      ["redis-cli"],
      (name) => name === "mosquitto" ? undefined : `/bin/${name}`,
    ),
    { "redis-cli": "/bin/redis-cli" },
    "others are not needed",
  );
});

Deno.test({
  name: "a process group that has ended makes no folder again",
  ...needs("sh"),
  fn: async () => {
    const group = await ProcessGroup.create();
    await group[Symbol.asyncDispose]();
    await assert.rejects(group.makeFolder("late"), /the group has ended/);
    assert.equal(await exists(group.folder), false);
  },
});

Deno.test({
  name: "a master of Redis that is killed and started at once has its data",
  ...needs("redis-server", "redis-cli", "sh"),
  fn: async () => {
    await using group = await ProcessGroup.create();
    const { nodes } = await startRedisCluster(group, { replicas: 0 });
    const master = await until(async () => {
      const replies = await Promise.all(
        nodes.map((node) => node.command("SET", "key", "kept")),
      );
      return nodes[replies.findIndex((reply) => reply?.trim() === "OK")];
    });
    await master.crash();
    await master.start();
    await until(async () =>
      (await master.command("GET", "key"))?.trim() === "kept"
    );
  },
});

Deno.test({
  name: "a process group leaves nothing behind when its program is killed",
  ...needs("sh"),
  fn: async () => {
    const code = `
      import { ProcessGroup } from "${ROOT}tools/cluster/processes.ts";
      const group = await ProcessGroup.create();
      const one = group.spawn("one", "/bin/sh", { args: ["-c", "exec sleep 1000"] });
      const gone = group.spawn("gone", "/bin/sh", { args: ["-c", "exit"] });
      await gone.ended;
      console.log([one.pid, group.folder].join());
      setInterval(() => {}, 1000);
    `;
    const script = await Deno.makeTempFile({ suffix: ".ts" });
    await Deno.writeTextFile(script, code);
    try {
      await using program = new Running(Deno.execPath(), [
        ...[...DENO_RUN, "--allow-all", script],
      ]);
      const [pid, folder] = await until(() =>
        program.stdout.includes("\n") && program.stdout.trim().split(",")
      );
      assert.ok(isRunning(Number(pid)));
      program.kill("SIGKILL");
      await program.ended();
      await until(async () =>
        !isRunning(Number(pid)) && !await exists(folder!)
      );
    } finally {
      await Deno.remove(script);
    }
  },
});

Deno.test({
  name: "cluster reports wrong options",
  ...needs(),
  fn: async () => {
    const run = async (...args: string[]) => {
      await using running = new Running(Deno.execPath(), [
        ...[...DENO_RUN, "--allow-all", `${ROOT}tools/cluster.ts`, ...args],
      ]);
      return await running.ended();
    };
    assertFailure(
      await run("--replicas", "0"),
      2,
      /Invalid --replicas "0"/,
      /cluster/,
    );
    assertFailure(
      await run("--seconds", "x"),
      2,
      /Invalid --seconds "x"/,
      /cluster/,
    );
    assertFailure(
      await run("--nodes"),
      2,
      /Unknown option '--nodes'/,
      /cluster/,
    );
  },
});

function isRunning(pid: number): boolean {
  try {
    Deno.kill(pid, "SIGCONT");
    return true;
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}
