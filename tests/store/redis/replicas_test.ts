/** How many replicas have what is committed: rights, and other numbers. */
import assert from "node:assert/strict";
import { readingsEntry } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer, startReplicated } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { readJournal } from "./journal_model.ts";
import { assertSameMaps, openMember } from "./redis_members.ts";
import { LAYER, T0 } from "./writers.ts";

Deno.test({
  name: "without the right to WAIT nothing is appended, and it is reported",
  ...needs("redis-server"),
  async fn() {
    await using redis = await startReplicated(1);
    const { master } = redis;
    const all = ["on", ">secret", "~*", "&*", "+@all"];
    await master.command("ACL", "SETUSER", "me", ...all, "-wait");
    const url = master.url.replace("://", "://me:secret@");
    await using a = await openMember(url, { name: "a" });
    assert.equal(a.store.replicas, 1);
    const commit = a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    await until(() => a.problems.length > 0);
    assert.match(a.problems[0]!.message, /NOPERM|permission/);
    assert.match(a.problems[0]!.hint!, /docs\/SECURITY\.md/);
    const shard = a.map.shardOf(LAYER);
    assert.deepEqual(await readJournal(master, shard), []);
    await master.command("ACL", "SETUSER", "me", "+wait");
    await commit;
    await using b = await openMember(master.url, { name: "b" });
    await assertSameMaps([a, b]);
    const contents = (await readJournal(master, shard))
      .filter(([, fields]) => fields.has("d"));
    assert.equal(contents.length, 1);
  },
});

Deno.test({
  name: "a server that waits for another number of replicas warns",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    await using a = await openMember(redis.url, { name: "a", replicas: 0 });
    await using b = await openMember(redis.url, { name: "b", replicas: 0 });
    await using c = await openMember(redis.url, { name: "c", replicas: 2 });
    assert.deepEqual([...a.warnings, ...b.warnings], []);
    assert.equal(c.warnings.length, 1);
    assert.match(
      c.warnings[0]!,
      /wait for 0 replicas, this one for 2: .* Set the same --redis-replicas/,
    );
  },
});
