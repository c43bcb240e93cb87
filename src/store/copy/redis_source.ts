/**
 * Reads a store in Redis, also while servers use it: as a server that joins,
 * reads the checkpoints and the journals, and leaves.
 *
 * @module
 */
import { abortable } from "../../common/async.ts";
import { formatRedisAddress, type RedisAddress } from "../redis/address.ts";
import { openDeployment } from "../redis/connect.ts";
import type { Deployment, RedisNode } from "../redis/deployment.ts";
import { textOf } from "../redis/info.ts";
import { Keys } from "../redis/keys.ts";
import { storedReplicas } from "../redis/keyspace.ts";
import { openMasters } from "../redis/open_masters.ts";
import { readShards } from "../redis/open_redis.ts";
import { redisStoreError } from "../redis/redis_problem.ts";
import { RedisStore } from "../redis/redis_store.ts";
import { StoreError } from "../store.ts";
import type { CopySource, RedisCopyOptions } from "./endpoints.ts";

/**
 * Opens a store in Redis as the source of a copy.
 *
 * @param onWarning receives lines about problems that do not prevent the copy
 * @param signal ends the wait for Redis, with its reason
 * @throws {StoreError} if Redis cannot be used, or has no map
 */
export async function openRedisSource(
  address: RedisAddress,
  options: RedisCopyOptions,
  onWarning: (line: string) => void,
  signal: AbortSignal,
): Promise<CopySource> {
  const description = formatRedisAddress(address);
  const name = `store-copy-${crypto.randomUUID().slice(0, 8)}`;
  let deployment: Deployment | undefined;
  try {
    deployment = await openDeployment(address, options);
    const shards = await readShards(deployment);
    if (shards === undefined) {
      throw new StoreError(`Cannot copy ${description}: it has no map`, {
        hint: "Check the address and its prefix: redis://HOST:PORT/PREFIX.",
      });
    }
    const keys = new Keys(deployment.prefix);
    const node = await deployment.open(keys.meta);
    const lastAlive = await readLastAlive(node, keys);
    // Those of the servers: it must not change them, nor declare entries safe
    // that the replicas do not have.
    const replicas = await storedReplicas(node, keys) ?? 0;
    const store = new RedisStore({
      deployment: await openDeployment(address, options),
      ...{ name, shards, replicas, onWarning },
    });
    const control = deployment;
    return {
      description,
      owners: ["zones", "home-assistant", "zone-memories"],
      shards,
      translate: (error) => error,
      load: async (map, limit) => {
        await abortable(store.load(map, limit), signal);
        if (await lacksReplicas(control, keys, shards, replicas)) {
          onWarning(
            `Redis at ${description} has fewer replicas online than its servers use (${replicas}): what they wrote last may be missing in the copy. Start the replicas and copy again.`,
          );
        }
        await store.history.open();
        return { records: store.records, lastAlive, history: store.history };
      },
      [Symbol.asyncDispose]: async () => {
        await store.close();
        await node.send(["SREM", keys.members, name]).catch(() => {});
        control.close();
      },
    };
  } catch (error) {
    deployment?.close();
    throw redisStoreError(description, error);
  }
}

/** True if a master has fewer replicas than the servers wait for. */
async function lacksReplicas(
  deployment: Deployment,
  keys: Keys,
  shards: number,
  wanted: number,
): Promise<boolean> {
  let lacks = false;
  for (const node of await openMasters(deployment, keys, shards)) {
    lacks ||= await deployment.replicas(node) < wanted;
    node.close();
  }
  return lacks;
}

/** The latest of all servers. */
async function readLastAlive(
  node: RedisNode,
  keys: Keys,
): Promise<number | undefined> {
  const values = await node.send(["HVALS", keys.alive]);
  const times = (Array.isArray(values) ? values : [])
    .map((value) => Number(textOf(value))).filter(Number.isFinite);
  return times.length === 0 ? undefined : Math.max(...times);
}
