/** Own entries that were safe and that the reader does not find. */
import assert from "node:assert/strict";
import type {
  Deployment,
  RedisNode,
  Reply,
} from "../../../src/store/redis/deployment.ts";
import { readingsEntry } from "../support.ts";
import { needs } from "../../support/needs.ts";
import { RedisServer } from "../../support/redis.ts";
import { until } from "../../support/until.ts";
import { assertSameMaps, openMember } from "./redis_members.ts";
import { LAYER, T0 } from "./writers.ts";

/** Sends a command. */
type Send = (
  command: readonly (string | Uint8Array)[],
  node: RedisNode,
) => Promise<Reply>;

/** Sends the commands of a store in another way. */
function wrapSends(deployment: Deployment, send: Send): Deployment {
  return {
    description: deployment.description,
    kind: deployment.kind,
    prefix: deployment.prefix,
    changed: () => deployment.changed(),
    replicas: (node) => deployment.replicas(node),
    close: () => deployment.close(),
    open: async (key) => {
      const node = await deployment.open(key);
      return {
        address: node.address,
        close: () => node.close(),
        send: (command) => send(command, node),
      };
    },
  };
}

Deno.test({
  name:
    "a reader whose connection does not have own entries that are safe opens another one",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    let deposed = new Set<RedisNode>();
    const blocked = new Set<RedisNode>();
    await using a = await openMember(redis.url, {
      wrap: (deployment) =>
        wrapSends(deployment, (command, node) => {
          if (!command.includes("BLOCK")) return node.send(command);
          blocked.add(node);
          // As of a master that was replaced and does not know it.
          const id = deposed.has(node) ? "9999999999999-0" : command.at(-1)!;
          return node.send([...command.slice(0, -1), id]);
        }),
    });
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    // After the first look.
    await until(() => blocked.size === a.map.shards.length);
    deposed = new Set(blocked);
    await a.store.shared.sync(a.map.shards.keys());
    await a.store.commit([readingsEntry(T0, [[2, 2, 2]], LAYER)]);
    assert.equal(a.map.layer(LAYER)!.size, 2);
    assert.ok(blocked.size > deposed.size);
    await using b = await openMember(redis.url, { name: "b" });
    await assertSameMaps([a, b]);
  },
});

Deno.test({
  name: "an own entry whose number is damaged in Redis is written again",
  ...needs("redis-server"),
  async fn() {
    await using redis = await RedisServer.start();
    let isArmed = false;
    let damaged: string | undefined;
    await using a = await openMember(redis.url, {
      wrap: (deployment) =>
        wrapSends(deployment, async (command, node) => {
          if (isArmed && command[0] === "XADD") {
            damaged ??= String(command[command.indexOf("w") + 1]);
          }
          return withoutWriter(await node.send(command), damaged);
        }),
    });
    await a.store.commit([readingsEntry(T0, [[1, 1, 1]], LAYER)]);
    isArmed = true;
    await a.store.commit([readingsEntry(T0, [[2, 2, 2]], LAYER)]);
    assert.match(damaged!, /:2$/);
    assert.equal(a.store.shared.damagedEntries, 1);
    assert.equal(a.map.layer(LAYER)!.size, 2);
  },
});

/** Replaces a value of the field `w`, which names writer and number. */
function withoutWriter(reply: Reply, writer: string | undefined): Reply {
  if (Array.isArray(reply)) {
    return reply.map((one) => withoutWriter(one, writer));
  }
  const isWriter = reply instanceof Uint8Array &&
    new TextDecoder().decode(reply) === writer;
  return isWriter ? new TextEncoder().encode("soup") : reply;
}
