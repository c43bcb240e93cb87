/**
 * How a server uses a store in Redis: password and certificates are read again
 * while it runs.
 *
 * @module
 */
import { parseStoreAddress } from "../../../store/location.ts";
import type { RedisSettings } from "../../../store/redis/open_redis.ts";
import { readRedisFiles } from "../../arguments/redis_files.ts";
import type { ServerFlags } from "./options.ts";

/** The settings of a store in Redis, of which the files can be read again. */
export interface RedisUse {
  /** For the store; {@linkcode RedisUse.reload} changes it. */
  readonly settings: RedisSettings;
  /** The files that the flags name. Empty: there is nothing to reload. */
  readonly files: readonly string[];
  /**
   * Reads the files again, and uses them for new connections if Redis accepts
   * them.
   *
   * @throws {AppError} if a file is unusable, or Redis refuses the login; then
   * the old ones stay in use
   */
  reload(): Promise<void>;
}

/**
 * Reads the files that the flags name.
 *
 * @param flags of the server
 * @param address of its store, in Redis or not
 * @param warn called with a line if other users can read a secret
 * @throws {AppError} if a file is unusable, or has no effect
 */
export async function readRedisUse(
  flags: ServerFlags,
  address: string,
  warn: (line: string) => void,
): Promise<RedisUse> {
  const { name, shards, redisReplicas: replicas } = flags;
  const { redisPasswordFile, redisCa, redisCert, redisKey } = flags;
  const read = () => readRedisFiles(flags, [address], warn);
  const settings = { ...await read(), name, shards, replicas };
  const files = [redisPasswordFile, redisCa, redisCert, redisKey];
  return {
    settings,
    files: [...new Set(files.filter((file) => file !== undefined))],
    reload: async () => {
      const changed = await read();
      const location = parseStoreAddress(address, undefined);
      if (location.kind === "redis") {
        const { checkAccess } = await import(
          "../../../store/redis/open_redis.ts"
        );
        await checkAccess(location.address, { ...settings, ...changed });
      }
      Object.assign(settings, changed);
    },
  };
}
