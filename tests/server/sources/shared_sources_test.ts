/** The sources of servers that share a store: each has those of all. */
import assert from "node:assert/strict";
import { until } from "../../support/until.ts";
import { Cluster, type Member } from "../cluster.ts";

const named = (source: string, ...cells: number[][]) =>
  JSON.stringify({ source, cells });

/** The counts of the sources of a member. */
function countsOf({ server }: Member): Record<string, [number, number]> {
  const { sources, unnamed } = server.sources.list();
  return Object.fromEntries(
    [...sources, ...(unnamed ? [{ source: "", ...unnamed }] : [])]
      .map(({ source, readings, refused }) => [source, [readings, refused]]),
  );
}

Deno.test({
  name: "each server has the sources of the readings that any server took",
  permissions: "none",
  fn: async () => {
    await using cluster = await Cluster.create();
    const a = await cluster.start("a");
    const b = await cluster.start("b");
    await cluster.send(a, named("cam-1", [1, 1, 1], [1, 2, 1]));
    await cluster.send(b, named("cam-2", [2, 1, 1]), "hall");
    await cluster.send(
      b,
      JSON.stringify([
        { x: 5, y: 5, value: 1, source: "cam-1" },
        { x: 6, y: 5, value: 1 },
        { x: 7, y: 5, value: 1, source: "cam-3" },
      ]),
    );
    await cluster.settled();
    const counts = {
      "cam-1": [3, 0],
      "cam-2": [1, 0],
      "cam-3": [1, 0],
      "": [1, 0],
    };
    for (const member of [a, b]) {
      assert.deepEqual(countsOf(member), counts, member.name);
      const { server } = member;
      assert.equal(server.sourceOf("default", 1, 2), "cam-1");
      assert.equal(server.sourceOf("hall", 2, 1), "cam-2");
      assert.equal(server.sourceOf("default", 7, 5), "cam-3");
      assert.equal(server.sourceOf("default", 6, 5), undefined);
    }
    // A server that starts later has them from the journal, with their times.
    const c = await cluster.start("c");
    assert.deepEqual(countsOf(c), counts);
    assert.equal(c.server.sourceOf("default", 5, 5), "cam-1");
    const timesOf = ({ server }: Member) =>
      Object.fromEntries(
        server.sources.list().sources
          .map(({ source, first, last }) => [source, [first, last]]),
      );
    assert.deepEqual(timesOf(c), timesOf(b));
    // A later reading without a source: none is named any more, on any server.
    await cluster.send(c, "1,2,5");
    await cluster.settled();
    for (const { server } of cluster.members.values()) {
      assert.equal(server.sourceOf("default", 1, 2), undefined);
    }
  },
});

Deno.test({
  name: "readings that the map drops are counted alike by all servers",
  permissions: "none",
  fn: async () => {
    await using cluster = await Cluster.create();
    const a = await cluster.start("a");
    const b = await cluster.start("b");
    const now = Date.now();
    await cluster.send(a, named("new", [1, 1, 1, now - 1000]));
    await b.server.submit(
      "default",
      new TextEncoder().encode(named("old", [1, 1, 2, now - 5000])),
    );
    await until(() => countsOf(b).old?.[1] === 1);
    await cluster.settled();
    assert.deepEqual(countsOf(a), { new: [1, 0], old: [0, 1] });
    const { lastRefused } = a.server.sources.list({ contains: "old" })
      .sources[0]!;
    assert.equal(lastRefused?.code, "late");
  },
});
