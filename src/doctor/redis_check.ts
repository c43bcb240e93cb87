import { isShardCount } from "../grid/mod.ts";
import { parseStoreAddress } from "../store/location.ts";
import {
  formatRedisAddress,
  type RedisAddress,
} from "../store/redis/address.ts";
import { openDeployment } from "../store/redis/connect.ts";
import {
  type Deployment,
  RedisError,
  type RedisNode,
} from "../store/redis/deployment.ts";
import { DEFAULT_SHARDS, Keys } from "../store/redis/keys.ts";
import { openMasters } from "../store/redis/open_masters.ts";
import type { Check } from "./check.ts";
import type { CheckContext } from "./check_context.ts";
import { type Finding, finding } from "./finding.ts";
import {
  forbiddenCommands,
  readClusterState,
  readKeyspace,
  readMaster,
} from "./redis_facts.ts";
import {
  judgeCluster,
  judgeKeyspace,
  judgeRights,
  MASTER_JUDGES,
} from "./redis_findings.ts";

/**
 * Checks Redis as a store that several servers share: version, replicas, disk,
 * memory, clock, cluster, rights, and what is stored. Changes nothing.
 */
export const redisCheck: Check = {
  name: "redis",
  run: async (context) => {
    const { store } = context.options;
    if (store === undefined) return [];
    const location = parseStoreAddress(store, undefined);
    return location.kind === "redis"
      ? await checkRedis(location.address, context)
      : [];
  },
};

async function checkRedis(
  address: RedisAddress,
  { options }: CheckContext,
): Promise<Finding[]> {
  let deployment: Deployment | undefined;
  try {
    deployment = await openDeployment(address, {
      ...options.redis?.files,
      connectTimeout: Math.min(options.timeout, 2000),
    });
    return await checkDeployment(deployment, address, options);
  } catch (error) {
    if (!(error instanceof RedisError)) throw error;
    const { message, hint } = error;
    return [finding("error", message, hint === undefined ? {} : { hint })];
  } finally {
    deployment?.close();
  }
}

async function checkDeployment(
  deployment: Deployment,
  address: RedisAddress,
  { name, redis }: CheckContext["options"],
): Promise<Finding[]> {
  const keys = new Keys(deployment.prefix);
  const control = await deployment.open(keys.meta);
  const keyspace = await readKeyspace(control, keys);
  const stored = Number(keyspace.shards);
  const shards = isShardCount(stored)
    ? stored
    : redis?.shards ?? DEFAULT_SHARDS;
  const masters = await openMasters(deployment, keys, shards);
  const facts = await Promise.all(masters.map(readMaster));
  const findings = MASTER_JUDGES.flatMap((judge) =>
    folded(facts.map((master) => judge(master, redis?.replicas)))
  );
  if (deployment.kind === "cluster") {
    findings.push(judgeCluster(await readClusterState(control)));
  }
  findings.push(judgeRights(await forbidden(control, keys)));
  const where = formatRedisAddress(address);
  findings.push(...judgeKeyspace(keyspace, where, name, redis?.shards));
  return findings;
}

/** Of findings about several masters that are all ok, one is enough. */
function folded(findings: readonly Finding[]): readonly Finding[] {
  const bad = findings.filter(({ status }) => status !== "ok");
  if (bad.length > 0) return bad;
  const [first, ...others] = findings;
  if (others.length === 0) return [first!];
  const { message, data } = first!;
  return [
    finding("ok", `${message}, and so on for ${others.length} more masters`, {
      ...(data !== undefined && { data }),
    }),
  ];
}

/**
 * One of each command that the store sends, see src/store/redis, and some with
 * the keys of a shard: these have other names.
 */
function forbidden(
  node: RedisNode,
  keys: Keys,
): Promise<string[] | undefined> {
  const { meta, members } = keys;
  return forbiddenCommands(node, [
    ["XADD", meta, "*", "a", "b"],
    ["XREAD", "COUNT", "1", "STREAMS", meta, "0"],
    ["XLEN", meta],
    ["XTRIM", meta, "MINID", "0"],
    ["XDEL", meta, "0-1"],
    ["XREVRANGE", meta, "+", "-", "COUNT", "1"],
    ["XINFO", "STREAM", meta],
    ["WAIT", "0", "1"],
    ["EVAL", "return 0", "0"],
    ["GET", meta],
    ["SET", meta, "a"],
    ["DEL", meta],
    ["INCR", meta],
    ["EXISTS", meta],
    ["PEXPIRE", meta, "1"],
    ["HGET", meta, "a"],
    ["HMGET", meta, "a"],
    ["HKEYS", meta],
    ["HSET", meta, "a", "b"],
    ["HSETNX", meta, "a", "b"],
    ["HEXISTS", meta, "a"],
    ["HDEL", meta, "a"],
    ["SADD", members, "a"],
    ["SREM", members, "a"],
    ["SMEMBERS", members],
    ["XADD", keys.journal(0), "*", "a", "b"],
    ["SET", keys.ofShard(0, "lease"), "a"],
    ["HSET", keys.ofShard(0, "chunks"), "a", "b"],
    ...historyCommands(keys.ofShard(0, "history:fence")),
    ["MEMORY", "USAGE", meta],
    ["TIME"],
    ["ROLE"],
    ["PING"],
  ]);
}

/** Of the scripts in src/store/redis/history, those that are not above. */
function historyCommands(key: string): string[][] {
  return [
    ["APPEND", key, "a"],
    ["UNLINK", key],
    ["HINCRBY", key, "a", "1"],
    ["HGETALL", key],
    ["HRANDFIELD", key, "1"],
    ["SRANDMEMBER", key],
    ["ZADD", key, "0", "a"],
    ["ZREM", key, "a"],
    ["ZRANGEBYSCORE", key, "0", "1"],
    ["ZRANGEBYLEX", key, "-", "+"],
    ["RPUSH", key, "a"],
    ["LPOP", key],
    ["LRANGE", key, "0", "1"],
  ];
}
