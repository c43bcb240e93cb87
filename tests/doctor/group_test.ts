/** `occupancy doctor` for a group of servers, and for several brokers. */
import assert from "node:assert/strict";
import type { Finding } from "../../src/doctor/finding.ts";
import type { StatesByName } from "../../src/doctor/group_check.ts";
import type { ServerState } from "../../src/protocol/mod.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { occupancy, runOccupancy } from "../support/processes.ts";
import { RedisServer } from "../support/redis.ts";
import { freePort } from "../support/temp.ts";
import { diagnose } from "./run_doctor.ts";

const NOW = 1_760_000_000_000;
const text = ({ status, message }: Finding) => `${status}: ${message}`;

/** The states of servers by name, the latest last. */
type States = Record<string, Partial<ServerState> | Partial<ServerState>[]>;

/** Returns what the doctor finds of a group. */
async function makeJudge(): Promise<(states: States) => string[]> {
  // Loads the client for MQTT, which needs permissions.
  const { judgeMembers } = await import("../../src/doctor/group_check.ts");
  return (states) =>
    judgeMembers(statesByName(states), "hall", "me", NOW).map(text);
}

function statesByName(states: States): StatesByName {
  return new Map(
    Object.entries(states).map(([name, history]) => [
      name,
      [history].flat().map((state) => ({
        ...{ state: "online", name, group: "hall" } as const,
        ...state,
      })),
    ]),
  );
}

Deno.test({
  name: "judgeMembers() names the servers of the group, and what is wrong",
  ...needs(),
  fn: async () => {
    const judged = await makeJudge();
    assert.deepEqual(judged({}), [
      "ok: No server of the group hall is online yet",
    ]);
    assert.deepEqual(judged({ b: {}, a: {} }), [
      "ok: 2 servers of the group hall online: a, b",
    ]);
    assert.deepEqual(judged({ me: {} }), [
      "ok: 1 server of the group hall online: me",
      "ok: A server named me is online: a second one needs another --name",
    ]);
    assert.deepEqual(
      judged({
        a: { state: "offline", successor: "b" },
        b: { problem: "Redis does not answer" },
        c: { state: "offline" },
        d: { group: "other" },
        e: { state: "offline", group: "other" },
        f: { conflict: NOW - 60_000 },
        g: [{}, { state: "offline" }, {}, { state: "offline" }, {}],
        h: { conflict: NOW - 3_600_000 },
      }),
      [
        "ok: 4 servers of the group hall online: b, f, g, h",
        "error: b cannot store readings: Redis does not answer",
        "warning: c is offline, and no server has taken what waits for it",
        "error: d is online with the same prefix, in the group other: both groups take all messages and answer all requests",
        "error: Another client uses the client id f: it and the server disconnect each other",
        "error: Two servers named g disconnect each other",
      ],
    );
  },
});

Deno.test({
  name: "doctor checks each broker, and the group on each",
  ...needs("mosquitto", "redis-server"),
  fn: async () => {
    await using first = await startMosquitto();
    await using second = await startMosquitto();
    await using redis = await RedisServer.start();
    const group = [
      ...["--group", "hall", "--store", redis.url, "--redis-replicas", "0"],
      ...["--broker", first.url, "--http", "off"],
    ];
    await using server = occupancy(["server", "--name", "s1", ...group]);
    await server.waitFor(/Ready/);
    const args = ["--name", "s2", ...group, "--broker", second.url];
    const found = await diagnose(args);
    assert.equal(found.code, 0, found.stderr);
    const of = (url: string, check: string) =>
      found.lines.filter((line) =>
        line.check === check && line.broker === url.replace(/\/$/, "")
      ).map(({ status, message }) => `${status}: ${message}`);
    const [a, b] = [first.url, second.url];
    assert.match(of(a, "broker")[0]!, /^ok: Connected to /);
    assert.match(of(b, "broker")[0]!, /^ok: Connected to /);
    assert.deepEqual(of(a, "group"), [
      "ok: The broker has shared subscriptions",
      "ok: 1 server of the group hall online: s1",
    ]);
    assert.deepEqual(of(b, "group"), [
      "ok: The broker has shared subscriptions",
      "ok: No server of the group hall is online yet",
    ]);
    assert.match(of(b, "topics")[0]!, /^ok: A server may read and write/);
    assert.equal(found.of("redis").length > 0, true);
    assert.equal(found.lines.filter(({ check }) => check === "deno").length, 1);
    server.kill();
    assert.equal((await server.ended()).code, 0);
  },
});

Deno.test({
  name: "doctor reports which of several brokers does not answer",
  ...needs("mosquitto"),
  fn: async () => {
    await using broker = await startMosquitto();
    const gone = `mqtt://127.0.0.1:${freePort()}`;
    const { code, stdout } = await runOccupancy([
      ...["doctor", "--broker", broker.url, "--broker", gone],
      ...["--store", "memory:", "--http", "off"],
    ]);
    assert.equal(code, 4);
    assert.match(
      stdout,
      new RegExp(`error +broker +Cannot connect to ${gone}`),
    );
    assert.match(stdout, /ok +broker +Connected to/);
    assert.match(stdout, /mqtt:\S+: The broker kept the session/);
  },
});

Deno.test({
  name: "doctor refuses what the server refuses about a group",
  ...needs(),
  fn: async () => {
    const { code, stderr } = await runOccupancy(["doctor", "--group", "hall"]);
    assert.equal(code, 2);
    assert.match(stderr, /Cannot use --group without a store that the servers/);
  },
});
