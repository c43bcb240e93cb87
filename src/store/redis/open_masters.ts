/**
 * Connections to all servers of Redis that have keys of a map.
 *
 * @module
 */
import type { Deployment, RedisNode } from "./deployment.ts";
import type { Keys } from "./keys.ts";

/**
 * Opens a connection to each master that has keys of a map.
 *
 * @param shards number of shards
 * @throws {RedisError} if one cannot be reached; then none is open
 */
export async function openMasters(
  deployment: Deployment,
  keys: Keys,
  shards: number,
): Promise<RedisNode[]> {
  const masters = new Map<string, RedisNode>();
  const journals = deployment.kind === "cluster"
    ? Array.from({ length: shards }, (_, shard) => keys.journal(shard))
    : [];
  try {
    for (const key of [keys.meta, ...journals]) {
      const node = await deployment.open(key);
      if (masters.has(node.address)) node.close();
      else masters.set(node.address, node);
    }
  } catch (error) {
    for (const node of masters.values()) node.close();
    throw error;
  }
  return [...masters.values()];
}
