/** Stores in Redis, with maps that follow them, for tests. */
import { OccupancyMap } from "../../../src/grid/mod.ts";
import { parseRedisAddress } from "../../../src/store/redis/address.ts";
import { openDeployment } from "../../../src/store/redis/connect.ts";
import type { Deployment } from "../../../src/store/redis/deployment.ts";
import { DeferredDeployment } from "../../../src/store/redis/deferred_deployment.ts";
import {
  RedisStore,
  type RedisStoreOptions,
} from "../../../src/store/redis/redis_store.ts";
import {
  applyEntry,
  type ApplyLoaded,
  type Delivery,
  type LoadLimit,
  type StoreError,
} from "../../../src/store/store.ts";
import { assertSameMap } from "../support.ts";
import { until } from "../../support/until.ts";

/** Number of shards of the maps in tests. */
export const SHARDS = 4;

/** Options of {@linkcode openMember}. */
export interface MemberOptions
  extends Partial<Omit<RedisStoreOptions, "deployment">> {
  /** Memory for the map. */
  readonly limit?: LoadLimit;
  /** Applies what is loaded from the journals. Default: `applyEntry`. */
  readonly apply?: ApplyLoaded;
  /** Whether it follows the journals. Default true. */
  readonly follow?: boolean;
  /** See `Follower.canPublish()`. */
  readonly canPublish?: () => boolean;
  /** Changes what the store gets of Redis. */
  readonly wrap?: (deployment: Deployment) => Deployment;
}

/** A store, and the map of a server that follows it. */
export interface TestMember extends AsyncDisposable {
  readonly store: RedisStore;
  readonly map: OccupancyMap;
  /** All that was delivered. */
  readonly deliveries: readonly Delivery[];
  /** All that was reported, `undefined` for the end of a problem. */
  readonly problems: readonly (StoreError | undefined)[];
  readonly warnings: readonly string[];
}

/**
 * Opens a store and loads its map.
 *
 * @param url `redis://HOST:PORT`, with or without a prefix
 */
export async function openMember(
  url: string,
  options: MemberOptions = {},
): Promise<TestMember> {
  const { follow = true, shards = SHARDS, name = "a" } = options;
  const warnings: string[] = [];
  const address = parseRedisAddress(url);
  const store = new RedisStore({
    deployment: new DeferredDeployment(
      ...[url, address.prefix] as const,
      async () =>
        (options.wrap ?? ((one) => one))(
          await openDeployment(address),
        ),
    ),
    onWarning: (line) => warnings.push(line),
    ...options,
    ...{ shards, name },
  });
  const map = new OccupancyMap({}, { shards });
  const deliveries: Delivery[] = [];
  const problems: (StoreError | undefined)[] = [];
  try {
    await store.load(map, options.limit, options.apply);
  } catch (error) {
    await store.close();
    throw error;
  }
  if (follow) {
    store.shared.follow({
      apply: (delivery) => {
        deliveries.push(delivery);
        for (const entry of delivery.entries) {
          applyEntry(map, entry, delivery.shard);
        }
        return Promise.resolve();
      },
      onProblem: (problem) => void problems.push(problem),
      canPublish: options.canPublish ?? (() => true),
    });
  }
  return {
    ...{ store, map, deliveries, problems, warnings },
    [Symbol.asyncDispose]: () => store.close(),
  };
}

/** Waits until all have applied everything, and checks that they are equal. */
export async function assertSameMaps(
  members: readonly TestMember[],
): Promise<void> {
  for (const { store, map } of members) {
    // While there is a problem, sync() resolves at once.
    await until(async () => {
      if (store.problem() !== undefined) return false;
      await store.shared.sync(map.shards.keys());
      return store.problem() === undefined;
    }, { what: () => `no problem: ${store.problem()?.message}` });
  }
  for (const { map } of members) assertSameMap(map, members[0]!.map);
}

/** The revisions of all shards. */
export function revisionsOf({ map }: TestMember): number[] {
  return map.shards.map(({ revision }) => revision);
}
