/**
 * Opens a store in Redis, which may be away.
 *
 * @module
 */
import { formatRedisAddress, type RedisAddress } from "./address.ts";
import { type DeploymentOptions, openDeployment } from "./connect.ts";
import { DeferredDeployment } from "./deferred_deployment.ts";
import type { Deployment } from "./deployment.ts";
import { isTemporary } from "./errors.ts";
import { textOf } from "./info.ts";
import { DEFAULT_SHARDS, Keys } from "./keys.ts";
import { parseShards } from "./keyspace.ts";
import { redisStoreError } from "./redis_problem.ts";
import { RedisStore } from "./redis_store.ts";

/** Maximum wait for an answer, in ms. */
const TIMEOUT_MS = 2000;

/** How a server uses a store in Redis. */
export interface RedisSettings extends DeploymentOptions {
  /** The name of the server; each server that shares the store has another. */
  readonly name: string;
  /** Default: that of the map, or {@linkcode DEFAULT_SHARDS} for a new one. */
  readonly shards?: number | undefined;
  /** As in `RedisStoreOptions`. */
  readonly replicas?: number | undefined;
}

/**
 * Opens a store in Redis. If Redis is away, the store waits for it when the map
 * is loaded.
 *
 * @param address the servers of Redis
 * @param settings of the server
 * @param onWarning receives a line about a problem that does not prevent the use
 * @param onInfo receives a line when such a problem is over
 * @throws {StoreError} if Redis refuses the login, or has another map
 */
export async function openRedisStore(
  address: RedisAddress,
  settings: RedisSettings,
  onWarning?: (line: string) => void,
  onInfo?: (line: string) => void,
): Promise<RedisStore> {
  const { name, replicas } = settings;
  const shards = settings.shards ?? await storedShards(address, settings) ??
    DEFAULT_SHARDS;
  const deployment = new DeferredDeployment(
    formatRedisAddress(address),
    address.prefix,
    () => openDeployment(address, settings),
  );
  return new RedisStore({
    ...{ deployment, name, shards, replicas, onWarning, onInfo },
  });
}

/**
 * Checks that Redis accepts a login and certificates.
 *
 * @throws {StoreError} if it does not, or is away
 */
export async function checkAccess(
  address: RedisAddress,
  options: DeploymentOptions,
): Promise<void> {
  try {
    const deployment = await openDeployment(address, options);
    try {
      await deployment.open(new Keys(deployment.prefix).meta);
    } finally {
      deployment.close();
    }
  } catch (error) {
    throw redisStoreError(formatRedisAddress(address), error);
  }
}

/** Returns the shards of the map; undefined if there is none, or Redis is away. */
async function storedShards(
  address: RedisAddress,
  options: DeploymentOptions,
): Promise<number | undefined> {
  try {
    const deployment = await openDeployment(address, options);
    try {
      return await readShards(deployment);
    } finally {
      deployment.close();
    }
  } catch (error) {
    if (isTemporary(error)) return undefined;
    throw redisStoreError(formatRedisAddress(address), error);
  }
}

/**
 * Reads the number of shards of the map.
 *
 * @returns undefined if there is no map
 * @throws {StoreError} if it is no number that a map can have
 * @throws {RedisError} if it cannot be read
 */
export async function readShards(
  deployment: Deployment,
): Promise<number | undefined> {
  const { meta } = new Keys(deployment.prefix);
  const node = await deployment.open(meta);
  const reply = await node.send(["HGET", meta, "shards"], TIMEOUT_MS);
  node.close();
  if (reply === null) return undefined;
  return parseShards(textOf(reply), deployment.description);
}
