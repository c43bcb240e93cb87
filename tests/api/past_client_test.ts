/** The library asks for the past, with the embedded broker and Mosquitto. */
import assert from "node:assert/strict";
import { needs } from "../support/needs.ts";
import { BROKERS, startSystem } from "../support/system.ts";
import { until } from "../support/until.ts";

/** 2026-11-28T11:00:00Z, noon in Berlin. */
const START = Date.UTC(2026, 10, 28, 11);

for (const kind of BROKERS) {
  Deno.test({
    name: `OccupancyClient asks for the past: ${kind} broker`,
    ...needs("mosquitto"),
    fn: async () => {
      const { connect } = await import("../../src/mod.ts");
      let now = START;
      await using system = await startSystem(kind, {
        clock: () => now,
        history: { stepSeconds: 1, timezone: "Europe/Berlin" },
      });
      await using client = await connect({ broker: system.url });
      await client.publish([
        { x: 1, y: 1, value: 3, time: START },
        { x: 2, y: 2, value: 0, time: START },
      ]);
      await client.request(); // applied, before the clock goes on
      now = START + 900_000;
      await client.publish([{ x: 1, y: 1, value: 0, time: now }]);
      await client.request();
      now = START + 1_800_000;
      await until(async () =>
        (await client.mapAt("-10s")).get(1, 1)?.value === 0
      );
      const map = await client.mapAt(new Date(START + 899_000), {
        region: { x0: 0, y0: 0, x1: 1, y1: 1 },
      });
      assert.deepEqual([map.at, map.gap], [START + 899_000, false]);
      assert.deepEqual([...map], [
        { x: 1, y: 1, value: 3, since: START, stale: false },
      ]);
      const local = await client.mapAt("2026-11-28T12:10", {
        timezone: "Europe/Berlin",
      });
      assert.equal(local.at, START + 600_000);
      assert.equal(local.size, 2);

      const series = await client.history({
        ...{ from: START, to: START + 1_800_000, step: "15m" },
      });
      assert.deepEqual(series.start, [START, START + 900_000]);
      assert.deepEqual(series.most, [3, 0]);
      assert.equal(series.timezone, "Europe/Berlin");
      assert.equal(series.layer, "default");

      const table: [() => Promise<unknown>, string, RegExp][] = [
        [
          () => client.mapAt("-2d"),
          "bad-time",
          /first record.*from 2026-11-28/,
        ],
        [() => client.mapAt(now + 60_000), "bad-time", /in the future/],
        [() => client.mapAt("soon"), "bad-time", /at is not a time/],
        [() => client.history({ zone: "attic" }), "unknown-zone", /attic/],
        [
          () => client.history({ from: now, to: START }),
          "bad-range",
          /not before/,
        ],
        [
          () => client.history({ from: "-365d", step: "15m" }),
          "bad-step",
          /Use steps of 1h/,
        ],
        [
          () => client.history({ timezone: "Mars" }),
          "bad-timezone",
          /time zone "Mars"/,
        ],
      ];
      for (const [ask, code, message] of table) {
        await assert.rejects(ask, (error) => {
          assert.equal((error as { code?: string }).code, code);
          assert.match((error as Error).message, message);
          return true;
        });
      }
    },
  });
}

Deno.test({
  name: "a server without a history refuses questions about the past",
  ...needs(),
  fn: async () => {
    const { connect } = await import("../../src/mod.ts");
    await using system = await startSystem("embedded");
    await using client = await connect({ broker: system.url });
    for (const ask of [() => client.mapAt("-1h"), () => client.history()]) {
      await assert.rejects(ask, { name: "RefusedError", code: "history-off" });
    }
    assert.equal((await client.request()).size, 0);
  },
});
