/**
 * Opens a store by its address.
 *
 * @module
 */
import { createDirectoryOf, parseStoreAddress } from "./location.ts";
import type { RedisSettings } from "./redis/open_redis.ts";
import { type Durability, type Store, StoreError } from "./store.ts";

const DEFAULT_REDIS: RedisSettings = { name: "occupancy-server" };

/** Options of {@linkcode openStore}. */
export interface OpenStoreOptions {
  /** What committed entries survive; only a file uses it. */
  readonly durability: Durability;
  /**
   * Whether all missing folders of the path are created. Default: only the last
   * one, so that a mistyped path is an error.
   */
  readonly parents?: boolean;
  /** For a store in Redis. Default: a server named `occupancy-server`. */
  readonly redis?: RedisSettings;
  /** Receives a line about a problem that does not prevent the use. */
  readonly onWarning?: (line: string) => void;
  /** Receives a line when such a problem is over. */
  readonly onInfo?: (line: string) => void;
}

/**
 * Opens a store. Creates the file and its directory if they do not exist.
 *
 * @param address `sqlite:PATH`, `memory:`, or an address of Redis
 * @param options durability, and how to open it
 * @throws {StoreError} if the address is invalid or the file cannot be used
 */
export async function openStore(
  address: string,
  options: OpenStoreOptions,
): Promise<Store> {
  const { durability, parents = false, redis, onWarning, onInfo } = options;
  const location = locate(address);
  if (location.kind === "memory") {
    const { MemoryStore } = await import("./memory.ts");
    return new MemoryStore();
  }
  if (location.kind === "redis") {
    const { openRedisStore } = await import("./redis/open_redis.ts");
    return await openRedisStore(
      location.address,
      redis ?? DEFAULT_REDIS,
      onWarning,
      onInfo,
    );
  }
  const { path } = location;
  createDirectoryOf(path, parents);
  const { SqliteStore } = await import("./sqlite.ts");
  return new SqliteStore({ path, durability, onWarning });
}

function locate(address: string) {
  try {
    return parseStoreAddress(address, undefined);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new StoreError(`Cannot open the store "${address}"`, {
      hint: error.message,
      cause: error,
    });
  }
}
