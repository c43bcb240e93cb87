/**
 * What describes the map in Redis: the version of its keys, and the number of
 * shards, which is fixed when they are made.
 *
 * @module
 */
import { isShardCount } from "../../grid/mod.ts";
import { printable } from "../../common/printable.ts";
import { StoreError } from "../store.ts";
import {
  COMMAND_TIMEOUT_MS,
  type Deployment,
  type RedisNode,
} from "./deployment.ts";
import type { Keys } from "./keys.ts";
import { list, text } from "./stream_entry.ts";

/** The version of the keys and of what they hold. */
export const FORMAT = "1";
/** The format while `occupancy store copy` writes a map. */
export const COPY_FORMAT = "copy";
/** The field with the number of replicas. */
const REPLICAS = "replicas";

/**
 * Key: meta. Arguments: format and number of shards of a new map. Returns those of
 * the map. Works also above `maxmemory`, see `checkpoint_scripts.ts`.
 */
const OPEN_KEYSPACE = `#!lua flags=allow-oom
redis.call('HSETNX', KEYS[1], 'format', ARGV[1])
redis.call('HSETNX', KEYS[1], 'shards', ARGV[2])
return redis.call('HMGET', KEYS[1], 'format', 'shards')`;

/**
 * Returns the number of shards of a map, as it is stored.
 *
 * @param description the address of the store, for errors
 * @throws {StoreError} if no map can have this number
 */
export function parseShards(stored: string, description: string): number {
  if (/^\d+$/.test(stored) && isShardCount(Number(stored))) {
    return Number(stored);
  }
  throw new StoreError(
    `Cannot use ${description}: its map has ${
      printable(stored)
    } shards, which this version of occupancy does not know`,
    {
      hint:
        "Use the version of the other servers, or another prefix: redis://HOST:PORT/PREFIX.",
    },
  );
}

/**
 * Describes the map if no server has done so, and checks that this server can
 * use it.
 *
 * @param node the master of {@linkcode Keys.meta}
 * @param keys the keys of the map
 * @param shards how many this server has
 * @param description the address of the store, for errors
 * @throws {StoreError} if the map is of another version or has other shards
 * @throws {RedisError} the error of Redis
 */
export async function openKeyspace(
  node: RedisNode,
  keys: Keys,
  shards: number,
  description: string,
): Promise<void> {
  const { meta } = keys;
  const command = ["EVAL", OPEN_KEYSPACE, "1", meta, FORMAT, `${shards}`];
  const [format, stored] = list(await node.send(command, COMMAND_TIMEOUT_MS))
    .map((one) => one === null ? "" : printable(text(one)));
  if (format === COPY_FORMAT) {
    throw new StoreError(
      `Cannot use ${description}: a copy of a map into it is not complete`,
      {
        hint:
          "Wait until occupancy store copy has ended. If it was interrupted, run it again.",
      },
    );
  }
  if (format !== FORMAT) {
    throw new StoreError(
      `Cannot use ${description}: its keys have format ${format}, this server knows format ${FORMAT}`,
      {
        hint:
          "Use the version of occupancy that the other servers have, or another prefix: redis://HOST:PORT/PREFIX.",
      },
    );
  }
  if (stored !== `${shards}`) {
    throw new StoreError(
      `Cannot use ${description}: its map has ${stored} shards, this server ${shards}`,
      {
        hint:
          `Start the server with --shards ${stored}: the number is fixed when the map is made. Or use another prefix: redis://HOST:PORT/PREFIX.`,
      },
    );
  }
}

/**
 * Returns how many replicas must have what is committed. All servers use the
 * same number: without one of its own, a server uses that of the others, so that
 * one that starts while the replicas are away does not do without them.
 *
 * Each server tells the others by its own number which entries are safe: so one
 * with a lower number weakens all.
 *
 * @param node the master of {@linkcode Keys.meta}
 * @param keys the keys of the map
 * @param wanted the setting of this server; the next ones use it too
 * @param present how many replicas there are
 * @param onWarning receives a line if the last server had another number
 * @throws {RedisError} the error of Redis
 */
export async function agreeOnReplicas(
  node: RedisNode,
  keys: Keys,
  wanted: number | undefined,
  present: number,
  onWarning: (line: string) => void,
): Promise<number> {
  const stored = await storedReplicas(node, keys);
  const replicas = wanted ?? Math.max(stored ?? 0, Math.min(1, present));
  if (replicas !== stored) {
    if (stored !== undefined) {
      onWarning(
        `The other servers of this map wait for ${stored} replicas, this one for ${replicas}: until all wait for the same number, a failover can lose readings that were acknowledged. Set the same --redis-replicas on all servers and restart them.`,
      );
    }
    const command = ["HSET", keys.meta, REPLICAS, `${replicas}`];
    await node.send(command, COMMAND_TIMEOUT_MS);
  }
  return replicas;
}

/**
 * Returns how many replicas the servers of a map wait for; undefined if none has
 * decided that yet.
 *
 * @param node the master of {@linkcode Keys.meta}
 * @param keys the keys of the map
 * @throws {RedisError} the error of Redis
 */
export async function storedReplicas(
  node: RedisNode,
  { meta }: Keys,
): Promise<number | undefined> {
  const reply = await node.send(["HGET", meta, REPLICAS], COMMAND_TIMEOUT_MS);
  const stored = reply === null ? NaN : Number(text(reply));
  return Number.isSafeInteger(stored) && stored >= 0 ? stored : undefined;
}

/** What {@linkcode openMap} needs. */
export interface OpenMapOptions {
  readonly deployment: Deployment;
  readonly keys: Keys;
  readonly shards: number;
  /** How many replicas this server wants; undefined: as the others. */
  readonly replicas?: number | undefined;
  readonly warn: (line: string) => void;
  /** Reads more, over the same connection. */
  readonly onOpen: (node: RedisNode) => Promise<void>;
}

/**
 * Checks the keys of a map, and makes them if there are none.
 *
 * @returns how many replicas must have what is committed
 * @throws {StoreError} if the map is of other shards, or of another version
 * @throws {RedisError} if Redis cannot be reached
 */
export async function openMap(options: OpenMapOptions): Promise<number> {
  const { deployment, keys, shards, replicas: wanted, warn, onOpen } = options;
  const { description } = deployment;
  const node = await deployment.open(keys.meta);
  let replicas: number;
  try {
    await openKeyspace(node, keys, shards, description);
    await onOpen(node);
    const present = await deployment.replicas(node);
    replicas = await agreeOnReplicas(node, keys, wanted, present, warn);
  } finally {
    node.close();
  }
  if (wanted === undefined && replicas === 0) {
    warn(
      `Redis at ${description} has no replicas: if its machine fails, readings that were acknowledged are lost. Add two replicas, or set --redis-replicas 0 to accept that.`,
    );
  }
  return replicas;
}
