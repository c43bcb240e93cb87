/** Readings of a server whose entries are divided in the journal. */
import assert from "node:assert/strict";
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { Server } from "../../../src/server/mod.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openRedisStore } from "../../../src/store/redis/open_redis.ts";
import { fakeOptions, NOW } from "../../server/support.ts";
import { FakeLink, incoming } from "../../support/fake_link.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { readJournal } from "./journal_model.ts";

/** The most readings that the server makes one entry of. */
const ROWS = 8192;

Deno.test({
  name:
    "readings in later pieces of a divided entry have their own source and line",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    const link = new FakeLink();
    const map = new OccupancyMap({ maxSkew: 60_000 }, { shards: 1 });
    const settings = { name: "me", shards: 1 };
    const store = await openRedisStore(parseRedisAddress(redis.url), settings);
    const server = new Server({
      ...{ ...fakeOptions(), link, store, map },
      maxPayload: 2 ** 21,
    });
    await server.start();
    try {
      // Far apart, to and fro: each reading takes many bytes. In 2,048 tiles.
      const mixed = (i: number) => i * 7919 % ROWS;
      const rows = Array.from({ length: ROWS }, (_, i) => ({
        x: ((mixed(i) & 63) - 32) * 60_000_000,
        y: (((mixed(i) >> 6) & 31) - 16) * 120_000_000 + (mixed(i) >> 11),
        value: 1,
        time: NOW - (i * 104_729 % ROWS) * 1_000_000 - 1,
        source: i < ROWS - 10 ? "first" : "last",
      }));
      rows[ROWS - 2]!.time = NOW + 60_001;
      link.handlers.message(incoming("occupancy/data", JSON.stringify(rows)));
      await until(() => link.acknowledged.length === 1);
      const entries = (await readJournal(redis, 0))
        .filter(([, fields]) => fields.has("d"));
      assert.ok(entries.length > 1, "it was divided");
      const sourceAt = (i: number) =>
        server.sourceOf("default", rows[i]!.x, rows[i]!.y);
      assert.equal(sourceAt(0), "first");
      assert.equal(sourceAt(ROWS - 11), "first");
      assert.equal(sourceAt(ROWS - 10), "last");
      assert.equal(sourceAt(ROWS - 1), "last");
      const report = await until(() =>
        link.published.find(({ topic }) => topic === "occupancy/errors")
      );
      const { code, line, source } = JSON.parse(
        new TextDecoder().decode(report.payload),
      );
      assert.deepEqual({ code, line, source }, {
        ...{ code: "future", line: ROWS - 1, source: "last" },
      });
    } finally {
      await server.stop();
    }
  },
});
