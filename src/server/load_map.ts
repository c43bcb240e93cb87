/**
 * Loads the map of a server from its store.
 *
 * @module
 */
import type { Ageing } from "../grid/mod.ts";
import type { Entry } from "../store/store.ts";
import type { ServerContext } from "./context.ts";
import { applyShared } from "./group_applier.ts";
import type { Pipeline } from "./pipeline.ts";

/**
 * Loads the map, and commits the thresholds of this server. Of a shared store,
 * begins to follow what the other servers commit.
 *
 * @param context its map is empty, with the thresholds of this server
 * @throws {StoreError} if the map cannot be loaded, or nothing can be stored
 */
export async function loadMap(
  context: ServerContext,
  pipeline: Pick<Pipeline, "follow" | "commit">,
): Promise<void> {
  const { store, map, clock, status, loadLimit } = context;
  const { ageing } = map;
  const apply = (entry: Entry, shard: number) =>
    applyShared(context, entry, shard, Math.max(0, clock.now() - entry.now));
  await store.load(map, loadLimit, apply);
  clock.mapLoaded();
  pipeline.follow();
  const now = clock.now();
  if (store.shared !== undefined) {
    // Directly: it waits while the store fails, as during a failover.
    return await store.commit(changedThresholds(context, ageing, now));
  }
  if (!store.durable) map.begin(status.began = now);
  const isCommitted = await pipeline.commit(
    [{ kind: "configure", now, ageing }, { kind: "age", now }],
  );
  if (!isCommitted) throw status.storeProblem!;
}

/**
 * Returns the entries for the thresholds of a shared map, where they are others
 * than this server has: they are in force for all servers.
 */
function changedThresholds(
  { map, log }: ServerContext,
  ageing: Ageing,
  now: number,
): Entry[] {
  const entries = map.shards.flatMap((shard, i): Entry[] =>
    isEqual(shard.ageing, ageing)
      ? []
      : [{ kind: "configure", now, ageing, shard: i }]
  );
  if (entries.length > 0 && map.revision > 0) {
    log.warn(
      "The thresholds of the shared map were others: those of this server are now in force for all servers. Start all of them with the same --stale-after, --forget-after and --max-skew",
    );
  }
  return entries;
}

function isEqual(a: Ageing, b: Ageing): boolean {
  return a.staleAfter === b.staleAfter && a.forgetAfter === b.forgetAfter &&
    a.maxSkew === b.maxSkew;
}
