/** The history of a group whose servers are killed has all that it took. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../src/grid/mod.ts";
import { openStore } from "../../src/store/open.ts";
import { compareHistory, planHistory } from "../chaos/history.ts";
import { Publisher } from "../chaos/publisher.ts";
import { startMosquitto } from "../support/mosquitto.ts";
import { needs } from "../support/needs.ts";
import { occupancy, type Running } from "../support/processes.ts";
import { RedisServer } from "../support/redis.ts";
import { until } from "../support/until.ts";

const READINGS = 20_000;
const NAMES = ["m1", "m2", "m3"];
/** Each of the servers is killed once: so the one that writes too. */
const KILLS = 3;
/** Time in which what was sent is in the history, in ms. */
const SETTLE_TIMEOUT_MS = 60_000;

/** A server of the group. */
interface Member {
  running: Running;
  url: string;
}

Deno.test({
  name:
    `after ${KILLS} kills in a group, the history at each second is that of the readings`,
  ...needs("mosquitto", "redis-server"),
  fn: async () => {
    const seed = crypto.getRandomValues(new Uint32Array(1))[0]!;
    await using broker = await startMosquitto([
      ...["set_tcp_nodelay true", "max_queued_messages 0"],
    ]);
    await using redis = await RedisServer.start();
    const store = `redis://127.0.0.1:${redis.port}`;
    const start = async (name: string): Promise<Member> => {
      const running = occupancy([
        ...["server", "--broker", broker.url, "--group", "hall"],
        ...["--name", name, "--store", store],
        ...["--http", "127.0.0.1:0"],
      ]);
      const [, url] = await running.waitFor(/Dashboard at (\S+) /, 60_000);
      return { running, url: url! };
    };
    const members = [await start(NAMES[0]!)];
    try {
      members.push(...await Promise.all(NAMES.slice(1).map(start)));
      const end = Math.floor(Date.now() / 1000) - 1;
      const plan = planHistory({
        readings: READINGS,
        end,
        seed,
        anyOrder: true,
      });
      const killAt = Array.from({ length: KILLS }, (_, i) => (i + 1) / 5);
      const publisher = new Publisher({
        port: broker.port,
        clientId: "history",
        messages: plan.messages,
        beforeSending: async (share) => {
          if (share < (killAt[0] ?? Infinity)) return;
          killAt.shift();
          const i = killAt.length;
          members[i]!.running.kill("SIGKILL");
          await members[i]!.running.ended();
          members[i] = await start(NAMES[i]!);
        },
      });
      await publisher.run();
      const cells = plan.model.size;
      const summary = async ({ url }: Member) =>
        await (await fetch(`${url}api/v1/summary`)).json();
      let answers: unknown[] = [];
      await until(async () => {
        answers = await Promise.all(members.map(summary));
        return answers.every((one) =>
          (one as { cells: number }).cells === cells
        );
      }, { deadline: SETTLE_TIMEOUT_MS, what: () => JSON.stringify(answers) });
      const opened = await openStore(store, { durability: "commit" });
      try {
        await opened.load(new OccupancyMap({}, { shards: 16 }));
        const history = opened.history!;
        let report: Awaited<ReturnType<typeof compareHistory>> | undefined;
        await until(async () => {
          await history.refresh();
          report = await compareHistory(history, plan.model, end);
          return report.wrong.length === 0;
        }, {
          deadline: SETTLE_TIMEOUT_MS,
          what: () => `seed ${seed}: ${report?.wrong.join("; ")}`,
        });
        assert.ok(report!.compared > 1_000_000);
        assert.deepEqual(history.gaps({ from: 0, to: 2 ** 32 }), []);
      } finally {
        await opened.close();
      }
      // Every member answers, and alike.
      const maps = await Promise.all(members.map(async ({ url }) => {
        const response = await fetch(`${url}api/v1/history/map?at=now`);
        const { cells } = await response.json();
        return JSON.stringify(cells);
      }));
      assert.ok(maps[0]!.length > 1000);
      assert.deepEqual(maps, members.map(() => maps[0]));
      for (const { running } of members) running.kill();
      for (const { running } of members) {
        assert.equal((await running.ended()).code, 0, running.stderr);
      }
    } finally {
      for (const { running } of members) await running[Symbol.asyncDispose]();
    }
  },
});
