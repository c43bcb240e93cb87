import assert from "node:assert/strict";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openDeployment } from "../../../src/store/redis/connect.ts";
import { Keys } from "../../../src/store/redis/keys.ts";
import { parseLease, preferredMember } from "../../../src/store/redis/lease.ts";
import {
  type MemberList,
  type MemberStatus,
  RedisLeases,
} from "../../../src/store/redis/leases.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";

const SHARDS = 8;
const KEYS = new Keys("test");

/** The members of a test, all registered at once. */
class Members implements MemberList {
  alive: MemberStatus[] = [];
  readonly #observers = new Set<() => void>();

  observe(onChange: () => void): () => void {
    this.#observers.add(onChange);
    return () => this.#observers.delete(onChange);
  }

  set(...members: (string | MemberStatus)[]): void {
    this.alive = members.map((member) =>
      typeof member === "string" ? { name: member, caughtUp: true } : member
    );
    for (const observer of this.#observers) observer();
  }
}

/** Starts the leases of a server. */
async function join(
  redis: RedisServer,
  members: MemberList,
  name: string,
  options: { clock?: () => number; replicas?: number; run?: string } = {},
) {
  const deployment = await openDeployment(parseRedisAddress(redis.url));
  const { clock, replicas = 0, run = `run-${name}` } = options;
  const leases = new RedisLeases({
    ...{ deployment, keys: KEYS, shards: SHARDS, name, run, members },
    replicas: () => replicas,
    ...(clock && { clock }),
  });
  leases.start();
  return {
    leases,
    name,
    /** Ends it without a word, as a killed process. */
    kill: () => deployment.close(),
    [Symbol.asyncDispose]: async () => {
      await leases.close();
      deployment.close();
    },
  };
}

type Server = Awaited<ReturnType<typeof join>>;

const ALL = Array.from({ length: SHARDS }, (_, shard) => shard);
const heldBy = ({ leases }: Server) => ALL.filter((one) => leases.holds(one));

/** Waits for a state of the servers. A shard has at most one holder meanwhile. */
async function settle(servers: Server[], condition: () => boolean) {
  await until(() => {
    for (const shard of ALL) {
      const holders = servers.filter(({ leases }) => leases.holds(shard));
      assert.ok(holders.length <= 1, `${holders.length} hold shard ${shard}`);
    }
    return condition();
  }, { what: () => JSON.stringify(servers.map(heldBy)) });
}

/** True if each shard is with the member that should have it. */
function isDivided(servers: Server[]): boolean {
  const names = servers.map(({ name }) => name);
  return servers.every((server) =>
    ALL.every((shard) => {
      const preferred = preferredMember(shard, names);
      return server.leases.holderOf(shard) === preferred &&
        server.leases.holds(shard) === (preferred === server.name);
    })
  );
}

Deno.test("the value of a lease may have a name with colons", () => {
  assert.deepEqual(parseLease("12:a:b c\n::run"), {
    value: "12:a:b c\n::run",
    fence: 12,
    name: "a:b c\n:",
    run: "run",
  });
  for (const bad of ["", "12", "12:a", "x:a:run", "-1:a:run"]) {
    assert.equal(parseLease(bad), undefined, bad);
  }
});

Deno.test("a member that comes or goes moves few leases", () => {
  const names = ["north", "south", "east"];
  const of = (names: string[]) =>
    Array.from({ length: 900 }, (_, shard) => preferredMember(shard, names));
  const before = of(names);
  for (const name of names) {
    const count = before.filter((one) => one === name).length;
    assert.ok(count > 240 && count < 360, `${name}: ${count} of 900`);
  }
  assert.deepEqual(before, of(names.toReversed()), "the order is irrelevant");
  const after = of(["north", "south"]);
  before.forEach((name, shard) => {
    if (name !== "east") assert.equal(after[shard], name);
  });
  assert.equal(preferredMember(0, []), undefined);
});

Deno.test({
  name: "each shard has one holder; one that leaves is replaced at once",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const members = new Members();
    members.set("a", "b");
    await using a = await join(redis, members, "a");
    await using b = await join(redis, members, "b");
    await settle([a, b], () => isDivided([a, b]));
    assert.deepEqual(a.leases.members, ["a", "b"]);
    let changes = 0;
    b.leases.observe(() => changes++);
    const closed = performance.now();
    await a.leases.close();
    members.set("b");
    assert.deepEqual(heldBy(a), []);
    await settle([a, b], () => heldBy(b).length === SHARDS);
    assert.ok(performance.now() - closed < 4000, "sooner than by the expiry");
    assert.ok(changes > 0, "observers are called");
  },
});

