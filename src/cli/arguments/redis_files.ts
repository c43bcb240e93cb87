/**
 * How a command identifies itself to Redis, and how it checks Redis: reads the
 * files that the flags name.
 *
 * @module
 */
import { isRedisAddress } from "../../store/redis/address.ts";
import { announceDownload } from "../download_notice.ts";
import { usageError } from "../errors.ts";
import { readPassword } from "../secret_files.ts";
import { readCertificate, readCertificateAndKey } from "./broker_access.ts";
import type { RedisAccessFlags } from "./store_options.ts";

/** The flags of Redis; commands without a server have only some of them. */
type RedisFlags = RedisAccessFlags & {
  readonly redisReplicas?: number;
  readonly shards?: number;
  readonly quiet?: true;
};

/** Password and certificates for Redis. */
export interface RedisFiles {
  readonly password?: string;
  /** PEM. */
  readonly ca?: string;
  /** PEM. */
  readonly cert?: string;
  /** PEM. */
  readonly key?: string;
}

/**
 * Reads the files that the flags name. If a store is in Redis, announces the
 * download of what opens it.
 *
 * @param addresses those of the stores; one in Redis must be among them if a
 * flag is set
 * @param warn called with a line if other users can read a secret
 * @throws {AppError} if a file is unusable, or has no effect
 */
export async function readRedisFiles(
  flags: RedisFlags,
  addresses: readonly string[],
  warn: (line: string) => void,
): Promise<RedisFiles> {
  const { redisPasswordFile, redisCa, redisCert, redisKey } = flags;
  const inRedis = addresses.filter(isRedisAddress);
  checkUse(flags, inRedis);
  if (inRedis.length > 0) announceDownload(["@redis/client"], flags);
  const password = redisPasswordFile === undefined
    ? flags.redisPassword
    : await readPassword(redisPasswordFile, warn);
  return {
    ...(password !== undefined && { password }),
    ...(redisCa !== undefined && { ca: await readCertificate(redisCa) }),
    ...(redisCert !== undefined && redisKey !== undefined &&
      await readCertificateAndKey(redisCert, redisKey, warn)),
  };
}

/** @throws {AppError} (usage) if a flag has no effect */
function checkUse(
  flags: RedisFlags,
  addresses: readonly string[],
): void {
  const { redisPasswordFile, redisCa, redisCert, redisKey } = flags;
  const ofTls = [
    ["--redis-ca", redisCa],
    ["--redis-cert", redisCert],
    ["--redis-key", redisKey],
  ] as const;
  const tls = ofTls.find(([, value]) => value !== undefined)?.[0];
  const others = [
    ["--redis-password-file", redisPasswordFile],
    ["--redis-replicas", flags.redisReplicas],
    ["--shards", flags.shards],
  ] as const;
  const used = tls ?? others.find(([, value]) => value !== undefined)?.[0];
  if (used !== undefined && addresses.length === 0) {
    throw usageError(
      `Cannot use ${used} without a store in Redis`,
      `Set --store redis://HOST:PORT, or remove ${used}.`,
    );
  }
  if (tls !== undefined && !addresses.some((one) => /^rediss/i.test(one))) {
    throw usageError(
      `Cannot use ${tls} with redis://: such a connection has no TLS`,
      `Use rediss://HOST:PORT, or remove ${tls}.`,
    );
  }
  if ((redisCert === undefined) === (redisKey === undefined)) return;
  const [has, lacks] = redisCert === undefined
    ? ["--redis-key", "--redis-cert"]
    : ["--redis-cert", "--redis-key"];
  throw usageError(
    `Cannot use ${has} without ${lacks}`,
    `Add ${lacks} FILE. It may be the same file.`,
  );
}
