import fc from "fast-check";
import type { Entry } from "../../../src/store/store.ts";
import { assertSameMap, readingsEntry } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { type RedisServer, startReplicated } from "../../support/redis.ts";
import { modelOf } from "./journal_model.ts";
import { assertSameMaps, openMember, SHARDS } from "./redis_members.ts";

const T0 = 1_700_000_000_000;

const small = fc.integer({ min: -40, max: 40 });
const layer = fc.constantFrom("default", "a", "b", "hall/l2", "ö");
const now = fc.integer({ min: T0 - 3000, max: T0 + 9000 });
const row = fc.tuple(small, small, fc.integer({ min: -1, max: 3 }), now);
const readings = fc.tuple(now, fc.array(row, { maxLength: 8 }), layer)
  .map((args): Entry => readingsEntry(...args));
const entry: fc.Arbitrary<Entry> = fc.oneof(
  { weight: 8, arbitrary: readings },
  {
    weight: 2,
    arbitrary: now.map((now): Entry => ({ kind: "age", now })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(now, layer)
      .map(([now, layer]): Entry => ({ kind: "delete", now, layer })),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(now, layer, fc.array(fc.tuple(small, small)))
      .map(([now, layer, cells]): Entry => ({
        ...{ kind: "remove", now, layer },
        cells: {
          length: cells.length,
          x: Int32Array.from(cells, ([x]) => x),
          y: Int32Array.from(cells, ([, y]) => y),
        },
      })),
  },
  {
    weight: 1,
    arbitrary: now.map((now): Entry => ({
      ...{ kind: "configure", now },
      ageing: { staleAfter: 2000, forgetAfter: 4000, maxSkew: 60_000 },
    })),
  },
);
/** What the three members commit at the same time. */
const commits = fc.array(fc.array(entry, { maxLength: 5 }), { maxLength: 12 });
const rounds = fc.array(fc.tuple(commits, commits, commits), {
  maxLength: 4,
});

for (const replicas of [0, 2]) {
  Deno.test({
    name:
      `servers that share a Redis with ${replicas} replicas have the same map and revisions`,
    ...needs("redis-server"),
    async fn() {
      await using servers = await startReplicated(replicas);
      const redis: RedisServer = servers.master;
      await fc.assert(
        fc.asyncProperty(rounds, async (rounds) => {
          await redis.command("FLUSHALL");
          await using a = await openMember(servers.url, { name: "a" });
          await using b = await openMember(servers.url, { name: "b" });
          await using c = await openMember(servers.url, { name: "c" });
          const members = [a, b, c];
          for (const round of rounds) {
            await Promise.all(
              members.flatMap(({ store }, i) =>
                round[i]!.map((entries) => store.commit(entries))
              ),
            );
          }
          await assertSameMaps(members);
          assertSameMap(a.map, await modelOf(redis, SHARDS));
          await using late = await openMember(servers.url, { name: "late" });
          await assertSameMaps([a, late]);
        }),
        { numRuns: 15 },
      );
    },
  });
}
