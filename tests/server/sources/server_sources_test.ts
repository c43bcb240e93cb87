/** What a server counts for each source, over MQTT and HTTP. */
import assert from "node:assert/strict";
import { Server } from "../../../src/server/mod.ts";
import { incoming, incomingRun } from "../../support/fake_link.ts";
import { until } from "../../support/until.ts";
import { fakeOptions, NOW } from "../support.ts";

Deno.test({
  name: "Server counts accepted and refused readings of each source",
  permissions: "none",
  fn: async () => {
    const options = { ...fakeOptions(), cellLimits: { maxCells: 5 } };
    const server = new Server(options);
    await server.start();
    const { message, run } = options.link.handlers;
    const receive = (payload: unknown, topic = "occupancy/data") =>
      message(incoming(topic, JSON.stringify(payload)));
    receive([
      { x: 1, y: 1, value: 1, source: "a" },
      { x: 1, y: 2, value: 1, source: "a" },
      { x: 1, y: 3, value: "?", source: "a" },
      { x: 1.5, y: 3, value: 1, source: "b" },
      { x: 1, y: 4, value: 1 },
      { x: 1, value: 1 },
    ]);
    receive({ source: "c", cells: [[1, 1, 2, NOW - 5], [1, 5, 1, 9e14]] });
    receive({ source: "d", time: "never", cells: [[1, 1, 2]] });
    receive({ source: "e", layer: "other", cells: [[1, 1, 2]] });
    run!(incomingRun("occupancy/data", ["1,1,3", "1,1,4", "1,q,4"]));
    message(incoming("occupancy/data/", "1,1,1"));
    const posted = await server.submit(
      "default",
      new TextEncoder().encode(JSON.stringify({
        source: "f",
        cells: [[1, 1, 1], [7, 1, 1], [7, 2, 1], [7, 3, 1], [7, "", 1]],
      })),
    );
    assert.equal(posted.outcome, "committed");
    await until(() => server.stats.messages === 9, { what: "all messages" });
    const { sources, unnamed, total } = server.sources.list();
    const counts = Object.fromEntries(
      [...sources, { source: "", ...unnamed! }].map(
        ({ source, readings, refused, lastRefused }) => [
          source,
          [readings, refused, lastRefused?.code],
        ],
      ),
    );
    assert.deepEqual(counts, {
      a: [2, 1, "bad-value"],
      b: [0, 1, "bad-x"],
      c: [0, 2, "late"],
      d: [0, 1, "bad-time"],
      e: [0, 1, "bad-layer"],
      f: [3, 2, "too-many-cells"],
      "": [3, 3, "bad-layer"],
    });
    assert.equal(total, 6);
    const refused = [...server.stats.refused.values()].reduce((a, b) => a + b);
    assert.equal(refused, 11, "the same as in the metrics");
    await server.stop();
  },
});