Deno.test({
  name: "a killed holder is replaced with a higher fence, not before it stops",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const members = new Members();
    members.set("a");
    await using a = await join(redis, members, "a");
    await settle([a], () => heldBy(a).length === SHARDS);
    await using b = await join(redis, members, "b");
    const fences = ALL.map((shard) => a.leases.leaseOf(shard)!.fence);
    a.kill();
    members.set("b");
    await settle([a, b], () => heldBy(b).length === SHARDS);
    for (const shard of ALL) {
      assert.ok(b.leases.leaseOf(shard)!.fence > fences[shard]!);
    }
  },
});

Deno.test({
  name: "a suspended holder does not hold a shard when it goes on",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const members = new Members();
    members.set("a");
    let skipped = 0;
    const clock = () => performance.now() + skipped;
    await using a = await join(redis, members, "a", { clock });
    await settle([a], () => heldBy(a).length === SHARDS);
    skipped = 4000;
    assert.deepEqual(heldBy(a), [], "at the first look at the clock");
    const { fence } = parseLease(await redis.text("GET", "{test/0}:lease"))!;
    await settle([a], () => a.leases.holds(0));
    assert.equal(
      a.leases.leaseOf(0)!.fence,
      fence,
      "no other had it meanwhile",
    );
  },
});

Deno.test({
  name:
    "while Redis does not answer, no server holds a shard for more than 4 s",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const members = new Members();
    members.set("a", "b");
    await using a = await join(redis, members, "a");
    await using b = await join(redis, members, "b");
    await settle([a, b], () => isDivided([a, b]));
    redis.freeze();
    const frozen = performance.now();
    // Measured up to the last look that saw a lease: a busy machine may look
    // late.
    let last = frozen;
    await settle([a, b], () => {
      const now = performance.now();
      const isNone = heldBy(a).length + heldBy(b).length === 0;
      if (!isNone) last = now;
      return isNone;
    });
    assert.ok(last - frozen < 4100, `${last - frozen} ms`);
    redis.thaw();
    await settle([a, b], () => isDivided([a, b]));
  },
});

Deno.test({
  name: "a lease goes to the preferred member, once that is caught up",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const members = new Members();
    members.set("a", { name: "b", caughtUp: false });
    await using a = await join(redis, members, "a");
    await settle([a], () => heldBy(a).length === SHARDS);
    await using b = await join(redis, members, "b");
    await until(() => b.leases.holderOf(0) === "a");
    assert.deepEqual(heldBy(b), []);
    members.set("a", "b");
    await settle([a, b], () => isDivided([a, b]));
    assert.ok(heldBy(a).length > 0 && heldBy(b).length > 0);
  },
});

Deno.test({
  name: "a lease does not count without the replicas that a commit needs",
  ...needs("redis-server"),
  fn: async () => {
    await using redis = await RedisServer.start();
    const members = new Members();
    members.set("a");
    await using a = await join(redis, members, "a", { replicas: 1 });
    await until(async () =>
      await redis.text("EXISTS", "{test/0}:lease") === "1"
    );
    assert.deepEqual(heldBy(a), []);
    await using replica = await RedisServer.start({ replicaOf: redis });
    await settle([a], () => heldBy(a).length === SHARDS);
    assert.equal(
      await replica.text("GET", "{test/0}:lease"),
      a.leases.leaseOf(0)!.value,
    );
  },
});
